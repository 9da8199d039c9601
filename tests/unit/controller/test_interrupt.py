"""Ctrl-C, SIGTERM and the time limit: children are ended at once, orphans too, and it is recorded."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from saveit_remediate.run.processes import descendants

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site

pytestmark = pytest.mark.once

# The module's child leaves its session, tells its process id through a pipe, and stays.
STAY = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if sys.argv[2] == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open(sys.argv[1], "w").write(str(os.getpid()))
    time.sleep(600)
os.wait()
"""


@pytest.fixture
def pipe(site: Site) -> Path:
    os.mkfifo(site.folder / "pipe")
    return site.folder / "pipe"


def child_of(pipe: Path) -> int:
    """Wait until the module's child is there, and told its process id."""
    end = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    assert select.select([end], [], [], 60)[0], "the module did not start within 60 s"
    return int(os.read(end, 32))


def stay(pipe: Path, mode: str, manner: str = "") -> dict[str, Any]:
    argv = [sys.executable, "-c", STAY, str(pipe), manner]
    return {
        "name": "Stay",
        "ansible.builtin.command": {"argv": argv},
        "when": f"ladder_mode == '{mode}'",
    }


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_interrupt_while_diagnosing_leaves_no_orphan(site: Site, pipe: Path, number: int) -> None:
    site.playbook(stay(pipe, "diagnose"))
    process = site.start("--incident", "frob", "--yes", "--json")
    child = child_of(pipe)
    assert is_alive(child)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert not is_alive(child)
    assert (process.returncode, err) == (130, "")
    found = json.loads(out)
    assert (found["outcome"], found["interrupted"]) == ("unverified", True)
    assert found["sentence"] == "interrupted while in mode diagnose; nothing was touched"
    record = json.loads(site.run("show", "last", "--json").stdout)
    assert [event["kind"] for event in record["events"]] == ["opened", "interrupted", "closed"]
    assert record["outcome"] == "interrupted"


def ends(pid: int) -> bool:
    """Within ten seconds, and with a descriptor that tells it, rather than by looking again and again."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(process):
        return bool(select.select([process], [], [], 10)[0])


@pytest.mark.parametrize("manner", ["", "deaf"])
def test_a_killed_controller_takes_ansible_and_its_files_with_it(
    site: Site, pipe: Path, tmp_path: Path, manner: str
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    site.playbook(stay(pipe, "diagnose", manner))
    process = site.start("--incident", "frob", "--json", TMPDIR=str(temporary))
    child, started = child_of(pipe), descendants(process.pid)
    process.kill()
    process.communicate(timeout=30)
    assert child in started
    assert all(ends(pid) for pid in reversed(started))  # the keeper, which ends them all, is the first
    assert list(temporary.glob("saveit-*")) == []


def test_an_ansible_that_is_killed_in_the_middle_is_no_run_in_which_nothing_was_touched(
    site: Site, pipe: Path
) -> None:
    begun = [{"kind": "remedy-started", "remedy": "kick", "sentence": "kicking"}]
    site.publishes({"findings": [site.dead], "actions": [site.kick]})
    playbook = site.collection / "playbooks" / "frob.yml"
    tell = {"saveit.remediation.tell": {"events": begun}, "when": "ladder_mode == 'remediate'"}
    for task in (tell, stay(pipe, "remediate")):
        playbook.write_text(playbook.read_text() + "  - " + json.dumps(task) + "\n")
    process = site.start("--incident", "frob", "--yes", "--json")
    child = child_of(pipe)
    _keeper, ansible = descendants(process.pid)[:2]
    os.kill(ansible, signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    assert not is_alive(child)
    assert (process.returncode, json.loads(out)["outcome"]) == (3, "unverified")
    said = json.loads(out)["sentence"]
    assert "Ansible ended in the middle (exit code 137)" in said
    assert "begun and cut off: kick on alpha" in said


def test_an_interrupted_remedy_is_said_to_be_cut_off(site: Site, pipe: Path) -> None:
    begun = [{"kind": "remedy-started", "remedy": "kick", "sentence": "kicking"}]
    site.publishes({"findings": [site.dead], "actions": [site.kick]})
    playbook = site.collection / "playbooks" / "frob.yml"
    tell = {"saveit.remediation.tell": {"events": begun}, "when": "ladder_mode == 'remediate'"}
    for task in (tell, stay(pipe, "remediate")):
        playbook.write_text(playbook.read_text() + "  - " + json.dumps(task) + "\n")
    process = site.start("--incident", "frob", "--yes")
    child = child_of(pipe)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert not is_alive(child)
    assert process.returncode == 130
    assert "interrupted while in mode remediate; begun and cut off: kick on alpha" in out


def test_what_a_cut_off_run_has_leased_is_released_by_its_incident(site: Site, pipe: Path) -> None:
    leased = [{"kind": "lease-taken", "sentence": "frob leased"}]
    site.publishes({"findings": [site.dead], "actions": [site.kick]})
    playbook = site.collection / "playbooks" / "frob.yml"
    tell = {"saveit.remediation.tell": {"events": leased}, "when": "ladder_mode == 'remediate'"}
    for task in (tell, stay(pipe, "remediate")):
        playbook.write_text(playbook.read_text() + "  - " + json.dumps(task) + "\n")
    told = "{{ interlock_step }} {{ interlock_incident }}"
    note = {"ansible.builtin.copy": {"content": told, "dest": str(site.folder / "told"), "mode": "0600"}}
    play = {"name": "Interlock", "hosts": "all", "gather_facts": False, "tasks": [note]}
    site.write(str(site.collection / "playbooks" / "interlock.yml"), json.dumps([play]))
    process = site.start("--incident", "frob", "--yes", "--json")
    child_of(pipe)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert (site.folder / "told").read_text() == f"release {json.loads(out)['incident_id']}"


@pytest.mark.long
def test_a_child_that_ignores_sigterm_is_killed_after_the_grace_time(site: Site, pipe: Path) -> None:
    site.playbook(stay(pipe, "diagnose", "deaf"))
    process = site.start("--incident", "frob", "--json")
    child = child_of(pipe)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert not is_alive(child)
    assert process.returncode == 130


def test_the_time_limit_ends_the_run_with_its_origin(site: Site, pipe: Path) -> None:
    site.playbook(stay(pipe, "diagnose"))
    process = site.start("--incident", "frob", "--json", SAVEIT_TIMEOUT="5")
    child = child_of(pipe)
    out, _ = process.communicate(timeout=30)
    assert not is_alive(child)
    assert process.returncode == 5
    assert (
        "Ansible was ended, as it took longer than 5 s (timeout from environment variable SAVEIT_TIMEOUT)"
        in json.loads(out)["sentence"]
    )


def test_nothing_that_holds_variables_stays_on_disk(site: Site, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    site.publishes({"findings": []})
    done = site.run("--incident", "frob", "-e", "frob_mode=soft", TMPDIR=str(temporary))
    assert done.returncode == 0
    assert list(temporary.iterdir()) == []
