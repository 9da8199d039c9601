"""The interlock of a compose project: the real script in a real folder, by processes that race and die."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _interlock
from ansible_collections.saveit.remediation.plugins.module_utils import _interlock_store as store
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    FailedError,
    ObstacleError,
    Result,
)

Tell = Callable[..., Result]
ALICE = {"step": "begin", "services": ["redis"], "remedy": "redis.restart", "holder": "alice@ops1"}
BOB = {**ALICE, "holder": "bob@ops2"}


def execute(command: Sequence[str], stdin: str) -> Completed:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)
    return Completed(done.returncode, done.stdout, done.stderr)


def given(folder: Path, **parameters: Any) -> dict[str, Any]:
    usual = {name: spec.get("default") for name, spec in _interlock.ARGUMENTS.items()}
    return {**usual, "platform": "compose", "interlock_folder": str(folder), **parameters}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "interlock"


@pytest.fixture
def tell(folder: Path) -> Tell:
    """Speak to the interlock, as the module does."""

    def run(check_mode: bool = False, **parameters: Any) -> Result:
        carrier = Carrier(execute, time.time, time.sleep, check_mode, "staging")
        return _interlock.run(given(folder, **parameters), carrier)

    return run


def kept(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "saveit/interlock.json").read_text("utf-8"))
    return document


def refused(id_: str) -> Any:
    return pytest.raises(ObstacleError, check=lambda error: (error.id, error.outcome) == (id_, "refused"))


def test_a_remedy_is_leased_counted_renewed_and_released(tell: Tell, folder: Path) -> None:
    begun = tell(**ALICE, incident="redis-1", duration_seconds=60.0)
    claim = begun.returned["claim"]
    (lease,) = kept(folder)["leases"].values()
    assert (lease["holder"], lease["incident"], lease["token"]) == ("alice@ops1", "redis-1", claim)
    tell(step="renew", claim=claim, services=["redis"], holder="alice@ops1", duration_seconds=600.0)
    assert kept(folder)["leases"]["redis"]["expires"] > lease["expires"]
    tell(step="release", claim=claim, results={"redis.restart": "no_help"})
    document = kept(folder)
    assert document["leases"] == {}
    assert [(each["remedy"], each["result"]) for each in document["attempts"]] == [
        ("redis.restart", "no_help")
    ]


def test_after_a_remedy_that_was_cut_off_nobody_acts_before_it_has_had_its_time(tell: Tell) -> None:
    tell(**ALICE, incident="redis-1", patience_seconds=60.0)
    tell(step="release", incident="redis-1")
    with refused("in-doubt") as doubt:
        tell(**{**BOB, "remedy": "redis.start"})
    assert 50 < doubt.value.as_return()["wait_seconds"] <= 60
    assert tell(**{**BOB, "services": ["backend"]}).verdict == "begun"


def test_the_second_is_refused_until_the_first_is_done(tell: Tell) -> None:
    claim = tell(**ALICE).returned["claim"]
    with refused("lease-held") as held:
        tell(**BOB)
    assert re.fullmatch(
        r"saveit/redis on staging is being remediated by alice@ops1 \(incident none\) since \d\d:\d\d UTC; "
        r"its lease ends \d\d:\d\d UTC unless renewed",
        str(held.value),
    )
    tell(**{**BOB, "services": ["backend"], "remedy": "application.restart"})
    tell(step="release", claim=claim)
    tell(**BOB)


def test_a_lease_is_broken_with_a_reason_and_its_holder_stops(tell: Tell) -> None:
    claim = tell(**ALICE).returned["claim"]
    broken = tell(**BOB, break_lease="ops1 is on fire")
    kinds = {each["kind"]: each["sentence"] for each in broken.returned["remediation_events"]}
    assert "ops1 is on fire" in kinds["lease-broken"]
    assert "alice@ops1" in kinds["lease-broken"]
    for step in ({**ALICE, "claim": claim}, {"step": "renew", "services": ["redis"], "claim": claim}):
        with refused("lease-lost"):
            tell(**step)
    with refused("lease-lost"):  # the reason was for the lease that it met first
        tell(**ALICE, claim=claim, break_lease="mine")


def test_whose_process_was_killed_gives_the_lease_back_by_time(tell: Tell) -> None:
    tell(**ALICE, duration_seconds=1.0)  # and never comes back
    with refused("lease-held"):
        tell(**BOB)
    ends = time.monotonic() + 20
    while True:
        try:
            assert tell(**BOB).verdict == "begun"
            break
        except ObstacleError:
            assert time.monotonic() < ends, "the lease did not end by itself"


def test_the_breaker_opens_and_stays_open(tell: Tell) -> None:
    limits = [{"times": 2, "minutes": 60}, {"times": 3, "minutes": 1440}]
    for _turn in range(2):
        claim = tell(**ALICE, limits=limits).returned["claim"]
        tell(step="release", claim=claim, results={"redis.restart": "helped"})
    with refused("cool-down") as error:
        tell(**ALICE, limits=limits)
    assert "done 2 times since" in str(error.value)
    assert "it does not hold" in str(error.value)
    with refused("breaker-open"):
        tell(**ALICE, limits=[{"times": 2, "minutes": 1440}])
    tell(**{**ALICE, "remedy": "redis.start"}, limits=limits)


def test_what_did_not_help_twice_is_refused(tell: Tell) -> None:
    for _turn in range(2):
        claim = tell(**ALICE, title="Restart Redis").returned["claim"]
        tell(step="release", claim=claim, results={"redis.restart": "failed"})
    with refused("no-help") as error:
        tell(**ALICE, title="Restart Redis")
    assert str(error.value).startswith("Restart Redis: did not help 2 times in a row")


def test_a_pause_holds_for_everybody_until_it_ends(tell: Tell, folder: Path) -> None:
    tell(step="pause", holder="carol@ops3", reason="database move", until="2999-01-01T00:00:00+00:00")
    with refused("paused") as error:
        tell(**ALICE)
    assert "by carol@ops3" in str(error.value)
    assert "database move" in str(error.value)
    with refused("paused"):
        tell(**ALICE, check_mode=True)
    (row,) = tell(step="read").returned["tables"][0]["rows"]
    assert row[:2] == ["paused", "carol@ops3"]
    tell(step="resume")
    assert tell(**ALICE).verdict == "begun"


@pytest.mark.parametrize(
    "parameters",
    [
        {"step": "pause", "reason": "x", "until": "tomorrow"},
        {"step": "pause", "reason": " ", "until": "2999-01-01T00:00:00Z"},
        {"step": "pause", "reason": "x", "until": "2001-01-01T00:00:00Z"},
        {**ALICE, "services": ["", ""]},
        {**ALICE, "limits": [{"times": "many", "minutes": 1}]},
        {**ALICE, "project": "../../etc"},
    ],
)
def test_what_cannot_be_meant_is_a_sentence(tell: Tell, folder: Path, parameters: dict[str, Any]) -> None:
    with pytest.raises(FailedError):
        tell(**parameters)
    assert not folder.exists()


@pytest.mark.parametrize("step", ["begin", "read", "pause", "resume"])
def test_check_mode_and_reading_write_nothing(tell: Tell, folder: Path, step: str) -> None:
    more = {"reason": "x", "until": "2999-01-01T00:00:00Z"}
    tell(**{**ALICE, "step": step, **more}, check_mode=True)
    tell(step="read")
    assert not folder.exists()


def test_release_never_fails(tell: Tell, folder: Path) -> None:
    claim = tell(**ALICE).returned["claim"]
    (folder / "saveit/interlock.json").write_text("half", "utf-8")
    assert tell(step="release", claim=claim).verdict == "kept"


def test_a_run_that_was_cut_off_is_released_by_its_incident(tell: Tell, folder: Path) -> None:
    tell(**ALICE, incident="redis-1")
    tell(step="release")
    tell(step="release", incident="redis-2")
    assert list(kept(folder)["leases"]) == ["redis"]
    tell(step="release", incident="redis-1")
    assert kept(folder)["leases"] == {}


@pytest.mark.parametrize("content", ["", '{"schema": 1, "leases": {', "hello", '{"schema": 7}'])
def test_a_half_written_or_foreign_file_is_an_obstacle(tell: Tell, folder: Path, content: str) -> None:
    tell(**ALICE)
    file = folder / "saveit/interlock.json"
    file.write_text(content, "utf-8")
    with refused("interlock-unreadable"):
        tell(**BOB)
    assert file.read_text("utf-8") == content
    assert tell(step="read").verdict == "unreadable"


@pytest.mark.parametrize("part", ["", "saveit", "saveit/interlock.json"])
def test_nothing_is_reached_through_a_symbolic_link(
    tell: Tell, folder: Path, tmp_path: Path, part: str
) -> None:
    tell(**ALICE)
    elsewhere = tmp_path / "elsewhere"
    (folder / part).rename(elsewhere)
    (folder / part).symlink_to(elsewhere)
    with refused("interlock-unreadable") as error:
        tell(step="renew", claim="x", services=["redis"])
    assert "is a symbolic link" in str(error.value)


def test_what_a_killed_writer_left_is_no_obstacle(tell: Tell, folder: Path) -> None:
    tell(**ALICE)
    (folder / "saveit/new.json").write_text('{"schema": 1, "lea', "utf-8")
    tell(**{**ALICE, "services": ["backend"], "remedy": "application.restart"})
    assert sorted(kept(folder)["leases"]) == ["backend", "redis"]
    assert [path.name for path in (folder / "saveit").iterdir()] == ["interlock.json"]


def test_a_disk_that_is_full_is_an_obstacle_and_loses_nothing(
    tell: Tell, folder: Path, tmp_path: Path
) -> None:
    tell(**ALICE)
    before = kept(folder)
    full = tmp_path / "bin"
    full.mkdir()
    (full / "sync").write_text("#!/bin/sh\necho No space left on device >&2\nexit 1\n")
    (full / "sync").chmod(0o755)

    def on_full_disk(command: Sequence[str], stdin: str) -> Completed:
        return execute(["env", f"PATH={full}:{os.environ['PATH']}", *command], stdin)

    carrier = Carrier(on_full_disk, time.time, time.sleep, host="staging")
    other = given(folder, **{**ALICE, "services": ["backend"], "remedy": "application.restart"})
    with refused("interlock-unreadable") as error:
        _interlock.run(other, carrier)
    assert "No space left on device" in str(error.value)
    assert kept(folder) == before


def test_others_may_use_what_one_has_made(tell: Tell, folder: Path) -> None:
    tell(**ALICE)
    modes = [path.stat().st_mode & 0o7777 for path in (folder, folder / "saveit")]
    assert modes == [0o1777, 0o777]
    assert (folder / "saveit/interlock.json").stat().st_mode & 0o777 == 0o666


def test_who_is_always_slower_gives_up_with_a_sentence(folder: Path) -> None:
    """Between each load and save, somebody else writes."""
    waited: list[float] = []
    quick = Carrier(execute, time.time, time.sleep, host="staging")

    def slow(command: Sequence[str], stdin: str) -> Completed:
        if "save" in command:
            _interlock.run(given(folder, **BOB, claim="b", no_help_limit=0), quick)
        return execute(command, stdin)

    carrier = Carrier(slow, time.time, waited.append, host="staging")
    with refused("interlock-contended"):
        store.change(
            given(folder), carrier, lambda document, now: ({**document, "changes": [{"at": now}]}, 1)
        )
    assert len(waited) == store.TRIES


RACER = """
import sys, time, subprocess
sys.path.insert(0, sys.argv[1])
from ansible_collections.saveit.remediation.plugins.module_utils import _interlock
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError
def execute(command, stdin):
    done = subprocess.run(command, input=stdin, capture_output=True, text=True)
    return Completed(done.returncode, done.stdout, done.stderr)
given = {name: spec.get("default") for name, spec in _interlock.ARGUMENTS.items()}
given.update(platform="compose", interlock_folder=sys.argv[2], step="begin", services=["redis"],
             remedy="redis.restart", holder=sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
try:
    print(_interlock.run(given, Carrier(execute, time.time, time.sleep)).verdict)
except ObstacleError as error:
    print(error.id)
"""
COLLECTIONS = str(Path(__file__).resolve().parents[3] / "collections")


def test_of_ten_who_begin_at_the_same_time_exactly_one_acts(folder: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, COLLECTIONS, str(folder), f"racer-{number}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in range(10)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [racer.communicate(timeout=60)[0].strip() for racer in racers]
    assert sorted(said) == ["begun", *["lease-held"] * 9]
    assert len(kept(folder)["attempts"]) == 1


def test_a_script_that_is_killed_in_the_middle_leaves_no_lock(tell: Tell, folder: Path) -> None:
    """One that has the lock and stands still is ended from outside; the next one gets in."""
    tell(**ALICE)
    holder = subprocess.Popen(
        ["flock", "-x", str(folder / "saveit"), "sh", "-c", "echo locked; exec sleep 60"],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert holder.stdout
    assert holder.stdout.readline() == "locked\n"
    os.killpg(holder.pid, signal.SIGKILL)
    holder.wait(timeout=10)
    assert tell(step="read").verdict == "read"


def test_an_approval_is_used_up_on_the_target(tell: Tell, folder: Path) -> None:
    claim = tell(**ALICE, approval="5eed").returned["claim"]
    tell(step="release", claim=claim, results={"redis.restart": "no_help"})
    with refused("approval-used"):
        tell(**ALICE, incident="redis-2", approval="5eed")
    assert tell(**ALICE, approval="another").verdict == "begun"
