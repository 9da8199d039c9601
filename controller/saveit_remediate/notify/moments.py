"""What an incident has had to say so far. Pure: from the events alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from saveit_remediate.incident_life import Life, has_symptom, life_of, lives_of
from saveit_remediate.journal import Event

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
_GOOD = ("recovered", "healthy", None)  # None: a person resolved it
_CUT_OFF = ("refused", "error", "interrupted")


@dataclass(frozen=True)
class Moment:
    """Something to tell: `mark` names it within its incident, and is the same whenever it is computed."""

    what: str
    mark: str
    at: datetime
    sentence: str
    life: Life
    contacts: tuple[str, ...] = ()  # who is called, besides the audiences
    about: str = ""  # the channel that it comes from, which is not told


def moments(events: Sequence[Event]) -> list[Moment]:
    """In order. A run in check mode, and a look at a healthy service, have nothing to say."""
    if not events or life_of(events[:1]).is_check:
        return []
    return list(_moments(events))


def _moments(events: Sequence[Event]) -> Iterator[Moment]:
    told = over = False
    for event, life in zip(events, lives_of(events), strict=True):
        what = _what(event, told)
        if event.kind in ("closed", "resolved") and not what:
            ended = life.state == "resolved" and event.payload.get("outcome") in _GOOD
            what = "resolved" if told and ended and not over else ""
        if not what:
            continue
        if what == "unresolved" and not told:
            yield _moment("opened", event, life)
        yield _moment(what, event, life)
        told, over = True, what == "resolved" or (over and what != "reopened")


def _what(event: Event, told: bool) -> str:
    """What an event alone says; that it is over, only its life tells."""
    payload = event.payload
    if event.kind == "opened":
        return "opened" if payload.get("opened_by") else ""
    if event.kind == "assessed":
        return "opened" if has_symptom(payload) and not told else ""
    if event.kind == "closed":
        return "unresolved" if _is_bad(payload, told) else ""
    if event.kind == "given-up":
        return "given-up" if payload.get("what") != "given-up" else ""
    if event.kind == "reopened":
        return "reopened"
    return _TOLD_AS.get(event.kind, "") if told else ""


def _is_bad(closed: Mapping[str, Any], told: bool) -> bool:
    """Did a run end with the service still sick, or with nobody knowing?

    Where no symptom was told of, not because somebody else is at work, an option was wrong, or a person
    interrupted it.
    """
    outcome = closed.get("outcome")
    if outcome in ("unresolved", "unverified", "unreachable"):
        return True
    return (told and outcome in _CUT_OFF) or (outcome == "refused" and not closed.get("obstacles"))


def _moment(what: str, event: Event, life: Life) -> Moment:
    payload = event.payload
    words = payload.get("sentence") or payload.get("text") or payload.get("reason") or event.kind
    host, remedy = payload.get("host"), payload.get("remedy")
    sentence = f"{remedy} on {host}: {words}" if event.kind == "remedy-finished" else str(words)
    to = tuple(map(str, payload.get("contacts") or ())) if what == "escalated" else ()
    about = str(payload.get({"given-up": "channel", "acknowledged": "via"}.get(what, "")) or "")
    mark = f"{what}-{event.sequence}"
    return Moment(what, mark, datetime.fromisoformat(event.at), sentence, life, to, about)
