"""Several targets in one run: each has an outcome of its own, and the worst decides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from saveit_remediate.assess import Assessment
from saveit_remediate.catalog import Playbook, Runbook
from saveit_remediate.catalog.read import read_runbook
from saveit_remediate.cli.remediate import question
from saveit_remediate.incident import Action, Evidence, Finding, Observation, Outcome, Severity
from saveit_remediate.plan import Plan, Step, make_plan
from saveit_remediate.report.document import TargetReport, alike
from saveit_remediate.respond.judgement import Judgement, joined, together
from saveit_remediate.respond.outcome import judge_remediation
from saveit_remediate.respond.untouched import judge_all_apart, judge_apart, judge_planned
from saveit_remediate.run import RunResult

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.controller.conftest import Site

BOOK = Playbook("frob", "a test")
KICK: dict[str, Any] = {"remedy": "kick", "title": "Kick it", "risk": "low", "sentence": "kicked"}


def sick(*hosts: str) -> tuple[Finding, ...]:
    return tuple(Finding("frob-dead", host, "frob", f"the frob of {host} is dead") for host in hosts)


def away(host: str, outcome: str = "unreachable") -> Finding:
    return Finding("x", host, host, f"cannot reach {host}", "obstacle", outcome)


def assessment(*symptoms: Finding, obstacles: tuple[Finding, ...] = ()) -> Assessment:
    return Assessment(symptoms, obstacles, Severity.SEV3, "a test")


def plan_for(found: Assessment) -> Plan:
    offered = [Action(target=host, result="possible", **KICK) for host in found.sick]
    return make_plan(found, offered, BOOK, agreed=True)


def outcomes(judged: Judgement) -> dict[str, str]:
    return {host: str(each.outcome) for host, each in judged.targets.items()}


def test_who_cannot_be_reached_keeps_nobody_from_help() -> None:
    found = assessment(*sick("a", "c"), obstacles=(away("b"), away("c", "refused")))
    apart = judge_apart(found, ("a", "b", "c", "d"))
    assert {host: str(each.outcome) for host, each in apart.items()} == {
        "b": "unreachable", "c": "refused", "d": "healthy",
    }  # fmt: skip
    assert apart["b"].sentence == "cannot reach b (nothing was touched on b)"
    whole = joined(together({"a": Judgement(Outcome.RECOVERED, "a: kicked")}), apart)
    assert (whole.outcome, whole.outcome.exit_code) == ("unreachable", 5)
    assert whole.sentence.startswith("a: kicked; cannot reach b")
    assert "d:" not in whole.sentence
    assert set(whole.targets) == {"a", "b", "c", "d"}


def test_what_stops_all_is_said_once() -> None:
    many = [
        Finding("too-many-sick", host, host, "too many", "obstacle", "refused", "Escalate.") for host in "ab"
    ]
    found = assessment(*sick("a", "b"), obstacles=tuple(many))
    judged = judge_all_apart(found, judge_apart(found, ("a", "b", "c")))
    assert judged.sentence == "too many (nothing was touched). Next: Escalate."
    assert outcomes(judged) == {"a": "refused", "b": "refused", "c": "healthy"}


@pytest.fixture
def runbook(site: Site, tmp_path: Path) -> Runbook:
    return read_runbook(site.roles / "frob" / "meta" / "runbook.yml", {})


def good(host: str) -> list[Evidence]:
    return [Evidence("frob.ok", host, True, at, "verify", "kick") for at in (100.0, 103.0)]


STOPPED = Finding("stopped-early", "b", "b", "b was not touched, as a got worse", "obstacle", "refused")


@pytest.mark.parametrize(
    ("result", "expected", "word"),
    [
        pytest.param(
            {"actions": {"a": "helped", "b": "helped"}, "evidence": good("a") + good("b")},
            {"a": "recovered", "b": "recovered"}, "", id="both recover",
        ),
        pytest.param(
            {"actions": {"a": "worse"}, "failed": {"a"}, "findings": (STOPPED,)},
            {"a": "unverified", "b": "refused"}, "not touched, as a got worse", id="a got worse",
        ),
        pytest.param(
            {"hosts": ("a",), "unreachable": {"a": "no route"}},
            {"a": "unreachable", "b": "refused"}, "in which a could not be gone on with", id="a was lost",
        ),
        pytest.param(
            {"hosts": ("a",), "actions": {"a": "helped"}, "evidence": good("a"), "status": "timeout",
             "problem": "it took too long"},
            {"a": "unresolved", "b": "unresolved"}, "b was not touched, as it took too long", id="time over",
        ),
    ],
)  # fmt: skip
def test_each_target_is_judged_by_what_was_seen_of_it(
    runbook: Runbook, result: dict[str, Any], expected: dict[str, str], word: str
) -> None:
    hosts = result.get("hosts", ("a", "b"))
    done = [Action(target=host, result=said, **KICK) for host, said in result.get("actions", {}).items()]
    seen = Observation(result.get("findings", ()), tuple(done), tuple(result.get("evidence", ())))
    ran = RunResult(
        result.get("status", "ended"), 0, seen, hosts, frozenset(hosts), frozenset(result.get("failed", ())),
        result.get("unreachable", {}), problem=result.get("problem", ""),
    )  # fmt: skip
    found = assessment(*sick("a", "b"))
    judged = judge_remediation(runbook, found, plan_for(found), ran, 2.0)
    assert outcomes(judged) == expected
    assert word in judged.targets["b"].sentence
    assert judged.outcome == together(judged.targets).outcome


def test_a_plan_says_of_each_target_what_would_be_tried() -> None:
    found = assessment(*sick("a", "b"))
    plan = plan_for(found.only(["a"]))
    judged = judge_planned(found, plan, plan.allowed, "this was a check")
    assert judged.sentence == "would try kick on a; nothing was touched, as this was a check"
    assert judged.targets["b"].sentence.startswith("the frob of b is dead. No remedy of the runbook helps")
    assert set(outcomes(judged).values()) == {"planned"}


@pytest.mark.parametrize(
    ("steps", "asked"),
    [
        ([("a", "kick")], "Try this remedy?"),
        ([("a", "kick"), ("a", "kill")], "Try these 2 remedies, one after the other until one helps?"),
        ([("a", "kick"), ("b", "kick")], "Try these 2 remedies on 2 targets, in batches beginning with a?"),
    ],
)
def test_the_question_says_how_many_are_touched(steps: list[tuple[str, str]], asked: str) -> None:
    made = [Step(host, remedy, remedy, "low", "", True, True, "") for host, remedy in steps]
    assert question(Plan(BOOK, Severity.SEV3, "", tuple(made))) == asked


def test_targets_that_ended_alike_are_told_of_together() -> None:
    ended = (("a", "x"), ("b", "y"), ("c", "x"))
    told = [TargetReport(host, Outcome.REFUSED, why, (), (), None) for host, why in ended]
    assert alike(told) == [("a, c", "refused", "x"), ("b", "refused", "y")]


def test_the_report_and_the_record_have_each_target(site: Site) -> None:
    site.hosts("alpha", "beta", "gamma")
    only = "inventory_hostname == '{}'"
    site.playbook(
        tell({"findings": [site.dead], "actions": [site.kick]}, "diagnose", only.format("alpha")),
        tell({}, "diagnose", only.format("beta")),
        {"name": "Fail", "ansible.builtin.fail": {"msg": "no way in"}, "when": only.format("gamma")},
        tell({"actions": [site.helped], "evidence": site.good}, "remediate", only.format("alpha")),
    )
    found = site.json("--yes")
    assert {each["target"]: each["outcome"] for each in found["targets"]} == {
        "alpha": "recovered", "beta": "healthy", "gamma": "unreachable",
    }  # fmt: skip
    assert (found["outcome"], found["exit_code"]) == ("unreachable", 5)
    alpha, _beta, gamma = found["targets"]
    assert [action["result"] for action in alpha["actions"]] == ["helped"]
    assert alpha["verification"]["verdict"] == found["verification"]["verdict"] == "recovered"
    assert "no way in" in gamma["findings"][0]["sentence"]
    closed = json.loads(site.run("show", "last", "--json").stdout)["events"][-1]
    assert [each["outcome"] for each in closed["payload"]["targets"]] == [
        "recovered",
        "healthy",
        "unreachable",
    ]


def tell(content: dict[str, Any], mode: str, when: str) -> dict[str, Any]:
    stats = {"data": {"remediation": content}}
    return {"name": "Tell", "ansible.builtin.set_stats": stats, "when": [f"ladder_mode == '{mode}'", when]}
