"""kill -9, a full disk, two writers at once: what was promised is there, once, and the chain holds."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.controller.journal.conftest import Home

from saveit_remediate.journal.spool import spool_of
from saveit_remediate.settings import without_password

if TYPE_CHECKING:
    from tests.unit.controller.journal.conftest import Server

pytestmark = pytest.mark.once

WRITER = Path(__file__).with_name("writer.py")


def writer(home: Home, incident: str, count: int, limit: str = "") -> subprocess.Popen[str]:
    arguments = [str(home.spool), incident, str(count), *([limit] if limit else [])]
    return subprocess.Popen(
        [sys.executable, str(WRITER), *arguments],
        env={**os.environ, "SAVEIT_JOURNAL": home.where},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def numbers(home: Home, incident: str) -> list[int]:
    with closing(home.read()) as journal:
        return [event.payload["n"] for event in journal.events(incident)]


def moments(count: int) -> list[int]:
    """After how many promises to kill; others each time, and a failure shows which."""
    return [1 + secrets.randbelow(40) for _ in range(count)]


def kill_after(process: subprocess.Popen[str], promises: int) -> int:
    """How many events it promised to be on disk before it died."""
    assert process.stdout
    assert process.stderr
    for _ in range(promises):
        assert process.stdout.readline(), process.stderr.read()
    process.kill()
    told = promises + len(process.stdout.read().splitlines())
    process.wait(30)
    process.stderr.close()
    process.stdout.close()
    return told


def test_a_writer_that_is_killed_at_any_moment_loses_no_promised_event(home: Home) -> None:
    for turn, promises in enumerate(moments(8)):
        promised = kill_after(writer(home, f"incident {turn}", 100_000), promises)
        there = numbers(home, f"incident {turn}")
        # The last one may have been written, and not told any more.
        assert there in (list(range(promised)), list(range(promised + 1)))
        assert home.verify().bad == ""


def test_a_writer_that_is_killed_while_the_server_is_away(
    server: Server, database: str, tmp_path: Path
) -> None:
    home = Home(server.url(database), tmp_path / "spool")
    home.open().close()
    spool = spool_of(home.spool, without_password(home.where))
    for turn, promises in enumerate(moments(3)):
        server.stop()
        promised = kill_after(writer(home, f"incident {turn}", 100_000), promises)
        server.start()
        assert spool.waiting()
        home.open().close()
        there = numbers(home, f"incident {turn}")
        assert there in (list(range(promised)), list(range(promised + 1)))
        assert home.verify().bad == ""


def test_a_full_disk_is_said_and_what_was_written_stays(tmp_path: Path) -> None:
    home = Home(str(tmp_path / "j.db"), tmp_path / "spool")
    out, err = writer(home, "one", 100_000, str(256 * 1024)).communicate(timeout=60)
    assert f"cannot write to the journal {home.where}: " in err
    assert "full" in err or "I/O error" in err
    assert "Traceback" not in err
    promised = len(out.splitlines())
    assert promised > 3
    assert numbers(home, "one") == list(range(promised))
    assert home.verify().bad == ""


def test_a_full_disk_while_the_server_is_away_is_said(server: Server, database: str, tmp_path: Path) -> None:
    home = Home(server.url(database), tmp_path / "spool")
    home.open().close()
    server.stop()
    out, err = writer(home, "one", 100_000, "5000").communicate(timeout=60)
    assert "cannot keep an event in" in err
    assert "File too large" in err
    server.start()
    home.open().close()
    assert numbers(home, "one") == list(range(len(out.splitlines())))


def test_two_writers_at_once_number_their_events_without_a_gap(home: Home) -> None:
    both = [writer(home, "one", 40) for _ in range(2)]
    for process in both:
        _out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert sorted(numbers(home, "one")) == sorted([*range(40), *range(40)])
    found = home.verify()
    assert (found.bad, found.events) == ("", 80)
    assert not home.spool.exists()  # they waited for each other, and no event had to be sent again
