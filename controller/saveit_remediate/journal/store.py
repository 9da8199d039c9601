"""The database under the journal: one engine, and the statements. SQLite and PostgreSQL alike."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, Subquery, create_engine, event, func, make_url, or_, select
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from saveit_remediate.errors import UnreachableError, UsageError
from saveit_remediate.journal.event import Draft, Event, Head, Row, chained, draft, seal_of
from saveit_remediate.journal.schema import events, head
from saveit_remediate.settings import without_password

BEGUN = ("opened", "went-on", "joined")
ENDED = ("closed", "interrupted")
_BUSY_SECONDS = 5.0  # for SQLite, whose writers are few and quick
_CONNECT_SECONDS = 3
_ANSWER_SECONDS = 10.0
PAGE = 500  # events
_SERVER_LIMITS = "-c statement_timeout=8000 -c lock_timeout=5000"  # milliseconds

_Found = TypeVar("_Found")
_EVENT = (
    events.c.incident_id,
    events.c.sequence,
    events.c.at,
    events.c.kind,
    events.c.payload,
    events.c.previous,
    events.c.hash,
)


def engine_of(where: str, writes: bool, attempt: str) -> Engine:
    """The engine of a path or of a URL; nothing is opened yet. Raises UsageError, without the password."""
    if "://" not in where:
        return _sqlite(URL.create("sqlite", database=where), writes)
    sentence = (
        f"{attempt}: it must be postgresql://USER@HOST:PORT/DATABASE; in a password / @ : ? # % are written "
        "%2F %40 %3A %3F %23 %25"
    )
    if without_password(where).endswith("…"):
        raise UsageError(sentence)
    try:
        url = make_url(where).set(drivername="postgresql+psycopg")
        limits = {
            "connect_timeout": _CONNECT_SECONDS,
            "tcp_user_timeout": 5000,
            "application_name": "saveit-remediate",
            "options": _SERVER_LIMITS,
        }
        given = {name: value for name, value in limits.items() if name not in url.query}
        return create_engine(url, pool_size=1, max_overflow=0, connect_args=given, hide_parameters=True)
    except (ArgumentError, ValueError):  # their words may repeat the URL, password and all
        raise UsageError(sentence) from None


def _sqlite(url: URL, writes: bool) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _opened(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, and not by the driver
        if writes:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        """IMMEDIATE for who writes, so that two controllers do not number their events alike."""
        writer = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    return engine


def run(
    engine: Engine,
    work: Callable[[Connection], _Found],
    writes: bool = False,
    seconds: float | None = None,
) -> _Found:
    """Do `work` in one transaction; once more on a new connection when the old one was lost.

    So whatever writes must be right when it is done twice. Raises DBAPIError.
    """
    try:
        return _once(engine, work, writes, seconds)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    return _once(engine, work, writes, seconds)


def _once(
    engine: Engine, work: Callable[[Connection], _Found], writes: bool, seconds: float | None
) -> _Found:
    with engine.connect() as opened, _limit(opened, seconds or _ANSWER_SECONDS):
        options: dict[str, Any] = {"writes": writes}
        if not writes and engine.dialect.name == "postgresql":  # one moment for all that is read
            options["isolation_level"] = "REPEATABLE READ"
        connection = opened.execution_options(**options)
        with connection.begin():
            return work(connection)


@contextmanager
def _limit(connection: Connection, seconds: float) -> Iterator[None]:
    """A server that is silent for too long: its connection is cut, which ends the wait with an error."""
    if connection.dialect.name == "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    own = socket.socket(fileno=os.dup(driver.fileno()))
    timer = threading.Timer(seconds, _cut, [own])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        own.close()


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it was closed in this moment
        connection.shutdown(socket.SHUT_RDWR)


def reason(error: DBAPIError) -> str:
    """The database's own words, in one line; SQLAlchemy's would repeat the statement."""
    return " ".join(str(error.orig).split())


def head_of(connection: Connection, writes: bool = False) -> Head | None:
    found = select(head.c.position, head.c.seal)
    row = connection.execute(found.with_for_update() if writes else found).first()
    return Head(row.position, row.seal) if row else None


def put(connection: Connection, one: Draft) -> Event:
    """Add an event to its incident, unless it is there already. The head is locked: one writer at a time."""
    last = head_of(connection, writes=True)
    if last is None:
        raise UnreachableError("its head record is missing: saveit-remediate journal verify")
    there = connection.execute(select(*_EVENT).where(events.c.token == one.token)).first()
    if there:
        return event_of(there)
    before = connection.execute(
        select(events.c.sequence, events.c.hash)
        .where(events.c.incident_id == one.incident_id)
        .order_by(events.c.sequence.desc())
        .limit(1)
    ).first()
    added = chained(one, before.sequence + 1 if before else 1, before.hash if before else "")
    insert(connection, last, one.token, added, one.payload)
    return added


@dataclass(frozen=True)
class Pages:
    """The journal as it stands within one transaction in which nobody else writes."""

    connection: Connection

    def incidents(self) -> list[str]:
        """The ids of all incidents, oldest first."""
        return incidents(self.connection)

    def events(self, incident_id: str) -> list[Event]:
        return events_of(self.connection, incident_id)


def decide(
    connection: Connection,
    token: str,
    work: Callable[[Pages], tuple[str, str, Mapping[str, Any]]],
    at: datetime,
) -> Event:
    """Add what `work` makes of the journal: the incident, the kind and the payload. It may raise instead."""
    if head_of(connection, writes=True) is None:  # locked: what is read now holds until the event is there
        raise UnreachableError("its head record is missing: saveit-remediate journal verify")
    there = connection.execute(select(*_EVENT).where(events.c.token == token)).first()
    if there:  # the commit arrived, and its answer did not
        return event_of(there)
    return put(connection, draft(token, *work(Pages(connection)), at))


def insert(connection: Connection, last: Head, token: str, added: Event, payload: str) -> Head:
    """Put the event behind the last one, and move the head."""
    position = last.position + 1
    seal = seal_of(last, position, token, added.hash)
    values = {name: value for name, value in vars(added).items() if name != "payload"}
    connection.execute(
        events.insert().values(**values, payload=payload, position=position, seal=seal, token=token)
    )
    connection.execute(head.update().values(position=position, seal=seal))
    return Head(position, seal)


def has_token(connection: Connection, token: str) -> bool:
    return connection.execute(select(events.c.token).where(events.c.token == token)).first() is not None


def events_of(connection: Connection, incident_id: str) -> list[Event]:
    rows = select(*_EVENT).where(events.c.incident_id == incident_id).order_by(events.c.sequence)
    return [event_of(row) for row in connection.execute(rows)]


def incidents(connection: Connection) -> list[str]:
    return sorted(connection.execute(select(events.c.incident_id).distinct()).scalars())


def unended(connection: Connection) -> list[str]:
    """Incidents whose last run has no end in the record."""
    begun, ended = _last(BEGUN), _last(ENDED)
    found = (
        select(events.c.incident_id)
        .distinct()
        .outerjoin(begun, events.c.incident_id == begun.c.incident_id)
        .outerjoin(ended, events.c.incident_id == ended.c.incident_id)
        .where(or_(ended.c.last.is_(None), begun.c.last > ended.c.last))
    )
    return sorted(connection.execute(found).scalars())


def _last(kinds: tuple[str, ...]) -> Subquery:
    """By incident the number of its last event of these kinds."""
    last = func.max(events.c.sequence).label("last")
    return (
        select(events.c.incident_id, last)
        .where(events.c.kind.in_(kinds))
        .group_by(events.c.incident_id)
        .subquery()
    )


def page(connection: Connection, after: int | None) -> tuple[list[tuple[Row, str]], Head | None]:
    """The next events in the order of the journal, each with its payload as it is stored; and the head."""
    wanted = select(*_EVENT, events.c.position, events.c.seal, events.c.token).order_by(events.c.position)
    if after is not None:
        wanted = wanted.where(events.c.position > after)
    found = [
        (Row(row.position, row.seal, row.token, event_of(row)), row.payload)
        for row in connection.execute(wanted.limit(PAGE))
    ]
    return found, head_of(connection)


def event_of(row: Any) -> Event:
    """A payload that is no JSON is given as it is; its hash will not fit."""
    try:
        payload = json.loads(row.payload)
    except ValueError:
        payload = {"unreadable": row.payload}
    return Event(row.incident_id, row.sequence, row.at, row.kind, payload, row.previous, row.hash)


def try_to_write(connection: Connection) -> None:
    """A write that leaves nothing behind."""
    connection.execute(head.update().values(position=head.c.position))


def exists(where: str) -> bool:
    return "://" in where or Path(where).exists()
