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
    remedy: str, needs: str = "agreement", result: str = "possible", target: str = "a", **more: Any
) -> Action:
    return Action(remedy, target, remedy, result, "because", risk="low", needs=needs, **more)


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


SIGN = "high risk at sev1 in production: a second person has to sign an approval"


@pytest.mark.parametrize(
    ("offered", "agreed", "allowed", "reason"),
    [
        (action("kick", "nothing"), False, True, "because"),
        (action("kick", "agreement"), True, True, "because"),
        (action("kick", "agreement"), False, False, "nobody agreed to it (--yes)"),
        (action("kick", ""), False, False, "nobody agreed to it (--yes)"),  # a playbook that does not say
        (action("kick", ""), True, True, "because"),
        (action("kick", "approval"), True, True, "because"),  # the ladder lacks nothing, so it was given
        (action("kick", "approval"), False, False, "nobody agreed to it (--yes)"),
        (action("kick", "second-person", lacks=SIGN), True, False, SIGN),
        (action("kick", "nothing", lacks="above ladder_max_risk"), True, False, "above ladder_max_risk"),
        (action("kick", result="skipped"), True, False, "because"),
        (action("kick", target="b"), True, False, "nothing is wrong there"),
        (action("kick", forbidden="our account may not kick"), True, False, "our account may not kick"),
    ],
)
def test_policy(offered: Action, agreed: bool, allowed: bool, reason: str) -> None:
    (step,) = make_plan(sick("a"), [offered], PLAYBOOK, agreed).steps
    assert (step.allowed, step.reason) == (allowed, reason)


def test_a_check_needs_neither_agreement_nor_approval() -> None:
    offered = [action("kick"), action("burn", "second-person", lacks=SIGN)]
    plan = make_plan(sick("a"), offered, PLAYBOOK, agreed=False, check=True)
    assert [step.remedy for step in plan.allowed] == ["kick", "burn"]


def test_a_remedy_that_is_not_for_this_may_follow_later() -> None:
    offered = [action("kick"), action("wait", result="skipped")]
    assessment = sick("a")
    plan = make_plan(assessment, offered, PLAYBOOK, agreed=True)
    assert [(step.remedy, step.allowed, step.later) for step in plan.steps] == [
        ("kick", True, False),
        ("wait", False, True),
    ]
    assert plan.for_ladder(assessment, ["a"])["a"]["remedies"] == ["kick", "wait"]


def test_what_only_the_policy_withholds_is_for_the_ladder_to_refuse() -> None:
    offered = [
        action("kick"),
        action("burn", "second-person", lacks=SIGN),
        action("dig", forbidden="may not"),
    ]
    assessment = sick("a")
    plan = make_plan(assessment, offered, PLAYBOOK, agreed=True)
    assert [step.remedy for step in plan.denied] == ["burn", "dig"]
    assert plan.for_ladder(assessment, ["a"])["a"]["remedies"] == ["kick", "burn"]


def test_what_the_platform_forbids_is_denied_and_does_not_follow_later() -> None:
    offered = [action("kick", forbidden="may not"), action("wait", result="skipped", forbidden="may not")]
    assessment = sick("a")
    plan = make_plan(assessment, offered, PLAYBOOK, agreed=True)
    assert [step.remedy for step in plan.denied] == ["kick"]
    assert plan.for_ladder(assessment, ["a"])["a"]["remedies"] == []


def test_the_ladder_gets_a_plan_for_each_host_even_the_healthy_ones() -> None:
    assessment = sick("a", "b")
    offered = [action("kick"), action("burn", forbidden="may not"), action("kick", target="b")]
    plan = make_plan(assessment, offered, PLAYBOOK, agreed=True)
    assert plan.for_ladder(assessment, ["a", "b", "c"]) == {
        "a": {"assessed": ["frob-dead"], "remedies": ["kick"]},
        "b": {"assessed": ["frob-dead"], "remedies": ["kick"]},
        "c": {"assessed": [], "remedies": []},
    }
