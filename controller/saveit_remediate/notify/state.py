"""Where an incident stands, for those who have to be told. The only place here that reads it from events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from saveit_remediate.journal import Event

# How a response may end with the service still sick, or with nobody knowing.
UNRESOLVED = ("unresolved", "unverified", "refused", "unreachable", "error", "interrupted")
_BREAKER = "breaker-open"
_CUSTOMERS = ("sev1", "sev2")  # by definition of the severities: an outage, or a major feature


@dataclass(frozen=True)
class State:
    """`is_open`: people have to care. `failed_at`: when the automation gave up, or its breaker opened."""

    incident_id: str
    incident: str
    target: str
    severity: str
    customer_facing: bool
    opened_at: datetime
    is_open: bool
    failed_at: datetime | None


def state_of(events: Sequence[Event]) -> State:
    """From the events of one incident, the first of which opened it."""
    first = events[0]
    opened, severity, hosts = first.payload, str(first.payload.get("severity") or ""), ""
    facing: bool | None = None
    is_open, opened_at, failed_at = False, _time(first), None
    for event in events:
        payload = event.payload
        if event.kind == "assessed":
            severity = str(payload.get("severity") or severity)
            hosts = ", ".join(map(str, payload.get("hosts") or ())) or hosts
            is_open = is_open or is_sick(payload)
        elif event.kind == "severity":
            severity = str(payload.get("to") or severity)
        elif event.kind == "reopened":
            is_open, failed_at, opened_at = True, None, _time(event)
        elif event.kind == "resolved":
            is_open, failed_at = False, None
        elif event.kind == "closed":
            outcome = payload.get("outcome")
            if outcome in UNRESOLVED:
                is_open = is_open or outcome != "error"
                gave_up = outcome in ("unresolved", "unverified") or _BREAKER in (
                    payload.get("obstacles") or ()
                )
                failed_at = _time(event) if gave_up else failed_at
            else:
                is_open, failed_at = False, None
        if isinstance(payload.get("customer_facing"), bool):
            facing = payload["customer_facing"]
    return State(
        first.incident_id,
        str(opened.get("incident") or ""),
        hosts or str(opened.get("target") or opened.get("inventory") or ""),
        severity or "sev3",
        severity in _CUSTOMERS if facing is None else facing,
        opened_at,
        is_open and not opened.get("check"),
        failed_at,
    )


def is_sick(assessed: Mapping[str, object]) -> bool:
    """Did a diagnosis find a symptom?"""
    findings = assessed.get("findings")
    return isinstance(findings, list) and any(
        isinstance(one, Mapping) and one.get("kind", "symptom") not in ("obstacle", "context")
        for one in findings
    )


def _time(event: Event) -> datetime:
    return datetime.fromisoformat(event.at)
