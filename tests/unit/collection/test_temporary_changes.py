"""Temporary changes: recorded on the target before they are made, and put back only where they are ours.

The interlock is the real script in a real folder; the engine is played, with limits that can be set.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _changes as changes
from ansible_collections.saveit.remediation.plugins.module_utils import (
    _interlock,
    _service_limits,
    _service_scale,
    _temporary_changes,
)
from ansible_collections.saveit.remediation.plugins.module_utils import _interlock_store as store
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError

MIB = 1 << 20
ALICE = {"holder": "alice@ops1", "incident": "memory-1", "reason": "backend uses 96 % of its limit"}
Crash = Callable[[], None]


class PowerCut(BaseException):
    """The process is ended here."""


@dataclass
class Host:
    """A host whose engine has the containers of one service; `updates` are what it was told."""

    folder: Path
    containers: dict[str, int] = field(default_factory=lambda: {"1": 512})  # id -> MiB
    updates: list[str] = field(default_factory=list)
    at_update: Callable[[], None] = lambda: None
    after_update: Callable[[], None] = lambda: None
    project: bool = True

    def run(self, module: Any, check_mode: bool = False, **given: Any) -> Any:
        usual = {name: spec.get("default") for name, spec in module.ARGUMENTS.items()}
        target = {"platform": "compose", "interlock_folder": str(self.folder)}
        carrier = Carrier(self.execute, time.time, lambda _seconds: None, check_mode, "staging")
        return module.run({**usual, **target, **given}, carrier)

    def raise_memory(self, **given: Any) -> Any:
        return self.run(_service_limits, service="backend", resource="memory", **{**ALICE, **given})

    def revert(self, *ids: str, **given: Any) -> Any:
        return self.run(_temporary_changes, step="revert", ids=list(ids), holder="bob@ops2", **given)

    def execute(self, command: Sequence[str], stdin: str) -> Completed:
        if command[4] != "docker":
            done = subprocess.run(
                command, input=stdin, capture_output=True, text=True, timeout=60, check=False
            )
            return Completed(done.returncode, done.stdout, done.stderr)
        return Completed(*self._docker(list(command[5:])))

    def _docker(self, words: list[str]) -> tuple[int, str, str]:
        if words[0] == "ps":
            other = "9\tredis\tFalse\n" if self.project else ""
            return 0, other + "".join(f"{id_}\tbackend\tFalse\n" for id_ in self.containers), ""
        if words[0] == "inspect" and "--type=container" in words:
            memory = self.containers[words[-1]] * MIB
            return 0, json.dumps({"Memory": memory, "MemorySwap": 2 * memory}), ""
        if words[0] == "inspect":
            found = [
                {"Id": each, "Name": "/saveit-backend", "State": {"Status": "running"}} for each in words[1:]
            ]
            return 0, json.dumps(found), ""
        if words[0] == "exec":
            return (
                2,
                f"/proc/meminfo:MemAvailable: 8000000 kB\n/sys/fs/cgroup/memory.current:{100 * MIB}\n",
                "",
            )
        self.at_update()
        self.updates.append(words[1])
        self.containers[words[-1]] = int(words[1].partition("=")[2]) // MIB
        self.after_update()
        return 0, "", ""

    @property
    def kept(self) -> list[dict[str, Any]]:
        changes: list[dict[str, Any]] = json.loads(self.file.read_text("utf-8"))["changes"]
        return changes

    @property
    def file(self) -> Path:
        return self.folder / "saveit/interlock.json"

    def rewrite(self, **values: Any) -> None:
        """Somebody writes into the newest record."""
        document = json.loads(self.file.read_text("utf-8"))
        document["changes"][-1].update(values)
        self.file.write_text(json.dumps(document), "utf-8")

    def expire(self) -> None:
        document = json.loads(self.file.read_text("utf-8"))
        for each in document["changes"]:
            each["expires"] = each["at"]
        self.file.write_text(json.dumps(document), "utf-8")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "interlock")


def test_a_raise_is_recorded_with_the_old_value_who_why_and_when_it_expires(host: Host) -> None:
    seen: list[list[dict[str, Any]]] = []
    host.at_update = lambda: seen.append(host.kept)
    result = host.raise_memory(minutes=30)
    (before,), (after,) = seen[0], host.kept
    assert (before["state"], after["state"]) == ("begun", "made"), "the intent is written first"
    assert {key: after[key] for key in ("service", "what", "before", "after", "by", "why", "incident")} == {
        "service": "backend",
        "what": "memory limit of saveit-backend",
        "before": "512 MiB",
        "after": "768 MiB",
        "by": "alice@ops1",
        "why": "backend uses 96 % of its limit",
        "incident": "memory-1",
    }
    assert result.returned["limits"][0]["change_id"] == after["id"]
    assert f"put it back with `saveit-remediate revert {after['id']}`" in result.sentence
    listed = host.run(_temporary_changes).returned
    assert [each["expired"] for each in listed["changes"]] == [False]
    assert "put_back" not in listed["changes"][0]


def test_it_is_put_back_and_the_record_is_gone(host: Host) -> None:
    host.raise_memory()
    id_ = host.kept[0]["id"]
    result = host.revert(id_)
    assert (result.verdict, result.changed, host.containers, host.kept) == ("put-back", True, {"1": 512}, [])
    assert result.sentence == (
        f"{id_}: put back the memory limit of backend: saveit-backend from 768 to 512 MiB"
    )
    (event,) = result.returned["remediation_events"]
    assert (event["kind"], event["id"], event["incident"]) == ("put-back", id_, "memory-1")


def test_check_mode_says_what_would_be_put_back_and_writes_nothing(host: Host) -> None:
    host.raise_memory()
    before = host.file.read_bytes()
    result = host.revert(host.kept[0]["id"], check_mode=True)
    assert result.verdict == "planned"
    assert "would put back the memory limit of backend" in result.sentence
    assert (len(host.updates), host.file.read_bytes()) == (1, before)
    host.raise_memory(check_mode=True)
    assert host.file.read_bytes() == before


def test_without_ids_only_what_has_expired_is_put_back_the_newest_first(host: Host) -> None:
    nothing = host.revert()
    assert (nothing.verdict, nothing.sentence) == (
        "nothing",
        "nothing to put back on saveit on staging: nothing is changed for a time",
    )
    host.raise_memory()
    host.raise_memory()
    assert host.containers == {"1": 1152}
    assert "the first of 2 changes expires" in host.revert().sentence
    host.expire()
    result = host.revert()
    assert [each["word"] for each in result.returned["reverted"]] == ["put-back", "put-back"]
    assert (host.containers, host.kept) == ({"1": 512}, [])


def test_a_later_change_of_ours_is_named_when_it_is_in_the_way(host: Host) -> None:
    host.raise_memory()
    host.raise_memory(holder="carol@ops3", incident="memory-2")
    result = host.revert(host.kept[0]["id"])
    assert (result.verdict, len(host.kept)) == ("left", 2)
    assert "has 1152 MiB, not the 768 that were set" in result.sentence
    assert f"carol@ops3 changed it since (change {host.kept[1]['id']}, incident memory-2)" in result.sentence


def test_what_somebody_else_has_set_is_left_alone(host: Host) -> None:
    host.raise_memory()
    host.containers["1"] = 3000
    result = host.revert(host.kept[0]["id"])
    assert (result.verdict, host.containers, len(host.kept)) == ("left", {"1": 3000}, 1)
    assert "saveit-backend has 3000 MiB, not the 768 that were set" in result.returned["left"][0]
    forgotten = host.run(_temporary_changes, step="forget", ids=[host.kept[0]["id"]])
    assert (host.kept, host.containers) == ([], {"1": 3000})
    assert "it stays as it is" in forgotten.sentence


@pytest.mark.parametrize(
    ("happened", "said"),
    [
        (lambda host: host.containers.update({"1": 512}), "has its old memory limit of 512 MiB again"),
        (lambda host: host.__setattr__("containers", {"2": 512}), "was made anew since the raise"),
        (lambda host: host.containers.clear(), "has gone with its service"),
        (lambda host: (host.containers.clear(), host.__setattr__("project", False)), "has gone with its"),
    ],
    ids=["the old value", "made anew", "no container", "no project"],
)
def test_of_what_nothing_is_left_the_record_is_dropped(
    host: Host, happened: Callable[[Host], Any], said: str
) -> None:
    host.raise_memory()
    happened(host)
    result = host.revert(host.kept[0]["id"])
    assert (result.verdict, host.kept) == ("over", [])
    assert said in result.sentence


def cut(*_ignored: Any) -> None:
    raise PowerCut


@pytest.mark.parametrize(("moment", "word"), [("at_update", "over"), ("after_update", "put-back")])
def test_a_crash_loses_nothing(host: Host, moment: str, word: str) -> None:
    setattr(host, moment, cut)
    with pytest.raises(PowerCut):
        host.raise_memory()
    assert [each["state"] for each in host.kept] == ["begun"]
    setattr(host, moment, lambda: None)
    assert host.revert(host.kept[0]["id"]).verdict == word
    assert (host.containers, host.kept) == ({"1": 512}, [])


def test_a_change_that_failed_has_no_record_and_one_that_was_made_all_the_same_has(host: Host) -> None:
    def refuse() -> None:
        raise FailedError("the engine refuses")

    host.at_update = refuse
    with pytest.raises(FailedError, match=r"^the engine refuses$"):
        host.raise_memory()
    assert host.kept == []
    host.at_update, host.after_update = lambda: None, refuse
    with pytest.raises(FailedError, match="it may have changed all the same: put it back with"):
        host.raise_memory()
    assert [each["state"] for each in host.kept] == ["begun"]


def test_without_a_record_nothing_is_changed(host: Host) -> None:
    host.raise_memory()
    host.file.write_text("{", "utf-8")

    def read() -> Any:
        return host.run(_temporary_changes)

    steps: tuple[Callable[[], Any], ...] = (host.raise_memory, host.revert, read)
    for step in steps:
        with pytest.raises(ObstacleError, match="cannot read the interlock of saveit on staging"):
            step()
    assert host.containers == {"1": 768}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"step": "pause", "reason": "database move", "until": "2036-01-01T00:00:00Z"}, "database move"),
        ({"step": "begin", "services": ["backend"], "remedy": "x.y"}, "is being remediated by carol@ops3"),
    ],
    ids=["paused", "leased"],
)
def test_a_revert_honours_lease_and_pause(host: Host, other: dict[str, Any], said: str) -> None:
    host.raise_memory()
    host.run(_interlock, **other, holder="carol@ops3")
    result = host.revert(host.kept[0]["id"])
    assert (result.verdict, host.containers, len(host.kept)) == ("left", {"1": 768}, 1)
    assert said in result.sentence


def test_the_lease_of_a_revert_is_held_while_it_works_and_released(host: Host) -> None:
    host.raise_memory()
    held: list[Any] = []
    host.at_update = lambda: held.append(
        json.loads(host.file.read_text("utf-8"))["leases"]["backend"]["holder"]
    )
    host.revert(host.kept[0]["id"])
    assert held == ["bob@ops2"]
    assert json.loads(host.file.read_text("utf-8"))["leases"] == {}


def test_who_is_always_slower_leaves_it_with_a_sentence(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.raise_memory()
    with monkeypatch.context() as patch:
        patch.setattr("ansible_collections.saveit.remediation.plugins.module_utils._interlock_compose.save",
                      lambda *_arguments: False)  # fmt: skip
        result = host.revert(host.kept[0]["id"])
    assert (result.verdict, host.containers, len(host.kept)) == ("left", {"1": 768}, 1)
    assert f"{store.TRIES} times somebody else was quicker" in result.sentence


def test_an_unknown_id_comes_with_those_that_there_are(host: Host) -> None:
    host.raise_memory()
    result = host.revert("beef")
    id_ = host.kept[0]["id"]
    assert result.returned["unknown"] == (
        f"saveit on staging has no change beef; it has {id_} (memory limit of saveit-backend)"
    )
    assert (result.verdict, len(host.updates)) == ("nothing", 1)


@pytest.mark.parametrize(
    ("module", "parameters"),
    [
        ("service_exec", {"put_back": [{}]}),
        ("service_limits", {"docker_command": ["sh"], "put_back": [{}]}),
        ("service_limits", {"resource": "disk", "put_back": [{}]}),
        ("service_limits", {"service": ["backend"], "put_back": [{}]}),
        ("service_limits", {"put_back": []}),
        ("service_limits", {"put_back": ["x"]}),
    ],
)
def test_a_record_that_asks_for_something_else_is_damaged(
    host: Host, module: str, parameters: dict[str, Any]
) -> None:
    """Everybody on the host can write it: nothing in it is a command."""
    host.raise_memory()
    host.rewrite(
        put_back={"module": module, "parameters": {"service": "backend", "resource": "memory", **parameters}}
    )
    result = host.revert(host.kept[0]["id"])
    assert (result.verdict, len(host.updates)) == ("left", 1)
    assert "its record is damaged" in result.sentence


@pytest.mark.parametrize(
    "values", [{"expires": "soon"}, {"by": None}, {"put_back": "docker"}, {"put_back": {"parameters": []}}]
)
def test_a_document_with_a_damaged_record_is_unreadable(host: Host, values: dict[str, Any]) -> None:
    host.raise_memory()
    host.rewrite(**values)
    with pytest.raises(ObstacleError, match="its changes are damaged"):
        host.revert()


@pytest.mark.parametrize("module", [_service_limits, _service_scale])
@pytest.mark.parametrize("minutes", [0, -5, 129601])
def test_a_change_lasts_up_to_90_days(host: Host, module: Any, minutes: int) -> None:
    with pytest.raises(FailedError, match=rf"minutes is {minutes}, wanted 1 to 129600"):
        host.run(module, service="backend", resource="memory", minutes=minutes)


def test_a_record_that_is_nobodys_any_more_goes_when_the_same_is_changed_anew(host: Host) -> None:
    host.raise_memory()
    host.containers["1"] = 600
    host.raise_memory()
    assert [(each["before"], each["after"]) for each in host.kept] == [("600 MiB", "900 MiB")]


def test_the_document_does_not_grow_for_ever(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST", 1)
    host.raise_memory()
    with pytest.raises(FailedError, match="cannot record another change of saveit on staging: there are 1"):
        host.raise_memory()
    assert host.containers == {"1": 768}


def test_the_release_tells_what_of_the_incident_is_still_changed(host: Host) -> None:
    host.raise_memory()
    told = host.run(_interlock, step="release", incident="memory-1").returned["remediation_events"]
    assert [(each["kind"], [one["what"] for one in each["changes"]]) for each in told] == [
        ("still-changed", ["memory limit of saveit-backend"])
    ]
    assert host.run(_interlock, step="release", incident="memory-2").returned["remediation_events"] == []
