"""Decide how it ended, host by host; the worst host decides for all. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from saveit_remediate.assess import Assessment
from saveit_remediate.catalog import Runbook
from saveit_remediate.incident import Action, Finding, Outcome
from saveit_remediate.plan import Plan
from saveit_remediate.report.screen import next_steps
from saveit_remediate.run import RunResult
from saveit_remediate.verify import Verification, verify

_WORSE = (
    Outcome.HEALTHY,
    Outcome.RECOVERED,
    Outcome.PLANNED,
    Outcome.UNVERIFIED,
    Outcome.UNRESOLVED,
    Outcome.REFUSED,
    Outcome.UNREACHABLE,
)
_VERDICTS = ("recovered", "unverified", "unresolved")


@dataclass(frozen=True)
class Judgement:
    """How it ended, with the sentence why."""

    outcome: Outcome
    sentence: str
    verification: Verification | None = None
    outdated: bool = False  # nothing was touched, as the world had changed since the plan was made


def is_outdated(result: RunResult) -> bool:
    """Did the remedies stay away because the world was not what the plan was made for?"""
    changed = any(one.is_obstacle and one.id == "world-changed" for one in result.observation.findings)
    return changed and not any(action.is_done for action in result.observation.actions)


def judge_obstacles(obstacles: Iterable[Finding]) -> Judgement:
    """Nothing was touched, because of these."""
    found = list(obstacles)
    outcome = worst(_outcome_of(finding) for finding in found)
    sentence = "; ".join(dict.fromkeys(finding.sentence for finding in found))
    advice = next_steps([(finding.id, finding.next) for finding in found])
    return Judgement(outcome, f"{sentence} (nothing was touched)" + (f". Next: {advice}" if advice else ""))


def judge_healthy(assessment: Assessment, hosts: Iterable[str]) -> Judgement:
    """No symptom anywhere; what was seen besides is told."""
    besides = "; ".join(finding.sentence for finding in assessment.context)
    ending = f" (seen besides: {besides})" if besides else ""
    return Judgement(Outcome.HEALTHY, f"{', '.join(hosts)}: nothing is wrong; nothing was touched{ending}")


def judge_helpless(assessment: Assessment, plan: Plan) -> Judgement:
    """Something is wrong, and no remedy may be tried."""
    seen = "; ".join(finding.sentence for finding in assessment.symptoms)
    denied = dict.fromkeys(f"{step.remedy}: {step.reason}" for step in plan.denied)
    because = f"No remedy may be tried ({'; '.join(denied)})" if denied else "No remedy of the runbook helps"
    advice = next_steps([(finding.id, finding.next) for finding in assessment.symptoms])
    ending = f" Next: {advice}" if advice else ""
    return Judgement(Outcome.UNRESOLVED, f"{seen}. {because}.{ending}")


def judge_remediation(
    runbook: Runbook, assessment: Assessment, plan: Plan, result: RunResult, hold_seconds: float
) -> Judgement:
    """After the remedies. Recovered only where the evidence says so."""
    each = [_judge_host(host, runbook, assessment, plan, result, hold_seconds) for host in assessment.sick]
    verifications = [item.verification for item in each if item.verification]
    combined = None
    if verifications:
        combined = Verification(
            verdict=max((item.verdict for item in verifications), key=_VERDICTS.index),
            sentence="; ".join(item.sentence for item in verifications),
            results=tuple(one for item in verifications for one in item.results),
        )
    sentence = "; ".join(item.sentence for item in each)
    return Judgement(worst(item.outcome for item in each), sentence, combined, is_outdated(result))


def _judge_host(
    host: str, runbook: Runbook, assessment: Assessment, plan: Plan, result: RunResult, hold_seconds: float
) -> Judgement:
    if host in result.unreachable:
        return Judgement(Outcome.UNREACHABLE, f"cannot reach {host}: {result.unreachable[host]}")
    findings = [one for one in result.observation.findings if one.target == host and one.kind != "context"]
    obstacles = [finding for finding in findings if finding.is_obstacle]
    actions = [action for action in result.observation.actions if action.target == host]
    done = [action for action in actions if action.is_done]
    tried = [f"{action.title or action.remedy}: {action.sentence or action.result}" for action in done]
    if obstacles:
        sentence = "; ".join([*tried, *(finding.sentence for finding in obstacles)])
        # Something was done, and then we could not look: nobody knows whether it helped.
        outcome = Outcome.UNVERIFIED if done else worst(_outcome_of(finding) for finding in obstacles)
        return Judgement(outcome, sentence)
    if not any(step.target == host for step in plan.allowed):
        return judge_helpless(_only(assessment, host), plan)
    if host in result.published and not done and not findings and host not in result.failed:
        return Judgement(Outcome.HEALTHY, f"{host} got well by itself before anything was done")
    verification = verify(
        runbook.verify.criteria, result.observation.evidence, [host], hold_seconds, _problem(host, result)
    )
    if verification.verdict == "recovered":
        helped = [action.title or action.remedy for action in done if action.result == "helped"]
        what = f"{', '.join(helped)} helped" if helped else "it answers again"
        return Judgement(Outcome.RECOVERED, f"{host}: {what}; {verification.sentence}", verification)
    verification = _still_sick(verification, [finding for finding in findings if finding.present], done)
    story = "; ".join([*tried, verification.sentence])
    story += "".join(
        f"; not tried: {action.remedy} ({action.lacks})"
        for action in actions
        if action.lacks and action.lacks not in story
    )
    advice = next_steps([(finding.id, finding.next) for finding in assessment.of(host)])
    ending = f". Next: {advice}" if advice else ""
    return Judgement(Outcome(verification.verdict), f"{host}: {story}{ending}", verification)


def _still_sick(verification: Verification, present: list[Finding], done: list[Action]) -> Verification:
    """Where the remedies failed and nothing was measured, what the last look still saw is not recovered."""
    if verification.verdict != "unverified" or not done or not present:
        return verification
    seen = "; ".join(finding.sentence for finding in present)
    return dataclasses.replace(verification, verdict="unresolved", sentence=f"after that, {seen}")


def _problem(host: str, result: RunResult) -> str:
    """What was wrong with the run on this host; empty when it ended well."""
    if result.status != "ended":
        return result.problem
    if host not in result.failed and host in result.published:
        return ""
    failure = result.failure_of(host)
    if failure is None:
        return f"the playbook told nothing about {host}"
    return f"{failure.task}: {failure.sentence}"


def _only(assessment: Assessment, host: str) -> Assessment:
    return Assessment(assessment.of(host), (), assessment.severity, assessment.why)


def _outcome_of(finding: Finding) -> Outcome:
    return Outcome.UNREACHABLE if finding.outcome == Outcome.UNREACHABLE else Outcome.REFUSED


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The one that decides for all hosts."""
    return max(outcomes, key=_WORSE.index)
