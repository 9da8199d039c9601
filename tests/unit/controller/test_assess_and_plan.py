"""Pure decisions: how bad it is, and what may be tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from saveit_remediate.assess import Assessment, assess
from saveit_remediate.catalog import Playbook, Runbook, find, open_catalog
from saveit_remediate.incident import Action, Finding, Observation, Severity
from saveit_remediate.plan import make_plan

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site

PLAYBOOK = Playbook("x", "why")


@pytest.fixture
def runbook(site: Site) -> Runbook:
    return find(open_catalog(site.folder, []), "frob")


def finding(id_: str, target: str = "a", **more: Any) -> Finding:
    return Finding(id_, target, "frob", f"{id_} was seen", **more)


def seen(*findings: Finding) -> Observation:
    return Observation(findings=findings)


def action(
    remedy: str, risk: str = "low", result: str = "possible", target: str = "a", forbidden: str = ""
) -> Action:
    return Action(remedy, target, remedy, result, "because", risk=risk, forbidden=forbidden)


def test_symptoms_are_in_rank_order_with_their_next_step(runbook: Runbook) -> None:
    found = assess(runbook, seen(finding("new"), finding("frob-slow"), finding("frob-dead")))
    assert [(one.id, one.next) for one in found.symptoms] == [
        ("frob-dead", "Look at it."),
        ("frob-slow", "Wait."),
        ("new", ""),
    ]


@pytest.mark.parametrize(
    ("findings", "given", "severity", "why"),
    [
        ([], None, "sev3", "the runbook's default"),
        (["frob-slow"], None, "sev3", "the runbook's default"),
        (["frob-slow", "frob-dead"], None, "sev2", "the runbook counts frob-dead as sev2"),
        (["frob-dead"], Severity.SEV4, "sev4", "given with --severity"),
    ],
)
def test_severity(
    runbook: Runbook, findings: list[str], given: Severity | None, severity: str, why: str
) -> None:
    found = assess(runbook, seen(*map(finding, findings)), given)
    assert found.severity == severity
    assert why in found.why


def test_obstacles_are_no_symptoms_and_make_nothing_worse(runbook: Runbook) -> None:
    found = assess(runbook, seen(finding("frob-dead", kind="obstacle", outcome="refused")))
    assert (len(found.symptoms), len(found.obstacles), found.severity) == (0, 1, "sev3")


def test_context_is_told_and_makes_nothing_sick(runbook: Runbook) -> None:
    found = assess(runbook, seen(finding("http-slow", kind="context"), finding("odd", kind="unheard-of")))
    assert [one.id for one in found.context] == ["http-slow"]
    assert [one.id for one in found.symptoms] == ["odd"]


def sick(*targets: str) -> Assessment:
    return Assessment(tuple(finding("frob-dead", target) for target in targets), (), Severity.SEV2, "why")


@pytest.mark.parametrize(
    ("offered", "max_risk", "allowed", "reason"),
    [
        (action("kick"), "medium", True, "because"),
        (action("kick", "medium"), "medium", True, "because"),
        (action("kick", "medium"), "low", False, "medium risk is above ladder_max_risk=low"),
        (action("kick", "high"), "medium", False, "high risk needs an approval: -e ladder_max_risk=high"),
        (action("kick", "high"), "high", True, "because"),
        (action("kick", "odd"), "high", False, "its risk 'odd' is none of low, medium, high"),
        (action("kick", result="skipped"), "high", False, "because"),
        (action("kick", target="b"), "high", False, "nothing is wrong there"),
        (action("kick", forbidden="our account may not kick"), "high", False, "our account may not kick"),
    ],
)
def test_policy(offered: Action, max_risk: str, allowed: bool, reason: str) -> None:
    (step,) = make_plan(sick("a"), [offered], PLAYBOOK, max_risk).steps
    assert (step.allowed, step.reason) == (allowed, reason)


def test_a_remedy_that_is_not_for_this_may_follow_later_when_policy_allows_it() -> None:
    offered = [action("kick"), action("wait", result="skipped"), action("burn", "high", result="skipped")]
    assessment = sick("a")
    plan = make_plan(assessment, offered, PLAYBOOK)
    assert [(step.remedy, step.allowed, step.later) for step in plan.steps] == [
        ("kick", True, False),
        ("wait", False, True),
        ("burn", False, False),
    ]
    assert plan.for_ladder(assessment, ["a"])["a"]["remedies"] == ["kick", "wait"]


def test_what_the_platform_forbids_is_denied_and_does_not_follow_later() -> None:
    offered = [action("kick", forbidden="may not"), action("wait", result="skipped", forbidden="may not")]
    assessment = sick("a")
    plan = make_plan(assessment, offered, PLAYBOOK)
    assert [step.remedy for step in plan.denied] == ["kick"]
    assert plan.for_ladder(assessment, ["a"])["a"]["remedies"] == []


def test_the_ladder_gets_a_plan_for_each_host_even_the_healthy_ones() -> None:
    assessment = sick("a", "b")
    offered = [action("kick"), action("burn", "high"), action("kick", target="b")]
    plan = make_plan(assessment, offered, PLAYBOOK)
    assert plan.for_ladder(assessment, ["a", "b", "c"]) == {
        "a": {"assessed": ["frob-dead"], "remedies": ["kick"]},
        "b": {"assessed": ["frob-dead"], "remedies": ["kick"]},
        "c": {"assessed": [], "remedies": []},
    }
