"""The life of an incident: its states, the legal moves between them, and where one stands. Pure.

Everything here is computed from the events of its record; nothing else is the truth about an incident.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from saveit_remediate.journal import Event

AT_WORK = ("opened", "acknowledged", "assessing", "remediating", "monitoring")
STATES = (*AT_WORK, "resolved", "reviewed")
BEGUN = ("opened", "went-on", "joined")  # what a run begins with
# Who was told of an incident that nobody has assessed yet has to take it for something.
UNASSESSED = "sev3"
_CUSTOMERS = ("sev1", "sev2")  # by their definition: an outage, or a major feature
_STAYS = {state: state for state in STATES}
_OPEN = {state: state for state in AT_WORK}
# How a response may end with the service still sick, or with nobody knowing.
_UNKNOWN = ("unresolved", "unverified", "refused", "unreachable", "interrupted")

# The legal moves: by the kind of an event from which state to which. What people do elsewhere is refused;
# what the automation writes elsewhere is in the record, and moves nothing.
MOVES: Mapping[str, Mapping[str, str]] = {
    "acknowledged": {**_OPEN, "opened": "acknowledged"},
    "assigned": _OPEN,
    "note": _STAYS,
    "severity": {**_OPEN, "resolved": "resolved"},
    "resolved": dict.fromkeys(AT_WORK, "resolved"),
    "reopened": {"resolved": "opened", "reviewed": "opened"},
    "reviewed": {"resolved": "reviewed"},
    "joined": _OPEN,
    "assessed": dict.fromkeys(AT_WORK, "assessing"),
    "remedy-started": dict.fromkeys(AT_WORK, "remediating"),
    "remedy-finished": {"remediating": "monitoring"},
}
_DONE = {
    "acknowledged": "acknowledge",
    "assigned": "assign",
    "severity": "change the severity of",
    "resolved": "resolve",
    "reopened": "reopen",
    "reviewed": "review",
    "note": "note something on",
    "joined": "join",
}


@dataclass(frozen=True)
class Life:
    """Where an incident stands. Times are UTC; `opened_at` is that of the last opening.

    `by_person`: a person said the severity. `failed_at`: when the automation gave up, or its breaker opened.
    `running`: a run began and its end is not in the record. `is_sick`: somebody saw a symptom, or says so.
    """

    incident_id: str
    incident: str
    inventory: str
    limit: str
    target: str
    opened_at: datetime
    title: str = ""
    state: str = "opened"
    since: datetime | None = None
    severity: str = UNASSESSED
    why: str = ""
    by_person: bool = False
    customer_facing: bool = False
    acknowledged_by: str = ""
    assignee: str = ""
    failed_at: datetime | None = None
    resolved_by: str = ""
    running: bool = False
    is_sick: bool = False
    is_check: bool = False
    resumed_as: str = ""

    @property
    def is_open(self) -> bool:
        """Do people have to care?"""
        return self.state in AT_WORK and not self.is_check and (self.is_sick or self.running)


def life_of(events: Sequence[Event]) -> Life:
    """From the events of one incident, the first of which opened it."""
    return deque(lives_of(events), maxlen=1).pop()


def lives_of(events: Sequence[Event]) -> Iterator[Life]:
    """Where it stood after each of its events."""
    first = events[0]
    told = first.payload
    life = Life(
        incident_id=first.incident_id,
        incident=_text(told, "incident"),
        inventory=_text(told, "inventory"),
        limit=_text(told, "limit"),
        target=_text(told, "target") or _text(told, "inventory"),
        title=_text(told, "title"),
        opened_at=_time(first),
        since=_time(first),
        severity=_text(told, "severity") or UNASSESSED,
        is_sick=bool(told.get("opened_by")),
        is_check=told.get("check") is True,
    )
    said: bool | None = None  # whether customers see it, where somebody said so
    for event in events:
        life = _with(life, event)
        if "customer_facing" in event.payload:
            said = event.payload["customer_facing"] is True
        yield replace(life, customer_facing=life.severity in _CUSTOMERS if said is None else said)


def refusal(life: Life, kind: str, by: str = "") -> str:
    """Why a person may not do this now, in one sentence; empty when it is legal."""
    attempt = f"cannot {_DONE.get(kind, kind)} {life.incident_id}"
    if life.is_check:
        return f"{attempt}: it is the record of a run with --check, and no incident"
    if life.resumed_as:
        return f"{attempt}: it was cut off, and {life.resumed_as} goes on with it; use that one"
    if life.state not in MOVES[kind]:
        where = f"it is {life.state} since {life.since:%Y-%m-%d %H:%M:%S} UTC"
        who = f" (by {life.resolved_by})" if life.resolved_by and life.state == "resolved" else ""
        legal = ", ".join(MOVES[kind])
        return f"{attempt}: {where}{who}, and that can be done while it is {legal}{_advice(life, kind)}"
    if kind == "acknowledged" and life.acknowledged_by:
        same = " already" if life.acknowledged_by == by else ""
        return f"{attempt}: {life.acknowledged_by} has{same} acknowledged it"
    return ""


def run_is_open(events: Iterable[Event]) -> bool:
    """Has a run begun whose end is not in the record?"""
    running = False
    for event in events:
        running = _running(running, event)
    return running


def _running(before: bool, event: Event) -> bool:
    if event.kind in BEGUN:
        return before or (not event.payload.get("opened_by") and not event.payload.get("stopped"))
    return before and event.kind not in ("closed", "interrupted", "waiting")


def _with(life: Life, event: Event) -> Life:
    """One event later."""
    change = _CHANGES.get(event.kind)
    if change is not None and event.kind in MOVES and life.state not in MOVES[event.kind]:
        change = None  # it is in the record, and was not legal: it counts for nothing
    after = replace(life, running=_running(life.running, event))
    if change is not None:
        after = change(after, event)
    state = MOVES.get(event.kind, {}).get(life.state, after.state)
    after = replace(after, state=state)
    return after if state == life.state else replace(after, since=_time(event))


def _assessed(life: Life, event: Event) -> Life:
    payload = event.payload
    hosts = payload.get("hosts")
    target = ", ".join(map(str, hosts)) if isinstance(hosts, list) and hosts else life.target
    life = replace(life, target=target, is_sick=life.is_sick or has_symptom(payload))
    if life.by_person or not payload.get("severity"):
        return life
    return replace(life, severity=_text(payload, "severity"), why=_text(payload, "why"))


def _closed(life: Life, event: Event) -> Life:
    """A run ended. Where the error rate is not back to what it was before, people go on looking."""
    outcome, severity = _text(event.payload, "outcome"), _text(event.payload, "severity")
    if severity and not life.by_person:
        life = replace(life, severity=severity)
    if outcome == "resumed":
        return replace(life, state="resolved", resumed_as=_text(event.payload, "resumed_as"))
    if outcome in ("recovered", "healthy"):
        back = event.payload.get("baseline") != "not-back"
        by = "the run" if back else ""
        state = "resolved" if back else "monitoring"
        return replace(life, state=state, failed_at=None, resolved_by=by)
    if outcome == "error" and not life.is_sick:
        return replace(life, state="resolved", resolved_by="an error before anything was seen")
    if outcome in _UNKNOWN:
        life = replace(life, is_sick=True)  # for all that anybody knows
    broke = "breaker-open" in (event.payload.get("obstacles") or ())
    gave_up = outcome in ("unresolved", "unverified") or broke
    state = "assessing" if life.state == "opened" and outcome in _UNKNOWN else life.state
    return replace(life, state=state, failed_at=_time(event) if gave_up else life.failed_at)


def _reopened(life: Life, event: Event) -> Life:
    return replace(
        life,
        opened_at=_time(event),
        acknowledged_by="",
        failed_at=None,
        resolved_by="",
        is_sick=True,
        why=_text(event.payload, "reason") or life.why,
    )


def _severity(life: Life, event: Event) -> Life:
    severity = _text(event.payload, "to") or life.severity
    return replace(life, severity=severity, why=_text(event.payload, "reason"), by_person=True)


def _acknowledged(life: Life, event: Event) -> Life:
    """Who was first has it."""
    return replace(life, acknowledged_by=life.acknowledged_by or _text(event.payload, "by") or "somebody")


_CHANGES: Mapping[str, Callable[[Life, Event], Life]] = {
    "assessed": _assessed,
    "closed": _closed,
    "waiting": _closed,
    "reopened": _reopened,
    "severity": _severity,
    "acknowledged": _acknowledged,
    "assigned": lambda life, event: replace(life, assignee=_text(event.payload, "to")),
    "resolved": lambda life, event: replace(
        life, failed_at=None, resolved_by=_text(event.payload, "by") or "somebody"
    ),
}


def has_symptom(assessed: Mapping[str, Any]) -> bool:
    """Did a diagnosis find one?"""
    findings = assessed.get("findings")
    return isinstance(findings, list) and any(
        isinstance(one, Mapping) and one.get("kind", "symptom") not in ("obstacle", "context")
        for one in findings
    )


def _advice(life: Life, kind: str) -> str:
    if kind in ("acknowledged", "assigned", "severity", "resolved") and life.state in (
        "resolved",
        "reviewed",
    ):
        return f"; first: saveit-remediate reopen {life.incident_id} --reason TEXT"
    return ""


def _text(payload: Mapping[str, Any], key: str) -> str:
    value = payload.get(key)
    return "" if value is None else str(value)


def _time(event: Event) -> datetime:
    return datetime.fromisoformat(event.at)
