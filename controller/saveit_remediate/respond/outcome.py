"""Decide how the remedies ended, host by host. Recovered only where the evidence says so. Pure."""

from __future__ import annotations

import dataclasses

from saveit_remediate.assess import Assessment
from saveit_remediate.catalog import Runbook
from saveit_remediate.incident import Action, Finding, Outcome
from saveit_remediate.plan import Plan
from saveit_remediate.report.screen import next_steps
from saveit_remediate.respond.case import Case, hold_seconds
from saveit_remediate.respond.judgement import Judgement, together, worst
from saveit_remediate.respond.untouched import judge_helpless, outcome_of
from saveit_remediate.run import RunResult
from saveit_remediate.verify import Verification, verify


def is_outdated(result: RunResult) -> bool:
    """Did the remedies stay away because the world was not what the plan was made for?"""
    changed = any(one.is_obstacle and one.id == "world-changed" for one in result.observation.findings)
    return changed and not any(action.is_done for action in result.observation.actions)


def judge_remediation(
    runbook: Runbook, assessment: Assessment, plan: Plan, result: RunResult, hold_seconds: float
) -> Judgement:
    """After the remedies, of each host that was sick."""
    each = {
        host: _judge_host(host, runbook, assessment.only([host]), plan, result, hold_seconds)
        for host in assessment.sick
    }
    return together(each, is_outdated(result))


def against_baseline(case: Case, judgement: Judgement) -> tuple[Judgement, str]:
    """Of what recovered it is also said whether it is as it was before; the word is for the record.

    What is not back does not undo that every criterion was met: the incident stays open, monitoring, until
    `watch` or a person has seen it.
    """
    if judgement.outcome is not Outcome.RECOVERED:
        return judgement, ""
    found = case.measuring.baseline(hold_seconds(case))
    if found is None:
        return judgement, ""
    more = f"; to go on looking: saveit-remediate watch {case.record.incident_id}"
    sentence = f"{judgement.sentence}; {found.sentence}{more if found.word == 'not-back' else ''}"
    return dataclasses.replace(judgement, sentence=sentence), found.word


def _judge_host(
    host: str, runbook: Runbook, assessment: Assessment, plan: Plan, result: RunResult, hold_seconds: float
) -> Judgement:
    if host in result.unreachable:
        return Judgement(Outcome.UNREACHABLE, f"cannot reach {host}: {result.unreachable[host]}")
    if host not in result.hosts and any(step.target == host for step in plan.allowed):
        return _never_reached(host, assessment, result)
    findings = [one for one in result.observation.findings if one.target == host and one.kind != "context"]
    obstacles = [finding for finding in findings if finding.is_obstacle]
    actions = [action for action in result.observation.actions if action.target == host]
    done = [action for action in actions if action.is_done]
    tried = [f"{action.title or action.remedy}: {action.sentence or action.result}" for action in done]
    if obstacles:
        sentence = "; ".join([*tried, *(finding.sentence for finding in obstacles)])
        # Something was done, and then we could not look: nobody knows whether it helped.
        outcome = Outcome.UNVERIFIED if done else worst(outcome_of(finding) for finding in obstacles)
        return Judgement(outcome, sentence)
    if not any(step.target == host for step in plan.allowed):
        return judge_helpless(assessment, plan)
    ended_well = result.status == "ended" and host in result.published and host not in result.failed
    if ended_well and not done and not findings:
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


def _never_reached(host: str, assessment: Assessment, result: RunResult) -> Judgement:
    """The run ended before its turn."""
    seen = "; ".join(finding.sentence for finding in assessment.symptoms)
    if result.status != "ended":
        return Judgement(Outcome.UNRESOLVED, f"{host} was not touched, as {result.problem}; {seen}")
    lost = ", ".join(sorted({*result.unreachable, *result.failed})) or "no other host"
    why = f"the run ended with the batch before it, in which {lost} could not be gone on with"
    return Judgement(Outcome.REFUSED, f"{host} was not touched, as {why}; {seen}")


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
