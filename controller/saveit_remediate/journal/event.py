"""What is written: events, and the hashes that chain them. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from saveit_remediate.redact import redact_data


@dataclass(frozen=True)
class Event:
    """`at` is UTC, ISO 8601 with microseconds; `hash` covers all the other fields."""

    incident_id: str
    sequence: int
    at: str
    kind: str
    payload: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True)
class Draft:
    """An event that has no place in the chain yet. `token` is its own: who delivers it twice adds it once."""

    token: str
    incident_id: str
    at: str
    kind: str
    payload: str  # canonical JSON


@dataclass(frozen=True)
class Head:
    """What the last event of the journal is: its position, counted from 1, and its seal."""

    position: int = 0
    seal: str = ""


@dataclass(frozen=True)
class Row:
    """An event where it lies: `position` counts all of the journal, `seal` covers all up to this one."""

    position: int
    seal: str
    token: str
    event: Event


def draft(token: str, incident_id: str, kind: str, payload: Mapping[str, Any], at: datetime) -> Draft:
    """The event to write, without secrets. Its words are ASCII, which every database keeps as they are."""
    stamp = at.astimezone(UTC).isoformat(timespec="microseconds")
    word = kind.replace("\0", "").encode("ascii", "backslashreplace").decode()
    return Draft(token, incident_id, stamp, word, canonical(redact_data(payload)))


def chained(one: Draft, sequence: int, previous: str) -> Event:
    """The event after the one with the hash `previous`."""
    # From JSON: what is hashed is what a reader will get.
    event = Event(one.incident_id, sequence, one.at, one.kind, json.loads(one.payload), previous, "")
    return replace(event, hash=hash_of(event))


def new_incident_id(incident: str, at: datetime, random: str) -> str:
    """Short, sortable, readable: `20261123-084335-redis-3f2a`; `random` is four hexadecimal digits."""
    safe = re.sub(r"[^a-z0-9-]", "", incident.lower())
    return f"{at.astimezone(UTC):%Y%m%d-%H%M%S}-{safe}-{random}"


def canonical(value: Any) -> str:
    """JSON that is the same text for the same content. What JSON cannot say becomes text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)


def hash_of(event: Event) -> str:
    """SHA-256 over everything but the hash itself."""
    fields = [event.incident_id, event.sequence, event.at, event.kind, event.payload, event.previous]
    return hashlib.sha256(canonical(fields).encode()).hexdigest()


def seal_of(before: Head, position: int, token: str, digest: str) -> str:
    """SHA-256 over the seal before, and the place, the token and the hash of the event."""
    return hashlib.sha256(canonical([before.seal, position, token, digest]).encode()).hexdigest()
