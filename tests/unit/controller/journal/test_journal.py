"""The journal: append-only, chained by hash, the same in SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.controller.journal.conftest import NOON

from saveit_remediate.errors import UnreachableError, UsageError
from saveit_remediate.journal import new_incident_id, open_journal, read_journal
from saveit_remediate.journal.chain import chain_break
from saveit_remediate.report.history import summarize

if TYPE_CHECKING:
    from tests.unit.controller.journal.conftest import Home, Server


def test_events_come_back_in_order_and_chained(home: Home) -> None:
    with closing(home.open()) as journal:
        for number, kind in enumerate(("opened", "assessed", "closed")):
            payload = {"n": number, "text": "ü {{ x }} \0 \ud800"}
            journal.append("one", kind, payload, NOON + timedelta(seconds=number))
        journal.append("two", "opened\0ü", {}, NOON)
    with closing(home.read()) as journal:
        events = journal.events("one")
        assert [event.kind for event in events] == ["opened", "assessed", "closed"]
        assert events[0].at == "2026-11-23T12:00:00.000005+00:00"
        assert events[0].payload == {"n": 0, "text": "ü {{ x }} \0 \ud800"}
        assert events[1].previous == events[0].hash
        assert chain_break(events) is None
        assert journal.incidents() == ["one", "two"]
        assert journal.unended() == ["two"]
    assert home.verify().bad == ""


def test_a_prefix_or_last_finds_an_incident(home: Home) -> None:
    with closing(home.open()) as journal:
        for name in ("20260101-a", "20260102-b", "20260102-c"):
            journal.append(name, "opened", {}, NOON)
        assert journal.find("20260101") == "20260101-a"
        assert journal.find("last") == "20260102-c"
        with pytest.raises(UsageError, match="is the beginning of 2 incidents"):
            journal.find("20260102")
        with pytest.raises(UsageError, match="no incident 'x%'"):
            journal.find("x%")


def test_a_record_without_an_end_is_unfinished(home: Home) -> None:
    with closing(home.open()) as journal:
        journal.append("one", "opened", {"incident": "frob"}, NOON)
        assert summarize(journal.events("one")).outcome == "unfinished"


def test_a_journal_of_a_newer_version_is_left_alone(home: Home) -> None:
    home.tamper("UPDATE schema_version SET version = 7")
    with pytest.raises(UsageError, match=r"a newer saveit-remediate has written it \(schema 7"):
        home.open()
    with pytest.raises(UsageError, match="schema 7"):
        home.read()


def test_incident_ids_sort_by_time_and_read_well() -> None:
    assert new_incident_id("redis", NOON, "3f2a") == "20261123-120000-redis-3f2a"
    assert new_incident_id("../../etc", NOON, "3f2a") == "20261123-120000-etc-3f2a"


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


@pytest.mark.parametrize(
    ("database", "password", "sentence"),
    [
        ("{}", "wrong%2Fsecret", "password authentication failed"),
        ("nowhere", "of%20the%20journal", 'database "nowhere" does not exist'),
    ],
)
def test_a_server_that_refuses_us_is_a_sentence_without_the_password(
    server: Server, database: str, password: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        open_journal(server.url(database.format("postgres"), password), "here", tmp_path)
    assert "secret" not in str(caught.value)
    assert "of the journal" not in str(caught.value)
    assert f"saveit@127.0.0.1:{server.port}" in str(caught.value)


@pytest.mark.parametrize(
    "rest", ["u:secret@h:port/db", "u:1/secret@h/db", "u:secret@[::1/db", "u:secret#@h/db"]
)
def test_a_url_that_cannot_be_read_is_a_sentence_without_the_password(rest: str, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"cannot open the journal postgresql://… \(here\): it must be"
    ) as caught:
        open_journal(f"postgresql://{rest}", "here", tmp_path)
    assert "secret" not in str(caught.value)


def test_a_journal_locked_by_somebody_else_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saveit_remediate.journal.store._BUSY_SECONDS", 0.01)
    journal = open_journal(tmp_path / "j.db")
    other = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnreachableError, match=r"cannot write to the journal .*: database is locked"):
        journal.append("one", "opened", {}, NOON)
    other.execute("ROLLBACK")
    journal.append("one", "opened", {}, NOON)


def test_reading_makes_no_file(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "j.db").incidents() == []
    assert not (tmp_path / "j.db").exists()


VERSION_0 = """
CREATE TABLE events (
  incident_id TEXT NOT NULL, sequence INTEGER NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL,
  payload TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (incident_id, sequence)
)
"""


def test_a_journal_of_the_first_version_is_brought_along_and_its_chain_holds(
    home: Home, tmp_path: Path
) -> None:
    """Its rows are what this version writes, without what is new; only SQLite had that version."""
    with closing(home.open()) as journal:
        for name in ("b", "a", "b"):
            journal.append(name, "opened", {"n": 1}, NOON)
        events = [*journal.events("b")[:1], *journal.events("a"), *journal.events("b")[1:]]
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old)) as connection:
        connection.execute(VERSION_0)
        for event in events:
            row = (
                event.incident_id,
                event.sequence,
                event.at,
                event.kind,
                '{"n":1}',
                event.previous,
                event.hash,
            )
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        connection.commit()
    home.where = str(old)
    assert home.read().events("b") == [events[0], events[2]]
    assert [row.event for row, _stored in home.read().whole()[0]] == events
    found = home.verify()
    assert (found.bad, found.events, found.incidents) == ("", 3, 2)
    with closing(home.open()) as journal:
        assert journal.append("a", "closed", {}, NOON)
    assert home.verify().events == 4
