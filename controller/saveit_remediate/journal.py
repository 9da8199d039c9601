"""The journal: append-only events of each incident, each with the hash of the one before. SQLite."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from saveit_remediate.errors import UnreachableError, UsageError

_BUSY_SECONDS = 5.0
_TABLE = """
CREATE TABLE IF NOT EXISTS events (
  incident_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  at TEXT NOT NULL,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (incident_id, sequence)
)
"""


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
class Journal:
    """An open journal; made by `open_journal`."""

    path: Path
    connection: sqlite3.Connection

    def append(self, incident_id: str, kind: str, payload: Mapping[str, Any], at: datetime) -> Event:
        """Write one event, at once on disk. Raises UnreachableError when it cannot be written."""
        with _saying(f"cannot write to the journal {self.path}"), _transaction(self.connection) as cursor:
            row = cursor.execute(
                "SELECT sequence, hash FROM events WHERE incident_id = ? ORDER BY sequence DESC LIMIT 1",
                (incident_id,),
            ).fetchone()
            sequence, previous = (row[0] + 1, row[1]) if row else (1, "")
            # Through JSON and back: what is hashed is what a reader will get.
            stored = canonical(payload)
            stamp = at.astimezone(UTC).isoformat(timespec="microseconds")
            event = Event(incident_id, sequence, stamp, kind, json.loads(stored), previous, "")
            digest = hash_of(event)
            cursor.execute(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)",
                (incident_id, sequence, event.at, kind, stored, previous, digest),
            )
        return Event(incident_id, sequence, event.at, kind, event.payload, previous, digest)

    def events(self, incident_id: str) -> list[Event]:
        """The events of one incident, in order."""
        with _saying(f"cannot read the journal {self.path}"):
            rows = self.connection.execute(
                "SELECT incident_id, sequence, at, kind, payload, previous, hash FROM events"
                " WHERE incident_id = ? ORDER BY sequence",
                (incident_id,),
            ).fetchall()
            return [
                Event(incident, sequence, at, kind, json.loads(payload), previous, digest)
                for incident, sequence, at, kind, payload, previous, digest in rows
            ]

    def incidents(self) -> list[str]:
        """The ids of all incidents, oldest first."""
        with _saying(f"cannot read the journal {self.path}"):
            rows = self.connection.execute("SELECT DISTINCT incident_id FROM events ORDER BY incident_id")
            return [row[0] for row in rows]

    def find(self, prefix: str) -> str:
        """The id that begins so; "last" is the newest. Raises UsageError when none or several do."""
        ids = self.incidents()
        if not ids:
            raise UsageError(f"no incident is recorded in the journal {self.path}")
        if prefix == "last":
            return ids[-1]
        matches = [name for name in ids if name.startswith(prefix)]
        if prefix in matches:
            return prefix
        if not matches:
            raise UsageError(
                f"no incident {prefix!r} in the journal {self.path}; saveit-remediate incidents lists them"
            )
        if len(matches) > 1:
            some = ", ".join(matches[-3:])
            raise UsageError(f"{prefix!r} is the beginning of {len(matches)} incidents, for instance {some}")
        return matches[0]

    def close(self) -> None:
        self.connection.close()


def open_journal(path: Path, origin: str = "") -> Journal:
    """Open the journal, and try that it can be written, before anything else is done.

    `origin` says where the path came from. Raises UsageError for a path that cannot be right.
    """
    attempt = _attempt(path, origin)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        reason = f"its folder cannot be made: {error.strerror or error}"
        raise UsageError(f"{attempt}: {reason}; set another path with SAVEIT_JOURNAL") from error
    if path.is_dir():
        raise UsageError(f"{attempt}: it is a folder; name a file in it")
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_TABLE)
        with _transaction(connection) as cursor:  # a write that leaves nothing behind
            cursor.execute("INSERT INTO events VALUES ('', 0, '', '', '', '', '')")
            cursor.execute("DELETE FROM events WHERE incident_id = ''")
    except sqlite3.DatabaseError as error:
        raise UsageError(f"{attempt}: {error}; set another path with SAVEIT_JOURNAL") from error
    return Journal(path, connection)


def read_journal(path: Path, origin: str = "") -> Journal:
    """Open the journal to read; one that does not exist yet is empty. Raises UsageError."""
    try:
        if not path.exists():
            connection = sqlite3.connect(":memory:")
            connection.execute(_TABLE)
        else:
            connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
            connection.execute("SELECT count(*) FROM events")
    except (sqlite3.DatabaseError, OSError) as error:
        raise UsageError(f"{_attempt(path, origin)}: {error}") from error
    return Journal(path, connection)


def _attempt(path: Path, origin: str) -> str:
    return f"cannot open the journal {path}" + (f" ({origin})" if origin else "")


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


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Cursor]:
    """BEGIN IMMEDIATE, so that two controllers do not number their events alike."""
    cursor = connection.cursor()
    cursor.execute("BEGIN IMMEDIATE")
    try:
        yield cursor
    except BaseException:  # Ctrl-C too: whatever it is, the transaction must not stay open
        cursor.execute("ROLLBACK")
        raise
    cursor.execute("COMMIT")


@contextmanager
def _saying(attempt: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.DatabaseError, json.JSONDecodeError) as error:
        raise UnreachableError(f"{attempt}: {error}") from error
