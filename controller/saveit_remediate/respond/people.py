"""What people do with an incident: each deed is one event, written only while it is legal."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from saveit_remediate.catalog.policy_severities import Severities
from saveit_remediate.errors import RefusedError
from saveit_remediate.incident_life import Life, life_of, refusal
from saveit_remediate.journal import Event, Journal, new_incident_id
from saveit_remediate.report.history import is_abandoned
from saveit_remediate.respond.opening import open_incident

if TYPE_CHECKING:
    from saveit_remediate.journal.store import Pages

_LONGEST = 20_000  # characters of a note: more is a log, and belongs elsewhere


@dataclasses.dataclass(frozen=True)
class NewIncident:
    """What a person opens. `severity` is empty where nobody can say yet; `inventory` where it is unknown."""

    incident: str
    title: str
    by: str
    inventory: str = ""
    limit: str = ""
    severity: str = ""
    customer_facing: bool | None = None


def tell(
    journal: Journal, incident_id: str, kind: str, payload: Mapping[str, Any], now: datetime
) -> tuple[Event, Life]:
    """Write a person's deed, and give where the incident stood before it.

    Of two at once one is first, and the other is judged by what that one did. Raises RefusedError.
    """
    before: list[Life] = []

    def work(pages: Pages) -> tuple[str, str, Mapping[str, Any]]:
        events = pages.events(incident_id)
        life = life_of(events)
        before[:] = [life]
        why = refusal(life, kind, str(payload.get("by") or ""))
        if not why and kind == "resolved" and life.running and not is_abandoned(events, now):
            why = f"cannot resolve {incident_id}: a run is at work on it; wait for its end, or stop it"
        if not why and kind == "severity" and payload.get("to") == life.severity and life.by_person:
            why = f"cannot change the severity of {incident_id}: it is {life.severity} already"
        if why:
            raise RefusedError(why)
        return incident_id, kind, {**payload, **({"from": life.severity} if kind == "severity" else {})}

    return journal.decide(work, now), before[0]


def open_by_hand(
    journal: Journal, new: NewIncident, severities: Severities, now: datetime, random: str
) -> Event:
    """Open an incident, or say which one is open for its target. Raises RefusedError."""

    def work(pages: Pages) -> tuple[str, str, Mapping[str, Any]]:
        found = open_incident(pages, new.incident, new.inventory, new.limit, now)
        if found is not None:
            raise RefusedError(
                f"cannot open another incident {new.incident} on {new.inventory}: {found.incident_id} is "
                f"{found.state}; saveit-remediate note {found.incident_id} TEXT adds to it"
            )
        payload = dataclasses.asdict(new)
        facing = payload.pop("customer_facing")
        if facing is not None:
            payload["customer_facing"] = facing
        due = severities.respond_by(new.severity, now)
        payload |= {"opened_by": payload.pop("by"), "user": new.by, "respond_by": due and due.isoformat()}
        sentence = f"opened by {new.by or 'a person'}: {new.title}"
        return new_incident_id(new.incident, now, random), "opened", {"sentence": sentence, **payload}

    return journal.decide(work, now)


def note_text(text: str) -> str:
    """A note as it is kept: what is far too long is cut, and says so."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}… (cut: it had {len(text)} characters)"
