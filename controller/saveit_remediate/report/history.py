"""What the journal tells about past incidents."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from saveit_remediate.journal import Event, Journal
from saveit_remediate.journal.chain import chain_break
from saveit_remediate.journal.controller import is_gone

# Where a run begins, goes on or ends; people and channels add to the record at any time.
_RUN = ("opened", "went-on", "waiting", "closed", "interrupted")


@dataclass(frozen=True)
class Summary:
    """One line about an incident. `outcome` is "waiting" for an approval, and "unfinished" without an end."""

    incident_id: str
    incident: str
    opened: str
    severity: str
    outcome: str
    sentence: str


def summarize(events: Sequence[Event]) -> Summary:
    """From the first and the last event of one incident."""
    first, last = events[0], events[-1]
    # What is put back later, and the post-mortem, are added to the record of the incident after its end.
    closed = next((event.payload for event in reversed(events) if event.kind == "closed"), {})
    if waits(events):
        closed = {**[event for event in events if event.kind == "waiting"][-1].payload, "outcome": "waiting"}
    return Summary(
        incident_id=first.incident_id,
        incident=str(first.payload.get("incident", "")),
        opened=first.at,
        severity=str(closed.get("severity") or ""),
        outcome=str(closed.get("outcome") or "unfinished"),
        sentence=str(closed.get("sentence") or f"the record ends with {last.kind}"),
    )


def summaries(journal: Journal) -> list[Summary]:
    """All incidents, newest first."""
    found = (journal.events(incident_id) for incident_id in reversed(journal.incidents()))
    return [summarize(events) for events in found if events]


def unfinished(journal: Journal, now: datetime) -> list[Summary]:
    """Incidents whose record has no end, and that nobody works on any more, oldest first."""
    found = (journal.events(incident_id) for incident_id in journal.unended())
    return [summarize(events) for events in found if events and is_abandoned(events, now)]


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
    return last_step(events) == "waiting"


def last_step(events: Sequence[Event]) -> str:
    """Where its run is: the kind of the last event of `_RUN`, or ""."""
    return next((event.kind for event in reversed(events) if event.kind in _RUN), "")


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
