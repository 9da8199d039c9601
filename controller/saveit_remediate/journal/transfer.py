"""The journal as JSON lines: one for each event; the last one is the head, which says that it is whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from saveit_remediate.errors import RefusedError, UsageError
from saveit_remediate.journal.chain import verify
from saveit_remediate.journal.event import Event, Head, Row, canonical

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ROW = ("position", "seal", "token")


def to_lines(rows: Iterable[tuple[Row, str]], head: Head | None) -> Iterator[str]:
    """What `from_lines` reads."""
    for row, _stored in rows:
        yield canonical({**asdict(row.event), **{name: getattr(row, name) for name in _ROW}})
    yield canonical({"head": asdict(head) if head else None})


def from_lines(lines: Iterable[str], name: str) -> list[Row]:
    """The events of a whole and untouched export; `name` is for the messages.

    Raises UsageError for what is no export, RefusedError with the first bad event for a broken chain.
    """
    rows: list[Row] = []
    head: Head | None = None
    for number, line in enumerate(lines, start=1):
        where = f"line {number} of {name}"
        if head is not None:
            raise RefusedError(f"cannot import {where}: it comes after the head, which is the last line")
        try:
            fields = json.loads(line)
            if "head" in fields:
                head = Head(int(fields["head"]["position"]), str(fields["head"]["seal"]))
                continue
            place = {key: fields.pop(key) for key in _ROW}
            rows.append(_row(place, fields))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise UsageError(
                f"cannot import {where}: it is no event; saveit-remediate journal export writes them"
            ) from error
    if head is None:
        raise RefusedError(f"cannot import {name}: its last line, the head, is missing; it was cut off")
    verdict = verify(((row, canonical(row.event.payload)) for row in rows), head)
    if verdict.bad:
        raise RefusedError(f"cannot import {name}: its chain is broken: {verdict.bad}")
    return rows


def add(connection: Connection, rows: Iterable[Row]) -> int:
    """Add what is not there yet, all or nothing; returns how many. Raises RefusedError."""
    from saveit_remediate.journal import store

    last = store.head_of(connection, writes=True)
    if last is None:
        raise RefusedError("cannot import: the head record of this journal is missing")
    there: dict[str, list[Event]] = {}
    count = 0
    for row in rows:
        event = row.event
        known = there.setdefault(event.incident_id, store.events_of(connection, event.incident_id))
        if event.sequence <= len(known):
            if known[event.sequence - 1] == event:
                continue
            raise RefusedError(_differs(event))
        if event.previous != (known[-1].hash if known else "") or store.has_token(connection, row.token):
            raise RefusedError(_differs(event))
        last = store.insert(connection, last, row.token, event, canonical(event.payload))
        known.append(event)
        count += 1
    return count


def _differs(event: Event) -> str:
    return (
        f"cannot import: incident {event.incident_id} is in this journal with another content, "
        f"from event {event.sequence} on; nothing was imported"
    )


def _row(place: dict[str, Any], fields: dict[str, Any]) -> Row:
    event = Event(**fields)
    texts = (event.incident_id, event.at, event.kind, event.previous, event.hash)
    whole = type(event.sequence) is int and type(place["position"]) is int and isinstance(event.payload, dict)
    if (
        not whole
        or not isinstance(place["token"], str)
        or not all(isinstance(one, str) and "\0" not in one for one in texts)
    ):
        raise TypeError
    return Row(**place, event=event)
