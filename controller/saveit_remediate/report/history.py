"""What the journal tells about past incidents."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from saveit_remediate.incident_life import AT_WORK, BEGUN, life_of, run_is_open
from saveit_remediate.journal import Event, Journal
from saveit_remediate.journal.chain import chain_break
from saveit_remediate.journal.controller import is_gone

_WORDS = ("closed", "interrupted", "waiting", "reopened", "resolved")


@dataclass(frozen=True)
class Summary:
    """One line about an incident; `state` and `assignee` are those of its life.

    `outcome` is how its last run ended, or what a person said since: reopened or resolved. It is "waiting"
    for an approval, "unfinished" without an end, and "open" when a person opened it and nothing ran yet.
    """

    incident_id: str
    incident: str
    opened: str
    severity: str
    outcome: str
    sentence: str
    state: str = ""
    assignee: str = ""


def summarize(events: Sequence[Event]) -> Summary:
    """What the events of one incident come to."""
    first, last, life = events[0], events[-1], life_of(events)
    # What is put back later, and what people add, is in the record of the incident after its end.
    told = next((event for event in reversed(events) if event.kind in _WORDS), None)
    payload: Mapping[str, Any] = told.payload if told else {}
    outcome = str(payload.get("outcome") or (told.kind if told else "unfinished"))
    if waits(events):
        outcome = "waiting"
    sentence = str(payload.get("sentence") or payload.get("reason") or f"the record ends with {last.kind}")
    if run_is_open(events):
        outcome, sentence = "unfinished", f"the record ends with {last.kind}"
    elif told is None and first.payload.get("opened_by"):
        outcome, sentence = "open", str(first.payload.get("sentence") or "")
    return Summary(
        incident_id=first.incident_id,
        incident=str(first.payload.get("incident", "")),
        opened=first.at,
        severity=life.severity if told or life.by_person else str(first.payload.get("severity") or ""),
        outcome=outcome,
        sentence=sentence,
        state="" if life.is_check else life.state,
        assignee=life.assignee,
    )


def summaries(journal: Journal) -> list[Summary]:
    """All incidents, newest first."""
    found = (journal.events(incident_id) for incident_id in reversed(journal.incidents()))
    return [summarize(events) for events in found if events]


def matching(
    found: Sequence[Summary], incident: str, severities: Sequence[str], state: str, since: datetime | None
) -> list[Summary]:
    """Those of a type, of some severities, in a state ("open": any before resolved), opened since; or all."""
    states = AT_WORK if state == "open" else (state,)
    return [
        one
        for one in found
        if incident in ("", one.incident)
        and (not severities or one.severity in severities)
        and (not state or one.state in states)
        and (since is None or datetime.fromisoformat(one.opened) >= since)
    ]


def unfinished(journal: Journal, now: datetime) -> list[Summary]:
    """Incidents whose record has no end, and that nobody works on any more, oldest first."""
    found = (journal.events(incident_id) for incident_id in journal.unended())
    return [
        summarize(events)
        for events in found
        if events and (run_is_open(events) or waits(events)) and is_abandoned(events, now)
    ]


def is_abandoned(events: Sequence[Event], now: datetime) -> bool:
    """Is the controller that kept this record gone?"""
    try:
        return is_gone(controller_of(events), datetime.fromisoformat(events[-1].at), now)
    except (ValueError, TypeError):  # somebody changed the record
        return True


def controller_of(events: Sequence[Event]) -> Mapping[str, Any]:
    """Who kept this record last; empty when it does not say."""
    found = [event.payload["controller"] for event in events if "controller" in event.payload]
    return found[-1] if found and isinstance(found[-1], Mapping) else {}


def waits(events: Sequence[Event]) -> bool:
    """Did its run end for want of an approval, and has nobody gone on since?"""
    kinds = [event.kind for event in events if event.kind in (*_WORDS, *BEGUN)]
    return bool(kinds) and kinds[-1] == "waiting"


def still_changed(events: Sequence[Event]) -> list[Mapping[str, Any]]:
    """Temporary changes of an incident that nobody has put back, as far as the record knows."""
    found: dict[str, Mapping[str, Any]] = {}
    for event in events:
        if event.kind == "still-changed" and isinstance(event.payload.get("changes"), list):
            host = event.payload.get("host", "")
            for one in filter(lambda one: isinstance(one, Mapping), event.payload["changes"]):
                found[str(one.get("id"))] = {"target": host, **one}
        elif event.kind == "put-back":
            found.pop(str(event.payload.get("id")), None)
    return list(found.values())


def life_line(events: Sequence[Event]) -> str:
    """Where an incident stands, and who has it."""
    life = life_of(events)
    if life.is_check:
        return "a run with --check, and no incident"
    words = [f"{life.state}, {life.severity}"]
    words += [f"acknowledged by {life.acknowledged_by}"] if life.acknowledged_by else []
    words += [f"assigned to {life.assignee}"] if life.assignee else []
    return ", ".join(words)


def timeline_data(events: Sequence[Event]) -> dict[str, Any]:
    """The record of one incident as JSON data."""
    return {
        **dataclasses.asdict(summarize(events)),
        "chain_intact": chain_break(events) is None,
        "changes": still_changed(events),
        "events": [dataclasses.asdict(event) for event in events],
    }


def timeline_lines(events: Sequence[Event]) -> list[tuple[str, str, str]]:
    """For a pipe: (at, kind, sentence)."""
    return [(event.at, event.kind, str(event.payload.get("sentence", ""))) for event in events]
