"""What an incident has had to say so far. Pure: from the events alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from saveit_remediate.journal import Event
from saveit_remediate.notify.state import UNRESOLVED, State, is_sick, state_of

# Events that are told as what they are.
_TOLD_AS = {
    "acknowledged": "acknowledged",
    "assigned": "assigned",
    "severity": "severity",
    "note": "note",
    "remedy-finished": "update",
    "approval-asked": "approval",
    "escalated": "escalated",
    "reminded": "reminder",
}


@dataclass(frozen=True)
class Moment:
    """Something to tell: `mark` names it within its incident, and is the same whenever it is computed."""

    what: str
    mark: str
    at: datetime
    sentence: str
    state: State
    contacts: tuple[str, ...] = ()  # who is called, besides the audiences
    about: str = ""  # the channel that it comes from, which is not told


def moments(events: Sequence[Event]) -> list[Moment]:
    """In order. A run in check mode, and a look at a healthy service, have nothing to say."""
    if not events or events[0].payload.get("check"):
        return []
    return list(_moments(events))


def _moments(events: Sequence[Event]) -> Iterator[Moment]:
    told = over = False
    for count, event in enumerate(events, start=1):
        what = _what(event, told, over)
        if not what:
            continue
        if what == "unresolved" and not told:
            yield _moment("opened", event, events[:count])
        yield _moment(what, event, events[:count])
        told, over = True, what == "resolved" or (over and what != "reopened")


def _what(event: Event, told: bool, over: bool) -> str:
    payload = event.payload
    if event.kind == "opened":
        return "opened" if payload.get("opened_by") else ""
    if event.kind == "assessed":
        return "opened" if is_sick(payload) and not told else ""
    if event.kind == "closed" and payload.get("outcome") in UNRESOLVED:
        return "unresolved"
    if event.kind in ("closed", "resolved"):
        good = event.kind == "resolved" or payload.get("outcome") in ("recovered", "healthy")
        return "resolved" if told and good and not over else ""
    if event.kind == "given-up":
        return "given-up" if payload.get("what") != "given-up" else ""
    if event.kind == "reopened":
        return "reopened"
    return _TOLD_AS.get(event.kind, "") if told else ""


def _moment(what: str, event: Event, so_far: Sequence[Event]) -> Moment:
    payload = event.payload
    words = payload.get("sentence") or payload.get("text") or payload.get("reason") or event.kind
    host, remedy = payload.get("host"), payload.get("remedy")
    sentence = f"{remedy} on {host}: {words}" if event.kind == "remedy-finished" else str(words)
    to = tuple(map(str, payload.get("contacts") or ())) if what == "escalated" else ()
    about = str(payload.get({"given-up": "channel", "acknowledged": "via"}.get(what, "")) or "")
    mark = f"{what}-{event.sequence}"
    return Moment(what, mark, datetime.fromisoformat(event.at), sentence, state_of(so_far), to, about)
