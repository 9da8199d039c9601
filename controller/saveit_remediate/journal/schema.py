"""The tables, the same in SQLite and PostgreSQL, and how an older journal becomes one of this version."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    inspect,
    select,
    text,
)

from saveit_remediate.errors import UsageError
from saveit_remediate.journal.event import Head, seal_of

VERSION = 1
# Two controllers that meet an empty PostgreSQL: one makes the tables, the other waits. The number is any.
_MIGRATION_LOCK = 7_236_481

_tables = MetaData()
events = Table(
    "events",
    _tables,
    Column("incident_id", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("position", BigInteger, nullable=False, unique=True),
    Column("seal", Text, nullable=False),
    Column("token", Text, nullable=False, unique=True),
    PrimaryKeyConstraint("incident_id", "sequence"),
)
head = Table(
    "head", _tables, Column("position", BigInteger, nullable=False), Column("seal", Text, nullable=False)
)
schema_version = Table("schema_version", _tables, Column("version", Integer, nullable=False))


def prepare(connection: Connection, name: str) -> None:
    """Make the tables, or bring them to this version. Raises UsageError for a newer version than ours."""
    if _version(connection) == VERSION:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK})
    found = _version(connection)
    if found > VERSION:
        raise UsageError(
            f"cannot use the journal {name}: a newer saveit-remediate has written it (schema {found}; this "
            f"one knows {VERSION}); use that one"
        )
    for number in range(found, VERSION):
        _MIGRATIONS[number](connection)


def is_outdated(connection: Connection) -> bool:
    """Is there something to prepare?"""
    return _version(connection) != VERSION


def _version(connection: Connection) -> int:
    """0 where there is nothing yet, and where an early version wrote."""
    if not inspect(connection).has_table("schema_version"):
        return 0
    return int(connection.execute(select(schema_version.c.version)).scalar() or 0)


def _to_1(connection: Connection) -> None:
    """Events get a place in the whole journal, in the order in which they were written."""
    old = inspect(connection).has_table("events")
    if old:
        connection.execute(text("ALTER TABLE events RENAME TO events_0"))
    _tables.create_all(connection)
    last = Head()
    if old:  # written by SQLite, by hand
        rows = connection.execute(
            text(
                "SELECT incident_id, sequence, at, kind, payload, previous, hash FROM events_0 ORDER BY rowid"
            )
        ).mappings()
        for position, row in enumerate(rows.all(), start=1):
            token = f"{row['incident_id']}/{row['sequence']}"
            last = Head(position, seal_of(last, position, token, row["hash"]))
            connection.execute(events.insert().values(**row, position=position, seal=last.seal, token=token))
        connection.execute(text("DROP TABLE events_0"))
    connection.execute(head.insert().values(position=last.position, seal=last.seal))
    connection.execute(schema_version.insert().values(version=1))


_MIGRATIONS = (_to_1,)
