"""Is every event there, as it was written and where it was written? Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from saveit_remediate.journal.event import Event, Head, Row, canonical, hash_of, seal_of


@dataclass(frozen=True)
class Verdict:
    """`bad` is empty, or says in one sentence which event is the first that is wrong."""

    events: int
    incidents: int
    head: Head
    bad: str = ""


def verify(rows: Iterable[tuple[Row, str]], head: Head | None) -> Verdict:
    """Follow the chain, in the order of the journal; each row comes with its payload as it is stored."""
    last, count = Head(), 0
    ends: dict[str, Event] = {}
    where = "at the beginning"
    for row, stored in rows:
        event, before = row.event, ends.get(row.event.incident_id)
        this = f"event {event.sequence} of incident {event.incident_id} (position {row.position})"
        wrong = ""
        if row.position != last.position + 1:
            wrong = (
                f"position {last.position + 1} of the journal, {where}, was removed or moved; next is {this}"
            )
        elif event.hash != hash_of(event) or stored != canonical(event.payload):
            wrong = f"{this} was changed"
        elif event.sequence != (before.sequence if before else 0) + 1 or event.previous != (
            before.hash if before else ""
        ):
            wrong = f"{this} does not follow the one before it in its incident: one was removed or moved"
        elif row.seal != seal_of(last, row.position, row.token, event.hash):
            wrong = f"{this} was changed or moved"
        if wrong:
            return Verdict(count, len(ends), last, wrong)
        last, count, where = Head(row.position, row.seal), count + 1, f"after {this}"
        ends[event.incident_id] = event
    return Verdict(count, len(ends), last, _wrong_end(last, head, where))


def _wrong_end(last: Head, head: Head | None, where: str) -> str:
    if head is None:
        return f"the head record, which says where the journal ends, was removed; the last event is {where}"
    if head.position > last.position:
        return (
            f"position {last.position + 1} of the journal, {where}, was removed: "
            f"there were {head.position} events, and {last.position} are left"
        )
    if head != last:
        return f"the head record does not fit the last event, {where}: one of them was changed"
    return ""


def chain_break(events: Sequence[Event]) -> int | None:
    """Of one incident: the first event that was changed, removed or moved, by its number; else None."""
    previous = ""
    for number, event in enumerate(events, start=1):
        if event.sequence != number or event.previous != previous or event.hash != hash_of(event):
            return number
        previous = event.hash
    return None
