"""Judge hosts to which nothing is done: nothing is wrong there, may be tried, or was agreed to. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from saveit_remediate.assess import Assessment
from saveit_remediate.incident import Finding, Outcome
from saveit_remediate.plan import Plan, Step
from saveit_remediate.report.screen import next_steps
from saveit_remediate.respond.judgement import Judgement, together, worst


def judge_obstacles(obstacles: Iterable[Finding], where: str = "") -> Judgement:
    """Nothing was touched, because of these; `where` it was not, when other hosts were."""
    found = list(obstacles)
    outcome = worst(outcome_of(finding) for finding in found)
    sentence = "; ".join(dict.fromkeys(finding.sentence for finding in found))
    advice = next_steps([(finding.id, finding.next) for finding in found])
    ending = f" (nothing was touched{where})" + (f". Next: {advice}" if advice else "")
    return Judgement(outcome, sentence + ending)


def judge_healthy(assessment: Assessment, hosts: Iterable[str]) -> Judgement:
    """No symptom anywhere; what was seen besides is told."""
    besides = "; ".join(finding.sentence for finding in assessment.context)
    ending = f" (seen besides: {besides})" if besides else ""
    return Judgement(Outcome.HEALTHY, f"{', '.join(hosts)}: nothing is wrong; nothing was touched{ending}")


def judge_apart(assessment: Assessment, hosts: Iterable[str]) -> dict[str, Judgement]:
    """The hosts that no remedy is for: where something stands in the way, or nothing is wrong."""
    apart = {}
    stopped = {finding.target for finding in assessment.obstacles}
    others = set(assessment.sick) - stopped  # that may be touched
    for host in dict.fromkeys((*hosts, *sorted(stopped))):
        mine = [finding for finding in assessment.obstacles if finding.target == host]
        if mine:
            apart[host] = judge_obstacles(mine, f" on {host}" if others else "")
        elif not assessment.of(host):
            apart[host] = judge_healthy(assessment.only([host]), [host])
    return apart


def judge_all_apart(assessment: Assessment, apart: dict[str, Judgement]) -> Judgement:
    """No host is left to remedy."""
    found = assessment.obstacles
    whole = judge_obstacles(found) if found else judge_healthy(assessment, apart)
    return dataclasses.replace(whole, targets=apart)


def judge_helpless(assessment: Assessment, plan: Plan) -> Judgement:
    """Something is wrong, and no remedy may be tried."""
    return together({host: _helpless(host, assessment, plan) for host in assessment.sick})


def judge_planned(assessment: Assessment, plan: Plan, steps: Iterable[Step], why: str) -> Judgement:
    """Nothing was done of the `steps`, and `why`; where there are none, nothing could be done."""
    each = {}
    mine = [step for step in steps if step.target in assessment.sick]
    for host in assessment.sick:
        names = ", then ".join(step.remedy for step in mine if step.target == host)
        helpless = f"{_helpless(host, assessment, plan).sentence} (nothing was touched)"
        told = f"{host}: would try {names}; nothing was touched, as {why}" if names else helpless
        each[host] = Judgement(Outcome.PLANNED, told)
    if not mine:
        return together(each)
    names = ", then ".join(f"{step.remedy} on {step.target}" for step in mine)
    return Judgement(Outcome.PLANNED, f"would try {names}; nothing was touched, as {why}", targets=each)


def _helpless(host: str, assessment: Assessment, plan: Plan) -> Judgement:
    seen = "; ".join(finding.sentence for finding in assessment.of(host))
    mine = [step for step in plan.denied if step.target == host]
    denied = dict.fromkeys(f"{step.remedy}: {step.reason}" for step in mine)
    because = f"No remedy may be tried ({'; '.join(denied)})" if denied else "No remedy of the runbook helps"
    advice = next_steps([(finding.id, finding.next) for finding in assessment.of(host)])
    ending = f" Next: {advice}" if advice else ""
    return Judgement(Outcome.UNRESOLVED, f"{seen}. {because}.{ending}")


def outcome_of(finding: Finding) -> Outcome:
    """What an obstacle leads to."""
    return Outcome.UNREACHABLE if finding.outcome == Outcome.UNREACHABLE else Outcome.REFUSED
