"""PostgreSQL goes away in the middle of a run: its events are kept on disk and delivered later, in order."""

from __future__ import annotations

import json
import os
import signal
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.controller.journal.conftest import NOON, Home

from saveit_remediate.errors import UnreachableError
from saveit_remediate.journal.event import Draft, draft
from saveit_remediate.journal.spool import Spool

if TYPE_CHECKING:
    from tests.unit.controller.journal.conftest import Server

pytestmark = pytest.mark.once


@pytest.fixture
def remote(server: Server, database: str, tmp_path: Path) -> Home:
    return Home(server.url(database), tmp_path / "state" / "spool")


def numbers(home: Home, incident: str = "one") -> list[int]:
    with closing(home.read()) as journal:
        return [event.payload["n"] for event in journal.events(incident)]


def test_the_server_is_restarted_and_nothing_is_lost_or_doubled(remote: Home, server: Server) -> None:
    journal = remote.open()
    for number in range(12):
        if number == 3:
            server.stop()
        if number == 6:
            server.start()
            journal.try_again = 0.0  # as if the time had passed
        event = journal.append("one", "event", {"n": number}, NOON)
        assert (event is None) == (number in (3, 4, 5))
    journal.close()
    assert numbers(remote) == list(range(12))
    assert remote.verify().bad == ""
    assert "the run goes on, and its events are kept in" in remote.said[0]
    assert "3 events that were kept in" in remote.said[1]
    assert len(remote.said) == 2
    assert "of the journal" not in "".join(remote.said).replace("%20", " ")


def test_a_restart_between_two_events_is_not_even_noticed(remote: Home, server: Server) -> None:
    with closing(remote.open()) as journal:
        journal.append("one", "event", {"n": 0}, NOON)
        server.stop()
        server.start()
        assert journal.append("one", "event", {"n": 1}, NOON) is not None
    assert remote.said == []
    assert numbers(remote) == [0, 1]


def test_the_next_command_delivers_what_the_last_one_could_not(remote: Home, server: Server) -> None:
    journal = remote.open()
    journal.append("one", "event", {"n": 0}, NOON)
    server.stop()
    for number in (1, 2):
        journal.append("one", "event", {"n": number}, NOON)
    journal.close()
    kept = list(remote.spool.iterdir())
    assert [path.stat().st_mode & 0o777 for path in (*kept, remote.spool)] == [0o600, 0o700]
    assert "of the journal" not in kept[0].read_text()
    with closing(remote.open()) as later:  # still away: said, and no obstacle
        later.append("two", "event", {"n": 3}, NOON)
    server.start()
    remote.open().close()
    assert (numbers(remote), numbers(remote, "two")) == ([0, 1, 2], [3])
    assert kept[0].read_bytes() == b""
    assert remote.verify().bad == ""


def test_a_server_that_is_away_before_its_tables_were_made(remote: Home, server: Server) -> None:
    server.stop()
    journal = remote.open()
    journal.append("one", "event", {"n": 0}, NOON)
    server.start()
    journal.close()
    assert numbers(remote) == [0]


def test_a_server_that_is_silent_is_cut_off(
    remote: Home, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saveit_remediate.journal.store._ANSWER_SECONDS", 0.3)
    monkeypatch.setattr("saveit_remediate.journal.store._CONNECT_SECONDS", 2)
    journal = remote.open()
    backend = journal.engine.raw_connection()
    pid = backend.driver_connection.info.backend_pid  # type: ignore[union-attr]
    backend.close()
    silent = [pid, server.running.pid]  # type: ignore[union-attr]
    try:
        for each in silent:
            signal.pidfd_send_signal(os.pidfd_open(each), signal.SIGSTOP)
        assert journal.append("one", "event", {"n": 0}, NOON) is None
    finally:
        for each in reversed(silent):
            signal.pidfd_send_signal(os.pidfd_open(each), signal.SIGCONT)
    journal.try_again = 0.0
    assert journal.append("one", "event", {"n": 1}, NOON) is not None
    journal.close()
    assert numbers(remote) == [0, 1]


def test_an_event_of_which_nobody_knows_whether_it_arrived_is_there_once(remote: Home) -> None:
    """The commit arrived, its answer did not: the same event is sent again."""
    from saveit_remediate.journal import store

    with closing(remote.open()) as journal:
        assert journal.spool is not None
        one = draft("its own token", "one", "event", {"n": 0}, NOON)
        store.run(journal.engine, lambda connection: store.put(connection, one), writes=True)
        journal.spool.add(one)
        journal.append("one", "event", {"n": 1}, NOON)
    assert numbers(remote) == [0, 1]


DRAFTS = [draft(f"token {number}", "one", "event", {"n": number}, NOON) for number in range(3)]


def test_half_a_line_of_a_killed_writer_is_no_event(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.add(DRAFTS[0])
    with spool.path.open("a") as file:
        file.write('{"token": "' + "ha" * 500)
    spool.add(DRAFTS[1])
    sent: list[Draft] = []
    assert spool.deliver(sent.append) == 2
    assert sent == DRAFTS[:2]
    assert not spool.waiting()


def test_a_delivery_that_fails_keeps_everything(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    for one in DRAFTS:
        spool.add(one)

    def fails(one: Draft) -> None:
        if one == DRAFTS[1]:
            raise ConnectionError

    with pytest.raises(UnreachableError):
        spool.deliver(fails)
    sent: list[Draft] = []
    assert spool.deliver(sent.append) == 3
    assert sent == DRAFTS


@pytest.mark.parametrize("line", ["no JSON", "[]", "{}", json.dumps({"token": 1, "other": 2})])
def test_a_line_that_somebody_changed_is_said_and_stays(tmp_path: Path, line: str) -> None:
    spool = Spool(tmp_path / "spool")
    spool.path.write_text(f"{line}\n")
    with pytest.raises(UnreachableError, match=r"cannot deliver line 1 of .*/spool: it is no event"):
        spool.deliver(lambda _one: None)
    assert spool.waiting()


def test_the_spool_does_not_follow_a_link(tmp_path: Path) -> None:
    (tmp_path / "spool").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnreachableError, match="cannot keep an event"):
        Spool(tmp_path / "spool").add(DRAFTS[0])
    assert not (tmp_path / "elsewhere").exists()
