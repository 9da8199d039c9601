"""The open journal: what it is asked, and what becomes of an event that its server does not take."""

from __future__ import annotations

import functools
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from saveit_remediate.errors import RemediateError, UnreachableError, UsageError
from saveit_remediate.journal.event import Draft, Event, Head, Row, draft
from saveit_remediate.journal.spool import Spool

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from saveit_remediate.journal.store import Pages

_RETRY_SECONDS = 5.0


@dataclass
class Journal:
    """An open journal; made by `open_journal`. `name` is its path, or its URL without a password.

    With a `spool`, an event that the server does not take is kept there, and delivered before the next one.
    """

    name: str
    engine: Engine
    spool: Spool | None = None
    warn: Callable[[str], None] = lambda _sentence: None
    clock: Callable[[], float] = time.monotonic
    away: bool = False
    try_again: float = 0.0  # by the clock
    prepared: bool = True
    told: Callable[[str], None] = lambda _incident_id: None  # called when an incident has a new event

    def append(
        self, incident_id: str, kind: str, payload: Mapping[str, Any], at: datetime, token: str = ""
    ) -> Event | None:
        """Write one event, at once on disk; None when it was kept in the spool.

        An event with the `token` of one that is there is not written: that one is returned, whoever wrote it.
        Raises UnreachableError when it is nowhere.
        """
        one = draft(token or secrets.token_hex(16), incident_id, kind, payload, at)
        written = self._put(one)
        if written is not None:
            self.told(incident_id)
        return written

    def decide(self, work: Callable[[Pages], tuple[str, str, Mapping[str, Any]]], at: datetime) -> Event:
        """Write what `work` makes of the journal: the incident, the kind and the payload of an event.

        Nobody writes in between: what `work` saw holds. It may be called twice, and what it raises is raised.
        Raises UnreachableError when the journal is away: what waits in the spool decides nothing.
        """
        from saveit_remediate.journal import store

        token = secrets.token_hex(16)
        with self._saying("write to"):
            if self.away and self.clock() < self.try_again:
                raise UnreachableError("it was away a moment ago")
            if self.spool is not None:
                self.catch_up(self.spool)
            written = store.run(
                self.engine, lambda connection: store.decide(connection, token, work, at), writes=True
            )
        self.told(written.incident_id)
        return written

    def _put(self, one: Draft) -> Event | None:
        from sqlalchemy.exc import DBAPIError

        from saveit_remediate.journal import store

        if self.spool is None:
            with self._saying("write to"):
                return store.run(self.engine, lambda connection: store.put(connection, one), writes=True)
        if self.clock() >= self.try_again:
            try:
                self.catch_up(self.spool)
                return store.run(self.engine, lambda connection: store.put(connection, one), writes=True)
            except DBAPIError as error:
                self.is_away(store.reason(error))
            except RemediateError as error:
                self.is_away(str(error))
        self.spool.add(one)
        return None

    def events(self, incident_id: str) -> list[Event]:
        """The events of one incident, in order."""
        from saveit_remediate.journal import store

        with self._saying("read"):
            return store.run(self.engine, lambda connection: store.events_of(connection, incident_id))

    def incidents(self) -> list[str]:
        """The ids of all incidents, oldest first."""
        from saveit_remediate.journal import store

        with self._saying("read"):
            return store.run(self.engine, store.incidents)

    def unended(self) -> list[str]:
        """The ids of the incidents whose record has no end, oldest first."""
        from saveit_remediate.journal import store

        with self._saying("read"):
            return store.run(self.engine, store.unended)

    def whole(self) -> tuple[list[tuple[Row, str]], Head | None]:
        """All events in the order of the journal, each with its payload as it is stored; and the head."""
        from saveit_remediate.journal import store

        found: list[tuple[Row, str]] = []
        while True:
            after = found[-1][0].position if found else None
            with self._saying("read"):
                more, head = store.run(self.engine, functools.partial(store.page, after=after))
            found += more
            if len(more) < store.PAGE:
                return found, head

    def add(self, rows: list[Row]) -> int:
        """Add what was exported elsewhere; returns how many were not there. Raises RefusedError."""
        from saveit_remediate.journal import store, transfer

        with self._saying("write to"):
            return store.run(
                self.engine, lambda connection: transfer.add(connection, rows), writes=True, seconds=600
            )

    def find(self, prefix: str) -> str:
        """The id that begins so; "last" is the newest. Raises UsageError when none or several do."""
        ids = self.incidents()
        if not ids:
            raise UsageError(f"no incident is recorded in the journal {self.name}")
        if prefix == "last":
            return ids[-1]
        matches = [name for name in ids if name.startswith(prefix)]
        if prefix in matches:
            return prefix
        if not matches:
            raise UsageError(
                f"no incident {prefix!r} in the journal {self.name}; saveit-remediate incidents lists them"
            )
        if len(matches) > 1:
            some = ", ".join(matches[-3:])
            raise UsageError(f"{prefix!r} is the beginning of {len(matches)} incidents, for instance {some}")
        return matches[0]

    def close(self) -> None:
        """What is in the spool is tried once more; what cannot be delivered stays for the next command."""
        from sqlalchemy.exc import DBAPIError

        if self.spool is not None and self.spool.waiting():
            with suppress(DBAPIError, RemediateError):
                self.catch_up(self.spool)
        self.engine.dispose()

    def catch_up(self, spool: Spool) -> None:
        """Deliver what waits. Raises DBAPIError, UnreachableError."""
        from saveit_remediate.journal import schema, store

        if not self.prepared:
            store.run(self.engine, lambda connection: schema.prepare(connection, self.name), writes=True)
            self.prepared = True
        if not spool.waiting():
            return
        count = spool.deliver(
            lambda one: store.run(self.engine, lambda connection: store.put(connection, one), writes=True)
        )
        self.away = False
        if count:
            self.warn(f"{count} events that were kept in {spool.path} are in the journal {self.name} now")

    def is_away(self, why: str) -> None:
        self.try_again = self.clock() + _RETRY_SECONDS
        if not self.away and self.spool is not None:
            self.away = True
            self.warn(
                f"cannot write to the journal {self.name}: {why}; the run goes on, and its events are kept "
                f"in {self.spool.path} and delivered later"
            )

    @contextmanager
    def _saying(self, what: str) -> Iterator[None]:
        from sqlalchemy.exc import DBAPIError

        from saveit_remediate.journal.store import reason

        try:
            yield
        except DBAPIError as error:
            raise UnreachableError(f"cannot {what} the journal {self.name}: {reason(error)}") from error
        except UnreachableError as error:
            raise UnreachableError(f"cannot {what} the journal {self.name}: {error}") from error
