"""How many may be touched at a time, and when nobody may: rows of tables, and the ladder that asks."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.saveit.remediation.plugins.module_utils._blast_radius import (
    NOBODY,
    SERIAL,
    hosts_of,
    serial_of,
    why_no_more,
    why_too_many,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._ladder import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

ROLE = Path(__file__).resolve().parents[3] / "collections/ansible_collections/saveit/remediation/roles/ladder"
POLICY = yaml.safe_load((ROLE / "files/policy.yml").read_text("utf-8"))
GROUPS = {"all": ["a", "b", "c"]}
SICK = {**GROUPS, "remediation_sick": ["c", "b"]}  # as they joined
CLEARED = {**SICK, "remediation_cleared": ["b"]}
PLAN = {"a": {"assessed": [], "remedies": []}, "b": {"assessed": ["down"], "remedies": ["start"]}}
WORSE = {"actions": [{"result": "worse", "remedy": "start", "sentence": "it burns"}], "verdict": "unresolved"}


@pytest.mark.parametrize(
    ("groups", "plan", "look", "count", "act", "end"),
    [
        pytest.param(GROUPS, {}, ["all"], NOBODY, NOBODY, NOBODY, id="all are healthy"),
        pytest.param(SICK, {}, ["all"], ["all"], NOBODY, ["b", "c"], id="too many are sick"),
        pytest.param(CLEARED, {}, ["all"], ["all"], ["b"], ["b", "c"], id="one may be remedied"),
        pytest.param(GROUPS, PLAN, NOBODY, ["b"], ["b"], ["b"], id="a plan was made"),
        pytest.param(CLEARED, {"a": {}}, NOBODY, NOBODY, NOBODY, NOBODY, id="the plan is for nobody"),
    ],
)
def test_who_takes_part_in_a_play(groups: Any, plan: Any, look: Any, count: Any, act: Any, end: Any) -> None:
    found = [list(hosts_of(stage, groups, plan)) for stage in ("look", "count", "act", "end")]
    assert found == [list(each) for each in (look, count, act, end)]


@pytest.mark.parametrize("stage", ["look", "count", "act", "end"])
@pytest.mark.parametrize("groups", [{}, {"all": []}])
def test_an_empty_set_is_an_error_and_never_everything(groups: Any, stage: str) -> None:
    with pytest.raises(FailedError, match="has no host"):
        hosts_of(stage, groups, PLAN)


@pytest.mark.parametrize(
    ("given", "sizes"),
    [(None, list(SERIAL)), (2, [2]), ("1,50%", ["1", "50%"]), ([1, "25%"], [1, "25%"]), ("100%", ["100%"])],
)
def test_sizes_of_batches(given: Any, sizes: list[Any]) -> None:
    assert serial_of(given) == sizes


@pytest.mark.parametrize("given", [0, "0%", "101%", -1, "", [], True, {"a": 1}, ["1", "many"], 1.5, "١"])
def test_a_size_that_is_none_is_an_error(given: Any) -> None:
    with pytest.raises(FailedError, match="cannot take ladder_serial"):
        serial_of(given)


def known(word: str) -> dict[str, dict[str, Any]]:
    """One target for each letter: sick, healthy, unreachable, or without a ladder."""
    states: dict[str, dict[str, Any]] = {
        "s": {"current": ["down"], "verdict": "diagnosed"},
        "h": {"current": [], "verdict": "healthy"},
        "u": {"current": [], "verdict": "stopped"},
        "-": {},
    }
    return {f"{letter}{place}": states[letter] for place, letter in enumerate(word)}


@pytest.mark.parametrize(
    ("word", "most", "refused"),
    [
        ("s", 50, ""), ("ss", 0, ""), ("su", 50, ""),  # of one or two a share says nothing
        ("hhh", 0, ""), ("uuu", 0, ""), ("---", 0, ""),
        ("shh", 50, ""), ("sshh", 50, ""), ("sss", 100, ""), ("shu", 50, ""),
        ("ssh", 50, "2 of 3 targets are sick at once (s0, s1), and no more than 50 % may be"),
        ("ssshh", 50, "3 of 5 targets are sick"), ("shh", 33, "1 of 3"), ("shh", 0, "1 of 3"),
        ("suu", 50, "not looked at, and counted as neither: u1, u2"),
        ("sshh----", 50, ""), ("ssh-", 50, "2 of 3 targets"), ("ssh-", 50, "counted as neither: -3"),
        ("s" * 12, 50, "s8, s9 and 2 more)"),
    ],
)  # fmt: skip
def test_when_too_many_are_sick_at_once(word: str, most: float, refused: str) -> None:
    found = why_too_many(known(word), most)
    assert (refused in found) if refused else (found == "")


@pytest.mark.parametrize("most", [-1, 101])
def test_a_share_that_is_none_is_an_error(most: float) -> None:
    with pytest.raises(FailedError, match="wanted 0 to 100"):
        why_too_many(known("shh"), most)


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        pytest.param({}, "", id="the first batch"),
        pytest.param(known("sh-"), "", id="only looked at"),
        pytest.param({"a": {**WORSE, "actions": [{"result": "no_help"}]}}, "", id="it did not help"),
        pytest.param({"a": WORSE}, "a got worse by start (it burns)", id="worse"),
        pytest.param({"a": {"remedy_started": 5.0, "verdict": "", "remedy": {"id": "start"}}},
                     "a was lost while start was done to it", id="lost"),
        pytest.param({"a": {"remedy_started": 5.0, "verdict": "recovered"}}, "", id="recovered"),
    ],
)  # fmt: skip
def test_when_one_before_got_worse_no_other_is_touched(before: Any, reason: str) -> None:
    assert why_no_more(before) == reason


RUNBOOK = {
    "id": "cache", "title": "Cache trouble", "findings": [{"id": "down", "next": "Look."}], "remedies": [],
    "severity": {"default": "sev3"}, "verify": {"hold_seconds": 1, "criteria": []},
}  # fmt: skip


def step(name: str, **given: Any) -> dict[str, Any]:
    usual = {key: copy.deepcopy(spec.get("default")) for key, spec in ARGUMENTS.items()}
    values = run(
        {**usual, "policy": POLICY, "step": name, **given},
        Carrier(no_command, lambda: 100.0, lambda _seconds: None),
    )
    return json.loads(json.dumps(values.as_return()))  # type: ignore[no-any-return]


def no_command(command: Any, _stdin: str) -> Any:
    raise AssertionError(command)


def looked(sick: bool) -> dict[str, Any]:
    """The ladder of a host after the play that only looks, whatever the mode."""
    state = step("open", target="host", runbook=RUNBOOK, stage="look", mode="remediate")
    finding = {"id": "down", "subject": "cache", "sentence": "cache is down"}
    seen = {"observed_at": 200.0, "findings": [finding] if sick else [], "evidence": []}
    return step("assess", state=state, observed=[seen])


def others(word: str) -> dict[str, str]:
    return {host: json.dumps(state) if state else "" for host, state in known(word).items()}


@pytest.mark.parametrize(
    ("sick", "mode", "word", "verdict", "stage"),
    [
        (True, "remediate", "hh", "diagnosed", "cleared"), (True, "diagnose", "hh", "diagnosed", "counted"),
        (True, "remediate", "sh", "stopped", "counted"), (True, "diagnose", "s-", "stopped", "counted"),
        (False, "remediate", "ss", "healthy", "counted"), (True, "remediate", "", "diagnosed", "cleared"),
    ],
)  # fmt: skip
def test_the_ladder_is_cleared_when_few_enough_are_sick(
    sick: bool, mode: str, word: str, verdict: str, stage: str
) -> None:
    state = looked(sick)
    assert state["final"] is True
    counted = step("count", state=state, mode=mode, others=others(word))
    assert (counted["verdict"], counted["stage"], counted["final"]) == (verdict, stage, True)
    obstacles = [each for each in counted["findings"] if each["kind"] == "obstacle"]
    assert [each["outcome"] for each in obstacles] == (["refused"] if verdict == "stopped" else [])
    assert all(each["next"].startswith("Escalate: ") for each in obstacles)


def test_a_rule_that_nobody_can_read_lets_nobody_act() -> None:
    counted = step("count", state=looked(True), mode="remediate", max_unhealthy_percent=500.0)
    assert (counted["verdict"], counted["stage"]) == ("stopped", "counted")


def test_the_ladder_of_a_later_batch_does_not_begin() -> None:
    opening = {"target": "host", "runbook": RUNBOOK, "stage": "act"}
    assert step("open", **opening, others=others("s-h"))["final"] is False
    stopped = step("open", **opening, others={"a": json.dumps(WORSE), "b": ""})
    assert (stopped["final"], stopped["gave_up"], stopped["verdict"]) == (True, True, "stopped")
    (finding,) = stopped["findings"]
    assert finding["sentence"] == "host was not touched, as a got worse by start (it burns)"
