"""The outbox: which notices an incident needs, and what became of each. Pure: from the events alone.

A notice is an event, and so is each attempt: `notice`, `sending`, then `sent`, `send-failed` or `given-up`;
`publish-agreed` and `publish-declined` are a person's word. The tokens make each of them unique in the
journal, so that of two processes that want to do the same, one does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from saveit_remediate.catalog.policy_contacts import Contact
from saveit_remediate.catalog.policy_notify import Channel, NotifyPolicy
from saveit_remediate.journal import Event
from saveit_remediate.notify.moments import Moment, moments

FRESH = timedelta(hours=24)  # older news are not told, and an attempt ends after so long
_CLAIM = timedelta(minutes=2)  # so long nobody else tries what one process is sending
_FIRST, _FACTOR, _LONGEST = 5.0, 3.0, 1800.0  # seconds between attempts
_ENDS = ("sent", "given-up", "publish-declined")


@dataclass(frozen=True)
class Notice:
    """One text for one channel. `contacts` are the people whom it is for, besides the channel's own."""

    key: str
    channel: str
    what: str
    moment: Moment
    contacts: tuple[str, ...] = ()


@dataclass
class Parcel:
    """A notice that is in the journal, and where it stands. `attempts` counts the claims."""

    key: str
    channel: str
    payload: Mapping[str, Any]
    at: datetime
    attempts: int = 0
    due: datetime | None = None
    asks: bool = False
    done: str = ""
    problem: str = ""

    def is_ready(self, now: datetime) -> bool:
        return not self.asks and (self.due is None or self.due <= now)


@dataclass(frozen=True)
class Outbox:
    """All parcels in order, and of each channel what it gave back and when it was last sent to."""

    parcels: tuple[Parcel, ...]
    known: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    last: Mapping[str, datetime] = field(default_factory=dict)

    def heads(self) -> list[Parcel]:
        """The next parcel of each channel: they stay in order, so that a thread reads as it happened."""
        found: dict[str, Parcel] = {}
        for parcel in self.parcels:
            if not parcel.done:
                found.setdefault(parcel.channel, parcel)
        return list(found.values())


def missing(
    events: Sequence[Event], policy: NotifyPolicy, contacts: Mapping[str, Contact], now: datetime
) -> list[Notice]:
    """The notices that no event has yet, in order."""
    there = {str(event.payload.get("key")) for event in events if event.kind == "notice"}
    told: set[str] = set()
    found = []
    for moment in moments(events):
        for name, people in _channels(moment, policy, contacts, told):
            told.add(name)
            key = f"{moment.life.incident_id}/{moment.mark}/{name}"
            if key not in there and now - moment.at < FRESH:
                found.append(Notice(key, name, moment.what, moment, people))
    return found


def _channels(
    moment: Moment, policy: NotifyPolicy, contacts: Mapping[str, Contact], told: set[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each channel that is told of it, and for which contacts. All who know of it are told its end."""
    life = moment.life
    audiences = {
        row.to for row in policy.table if row.takes(moment.what, life.severity, life.customer_facing)
    }
    for name, channel in policy.channels.items():
        people = tuple(one for one in moment.contacts if one in contacts and name in contacts[one].via)
        ended = moment.what in ("resolved", "reopened") and name in told
        if name != moment.about and (people or ended or channel.audience in audiences):
            yield name, people


def outbox_of(events: Sequence[Event], channels: Mapping[str, Channel]) -> Outbox:
    """Where each notice stands."""
    parcels: dict[str, Parcel] = {}
    known: dict[str, dict[str, Any]] = {}
    last: dict[str, datetime] = {}
    for event in events:
        payload, at = event.payload, datetime.fromisoformat(event.at)
        key = str(payload.get("key") or "")
        if event.kind == "notice":
            channel = str(payload.get("channel"))
            asks = channel in channels and channels[channel].asks
            parcels.setdefault(key, Parcel(key, channel, payload, at, asks=asks))
        parcel = parcels.get(key)
        if parcel is None:
            continue
        if event.kind == "sending":
            parcel.attempts, parcel.due = parcel.attempts + 1, at + _CLAIM
        elif event.kind == "send-failed":
            parcel.due, parcel.problem = datetime.fromisoformat(payload["next"]), str(payload.get("problem"))
        elif event.kind == "publish-agreed":
            parcel.asks = False
        elif event.kind in _ENDS:
            parcel.done = event.kind
        if event.kind == "sent":
            known.setdefault(parcel.channel, {}).update(payload.get("reference") or {})
            last[parcel.channel] = at
    return Outbox(tuple(parcels.values()), known, last)


def wait_seconds(attempts: int, after: float | None) -> float:
    """Until the next attempt: longer each time, or what the server asked for."""
    own = min(_FIRST * _FACTOR ** min(attempts - 1, 9), _LONGEST)
    return own if after is None else max(after, 1.0)


def token(*parts: object) -> str:
    """For an event that must be there once, whoever writes it."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]
