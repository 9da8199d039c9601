"""The journal: append-only, chained by hash, and a sentence when it cannot be written."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from saveit_remediate.errors import UnreachableError, UsageError
from saveit_remediate.journal import new_incident_id, open_journal, read_journal
from saveit_remediate.report.history import chain_break, summarize

NOON = datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=UTC)


def test_events_come_back_in_order_and_chained(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "new" / "folder" / "j.db")
    for number, kind in enumerate(("opened", "assessed", "closed")):
        journal.append("one", kind, {"n": number, "text": "ü {{ x }}"}, NOON + timedelta(seconds=number))
    journal.append("two", "opened", {}, NOON)
    events = journal.events("one")
    assert [event.kind for event in events] == ["opened", "assessed", "closed"]
    assert events[0].at == "2026-11-23T12:00:00.000005+00:00"
    assert events[0].payload == {"n": 0, "text": "ü {{ x }}"}
    assert events[1].previous == events[0].hash
    assert chain_break(events) is None
    assert journal.incidents() == ["one", "two"]


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("UPDATE events SET payload = '{\"n\":9}' WHERE sequence = 2", 2),
        ("DELETE FROM events WHERE sequence = 2", 2),
        ("UPDATE events SET at = '2020-01-01' WHERE sequence = 3", 3),
        ("UPDATE events SET sequence = 5 - sequence", 1),
    ],
)
def test_a_changed_removed_or_moved_event_is_found(tmp_path: Path, statement: str, first_bad: int) -> None:
    journal = open_journal(tmp_path / "j.db")
    for number in range(4):
        journal.append("one", "event", {"n": number}, NOON)
    if "5 - sequence" in statement:  # swap, past the primary key
        journal.connection.execute("UPDATE events SET sequence = sequence + 100")
        statement = "UPDATE events SET sequence = 105 - sequence"
    journal.connection.execute(statement)
    assert chain_break(journal.events("one")) == first_bad


def test_incident_ids_sort_by_time_and_read_well() -> None:
    assert new_incident_id("redis", NOON, "3f2a") == "20261123-120000-redis-3f2a"
    assert new_incident_id("../../etc", NOON, "3f2a") == "20261123-120000-etc-3f2a"


def test_a_prefix_or_last_finds_an_incident(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "j.db")
    for name in ("20260101-a", "20260102-b", "20260102-c"):
        journal.append(name, "opened", {}, NOON)
    assert journal.find("20260101") == "20260101-a"
    assert journal.find("last") == "20260102-c"
    with pytest.raises(UsageError, match="is the beginning of 2 incidents"):
        journal.find("20260102")
    with pytest.raises(UsageError, match="no incident 'x%'"):
        journal.find("x%")


def test_a_journal_that_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x" * 5000)
    (tmp_path / "folder").mkdir()
    for path, sentence in (
        (tmp_path / "file", "file is not a database"),
        (tmp_path / "folder", "it is a folder"),
        (tmp_path / "file" / "j.db", "its folder cannot be made: (File exists|Not a directory)"),
        (Path("/proc/nowhere/j.db"), "its folder cannot be made"),
    ):
        with pytest.raises(UsageError, match=sentence) as caught:
            open_journal(path, "from environment variable SAVEIT_JOURNAL")
        assert f"cannot open the journal {path} (from environment variable SAVEIT_JOURNAL)" in str(
            caught.value
        )


def test_a_journal_locked_by_somebody_else_is_a_sentence(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "j.db")
    journal.connection.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnreachableError, match=r"cannot write to the journal .*: database is locked"):
        journal.append("one", "opened", {}, NOON)
    other.execute("ROLLBACK")
    journal.append("one", "opened", {}, NOON)


def test_reading_makes_no_file(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "j.db").incidents() == []
    assert not (tmp_path / "j.db").exists()


def test_a_record_without_an_end_is_unfinished(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "j.db")
    journal.append("one", "opened", {"incident": "frob"}, NOON)
    assert summarize(journal.events("one")).outcome == "unfinished"
