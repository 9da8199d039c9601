"""Open a journal: to write, or only to read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from saveit_remediate.errors import RemediateError, UnreachableError, UsageError
from saveit_remediate.journal.book import Journal
from saveit_remediate.journal.spool import spool_of
from saveit_remediate.settings import without_password

# A server that comes up, goes down or is full will take us later; any other FATAL is a mistake of ours.
_FOR_NOW = ("starting up", "shutting down", "recovery", "too many", "connection slots", "terminating")


def open_journal(
    where: str | Path,
    origin: str = "",
    spool_folder: Path | None = None,
    warn: Callable[[str], None] = lambda _sentence: None,
) -> Journal:
    """Open the journal, and try that it can be written, before anything else is done.

    `origin` says where its name came from. With a `spool_folder`, a server that is away now is no obstacle.
    Raises UsageError for a journal that cannot be right.
    """
    from sqlalchemy.exc import DBAPIError

    from saveit_remediate.journal import schema, store

    where = str(where)
    is_server = "://" in where
    name = without_password(where)
    attempt = _attempt(name, origin)
    if not is_server:
        _make_folder(Path(where), attempt)
    journal = Journal(name, store.engine_of(where, writes=True, attempt=attempt), warn=warn)
    if is_server and spool_folder is not None:
        journal.spool = spool_of(spool_folder, name)
    try:
        store.run(journal.engine, lambda connection: schema.prepare(connection, name), writes=True)
        store.run(journal.engine, store.try_to_write, writes=True)
    except DBAPIError as error:
        why = store.reason(error)
        if journal.spool is None or not _is_for_now(error, why):
            raise UsageError(f"{attempt}: {why}; set another journal with SAVEIT_JOURNAL") from error
        journal.prepared = False
        journal.is_away(why)
    if journal.spool and not journal.away:
        try:
            journal.catch_up(journal.spool)
        except DBAPIError as error:
            journal.is_away(store.reason(error))
        except RemediateError as error:
            journal.is_away(str(error))
    return journal


def read_journal(where: str | Path, origin: str = "", spool_folder: Path | None = None) -> Journal:
    """Open the journal to read; a file that is not there is empty. What is in the spool is delivered before.

    Raises UsageError, UnreachableError.
    """
    from sqlalchemy.exc import DBAPIError

    from saveit_remediate.journal import schema, store

    where = str(where)
    name = without_password(where)
    empty = not store.exists(where)
    journal = Journal(
        name, store.engine_of(":memory:" if empty else where, writes=False, attempt=_attempt(name, origin))
    )
    try:
        if empty or store.run(journal.engine, schema.is_outdated):
            store.run(journal.engine, lambda connection: schema.prepare(connection, name), writes=True)
    except DBAPIError as error:
        kind = UnreachableError if "://" in where else UsageError
        raise kind(f"{_attempt(name, origin)}: {store.reason(error)}") from error
    if "://" in where and spool_folder is not None:
        with suppress(DBAPIError, RemediateError):
            journal.catch_up(spool_of(spool_folder, name))
    return journal


def _make_folder(path: Path, attempt: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        reason = f"its folder cannot be made: {error.strerror or error}"
        raise UsageError(f"{attempt}: {reason}; set another path with SAVEIT_JOURNAL") from error
    if path.is_dir():
        raise UsageError(f"{attempt}: it is a folder; name a file in it")


def _is_for_now(error: Exception, why: str) -> bool:
    from sqlalchemy.exc import OperationalError

    refused = "FATAL" in why and not any(words in why for words in _FOR_NOW)
    return isinstance(error, OperationalError) and not refused


def _attempt(name: str, origin: str) -> str:
    return f"cannot open the journal {name}" + (f" ({origin})" if origin else "")
