"""kill -9 of the controller: the next command says what is unfinished; `resume` looks first, then goes on."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.controller.journal.conftest import NOON
from tests.unit.controller.test_interrupt import child_of, stay

from saveit_remediate.errors import RefusedError
from saveit_remediate.incident import Request, Severity
from saveit_remediate.journal import Event, hash_of, open_journal
from saveit_remediate.journal.controller import is_gone, this_controller
from saveit_remediate.respond.resume import cut_off, resumed

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site

ALIVE = this_controller(600)
GONE = {**this_controller(600), "pid": 2**22 + 1}
ANOTHER = {**this_controller(600), "host": "another.example.com"}
LATER = NOON + timedelta(hours=2)


def chain(*events: tuple[str, dict[str, Any]]) -> list[Event]:
    """The record of one incident."""
    found: list[Event] = []
    for number, (kind, payload) in enumerate(events, start=1):
        previous = found[-1].hash if found else ""
        event = Event("one", number, NOON.isoformat(), kind, payload, previous, "")
        found.append(Event(**{**vars(event), "hash": hash_of(event)}))
    return found


def opened(**more: Any) -> tuple[str, dict[str, Any]]:
    return "opened", {"incident": "frob", "inventory": "/hosts", "controller": GONE, **more}


def test_the_request_is_the_recorded_one() -> None:
    more = {"severity": "sev2", "check": True, "extra_vars": ["n"], "yes": True, "lineage": ["zero"]}
    events = chain(opened(limit="a,b", **more))
    given = Request("-", "", extra_vars={"n": 1}, verbosity=2)
    found = resumed(events, given, LATER)
    assert found == Request(
        "frob", "/hosts", "a,b", Severity.SEV2, {"n": 1}, check=True, verbosity=2, resumes="one",
        lineage=("one", "zero"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("events", "now", "reason"),
    [
        (chain(opened(), ("closed", {"outcome": "recovered", "sentence": "well"})), LATER,
         r"its record has an end \(recovered: well\); start anew with --incident"),
        (chain(opened(), ("closed", {"resumed_as": "two"})), LATER, "resume two instead"),
        (chain(opened(controller=ALIVE)), LATER, f"process {os.getpid()} on .* may still work on it"),
        (chain(opened(controller=ANOTHER)), NOON + timedelta(minutes=69), "on another.example.com may"),
        (chain(opened(controller=None)), NOON + timedelta(minutes=59), "its controller may still work on it"),
        (chain(opened(extra_vars=["token", "n"])), LATER, "give them again: -e n=… -e @FILE with token"),
        (chain(("assessed", {"controller": GONE})), LATER, "does not say what was asked for"),
        ([Event(**{**vars(chain(opened())[0]), "at": "2026-01-01"})], LATER, "event 1 of its record was"),
    ],
)  # fmt: skip
def test_what_is_not_resumed_has_a_reason(events: list[Event], now: datetime, reason: str) -> None:
    with pytest.raises(RefusedError, match=f"cannot resume one: .*{reason}"):
        resumed(events, Request("-", ""), now)


@pytest.mark.parametrize(
    ("recorded", "after", "gone"),
    [
        (this_controller(600), timedelta(days=9), False),
        ({**this_controller(600), "started": "before this boot"}, timedelta(0), True),
        (GONE, timedelta(0), True),
        (ANOTHER, timedelta(minutes=69), False),
        (ANOTHER, timedelta(minutes=71), True),
        ({}, timedelta(minutes=59), False),
        ({}, timedelta(minutes=61), True),
        ({"pid": "1", "timeout": -5}, timedelta(minutes=61), True),
        ({"timeout": 10**30}, timedelta(days=2), True),
    ],
)
def test_whether_a_controller_is_gone(recorded: dict[str, Any], after: timedelta, gone: bool) -> None:
    assert is_gone(recorded, NOON, NOON + after) == gone


def test_what_was_begun_and_has_no_result_is_named() -> None:
    kick, poke = {"host": "alpha", "remedy": "kick"}, {"host": "alpha", "remedy": "poke"}
    begun = [opened(), ("remedy-started", kick), ("remedy-finished", kick), ("remedy-started", poke)]
    assert cut_off(chain(*begun)).endswith(
        "ends with remedy-started; begun and without a result: poke on alpha"
    )
    assert cut_off(chain(*begun[:3])).endswith("ends with remedy-finished; no remedy was cut off")


@pytest.fixture
def killed(site: Site) -> Callable[..., str]:
    """Kill the controller, and so Ansible, while a remedy is at work; the id of its incident."""

    def kill(*arguments: str) -> str:
        os.mkfifo(site.folder / "pipe")
        begun = [{"kind": "remedy-started", "remedy": "kick", "sentence": "kicking"}]
        site.publishes({"findings": [site.dead], "actions": [site.kick]})
        playbook = site.collection / "playbooks" / "frob.yml"
        tell = {"saveit.remediation.tell": {"events": begun}, "when": "ladder_mode == 'remediate'"}
        for task in (tell, stay(site.folder / "pipe", "remediate")):
            playbook.write_text(playbook.read_text() + "  - " + json.dumps(task) + "\n")
        process: subprocess.Popen[str] = site.start("--incident", "frob", "--yes", *arguments)
        child_of(Path(site.folder / "pipe"))
        process.kill()
        process.communicate(timeout=30)
        found: str = json.loads(site.run("incidents", "--json").stdout)[0]["incident_id"]
        return found

    return kill


def test_a_killed_controller_is_said_and_its_incident_is_gone_on_with(
    site: Site, killed: Callable[..., str]
) -> None:
    old = killed("-l", "alpha", "--severity", "sev2")
    line = f"unfinished: {old} (the record ends with remedy-started); saveit-remediate resume ID looks at"
    for command in (["show", old], ["incidents"]):
        assert site.run(*command).stderr.count(line) == 1
    site.publishes(
        {"findings": [site.dead], "actions": [site.kick]}, {"actions": [site.helped], "evidence": site.good}
    )
    told = "{{ interlock_step }} {{ interlock_incident }}"
    note = {"ansible.builtin.copy": {"content": told, "dest": str(site.folder / "told"), "mode": "0600"}}
    play = {"name": "Interlock", "hosts": "all", "gather_facts": False, "tasks": [note]}
    site.write(str(site.collection / "playbooks" / "interlock.yml"), json.dumps([play]))
    done = site.run("resume", old, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert (site.folder / "told").read_text() == f"release {old}", "what the dead run had leased"
    assert "begun and without a result: kick on alpha" in done.stderr
    assert "unfinished:" not in done.stderr
    report = json.loads(done.stdout)
    assert (report["outcome"], report["severity"]) == ("recovered", "sev2")
    new = json.loads(site.run("show", report["incident_id"], "--json").stdout)["events"]
    assert (new[0]["payload"]["resumes"], new[0]["payload"]["limit"]) == (old, "alpha")
    assert new[0]["payload"]["lineage"] == [old]
    shown = site.run("show", old, "--json")
    assert shown.stderr == ""
    last = json.loads(shown.stdout)["events"][-1]
    assert (last["kind"], last["payload"]["resumed_as"]) == ("closed", report["incident_id"])
    again = site.run("resume", old, "--yes")
    assert again.returncode == 4
    assert f"resume {report['incident_id']} instead" in again.stderr
    verified = site.run("journal", "verify")
    assert (verified.returncode, verified.stderr) == (0, "")


def test_an_incident_that_got_well_by_itself_is_only_looked_at(site: Site) -> None:
    journal = open_journal(site.folder / "journal.db")
    recorded = {"incident": "frob", "inventory": str(site.folder / "hosts.yml"), "controller": GONE}
    journal.append("old", "opened", recorded, datetime.now(UTC))
    journal.close()
    site.publishes({"findings": []}, {"actions": [site.helped]})
    done = site.run("resume", "old", "--yes", "--json")
    assert (done.returncode, json.loads(done.stdout)["outcome"]) == (0, "healthy")


def test_an_incident_whose_inventory_is_gone_stays_unfinished_with_the_reason(site: Site) -> None:
    journal = open_journal(site.folder / "journal.db")
    recorded = {"incident": "frob", "inventory": "/nowhere", "controller": GONE}
    journal.append("old", "opened", recorded, datetime.now(UTC))
    journal.close()
    done = site.run("resume", "old")
    assert done.returncode == 2
    assert "/nowhere (from the record of old)" in done.stderr
    assert "unfinished: old" in site.run("incidents").stderr
