"""The steps of a response, in order. The only place that lists them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from saveit_remediate.assess import Assessment, assess
from saveit_remediate.catalog import check_extra_vars, choose_playbook, find, load_policy
from saveit_remediate.errors import InterruptedRunError, RemediateError
from saveit_remediate.incident import Outcome, Request
from saveit_remediate.journal import Journal
from saveit_remediate.plan import NO_AGREEMENT, Plan, make_plan
from saveit_remediate.report.document import Report
from saveit_remediate.respond.approval import ask_for_approvals
from saveit_remediate.respond.case import (
    Case,
    Surroundings,
    hold_seconds,
    job_of,
    new_record,
    report_of,
)
from saveit_remediate.respond.diagnosis import with_obstacles
from saveit_remediate.respond.judgement import Judgement, joined, together
from saveit_remediate.respond.lease import release
from saveit_remediate.respond.measuring import measuring
from saveit_remediate.respond.opening import open_or_join
from saveit_remediate.respond.outcome import against_baseline, is_outdated, judge_remediation
from saveit_remediate.respond.untouched import (
    judge_all_apart,
    judge_apart,
    judge_helpless,
    judge_obstacles,
    judge_planned,
)
from saveit_remediate.run import RemedyEvent, RunEvent, RunResult, check_inventory, run_playbook
from saveit_remediate.settings import Settings

TURNS = 3  # diagnoses and plans, while the world changes before a remedy can act


def respond(request: Request, settings: Settings, world: Surroundings, journal: Journal) -> Report:
    """Diagnose, plan, ask, remedy, verify, record. Raises RemediateError before anything was touched."""
    runbook = find(world.catalog, request.incident)
    variables = check_extra_vars(runbook.parameters, request.extra_vars, f"incident {runbook.id}")
    check_inventory(request.inventory, settings["inventory"].origin)
    policy = load_policy(world.catalog, settings.policy, settings["policy"].origin)
    if request.approved_by:
        policy.check_approver(request.approved_by, "--approved-by")
    record = new_record(runbook.id, world, journal, request.goes_on)
    playbook = choose_playbook(runbook.id, request.severity, settings.playbooks)
    case = Case(request, settings, world, runbook, variables, record, playbook, agreed=request.yes)
    open_or_join(case)
    try:
        case.measuring = measuring(settings, world.catalog, record.started.timestamp())
        for dead in () if request.check else request.lineage:
            release(case, dead)
        judgement = _steps(case)
    except (KeyboardInterrupt, InterruptedRunError):
        return _interrupted(case)
    except RemediateError as error:
        record.write("closed", str(error), outcome="error", exit_code=error.exit_code)
        raise
    finally:
        case.measuring.stop()
    judgement, word = against_baseline(case, judgement)
    asked = ask_for_approvals(case, judgement)
    report = report_of(case, asked or judgement)
    case.measuring.write(record)
    record.close(report, kind="waiting" if asked else "closed", baseline=word)
    return report


def _steps(case: Case) -> Judgement:
    """From the diagnosis to the judgement, and anew where the world changed before anything was touched."""
    judgement, turn = _turn(case), 1
    while judgement.outdated and turn < TURNS:
        anew = f"{judgement.sentence}; nothing was touched; diagnosing and planning anew"
        case.record.write("replanned", anew, turn=turn)
        case.world.screen.warning(anew)
        judgement, turn = _turn(case), turn + 1
    if not judgement.outdated:
        return judgement
    restless = f"{judgement.sentence}; it changed {turn} times before anything was touched; run again"
    return dataclasses.replace(judgement, sentence=restless)


def _turn(case: Case) -> Judgement:
    screen, request = case.world.screen, case.request
    case.playbook = choose_playbook(case.runbook.id, request.severity, case.settings.playbooks)
    result = _run(case, "diagnose", {}, f"Diagnose {case.runbook.title} on {request.inventory}")
    assessment = _diagnosed(case, result)
    if assessment.symptoms:
        screen.assessment(assessment)
    apart = judge_apart(assessment, case.hosts)
    acting = assessment.only(set(assessment.sick) - set(apart))
    if result.status != "ended" or not acting.symptoms:
        return judge_all_apart(assessment, apart)
    return joined(_treat(case, acting, result), apart)


def _treat(case: Case, assessment: Assessment, result: RunResult) -> Judgement:
    """Plan for the hosts of the assessment, ask, and remedy."""
    request = case.request
    plan = _planned(case, assessment, result)
    case.world.screen.plan(plan)
    if request.check:
        return _check(case, assessment, plan) if plan.allowed else judge_planned(assessment, plan, (), "")
    if not plan.allowed and plan.unagreed:
        return judge_planned(assessment, plan, plan.unagreed, NO_AGREEMENT)
    if not plan.allowed and not _attended(case):
        return judge_planned(assessment, plan, (), "")
    if not plan.allowed:
        return judge_helpless(assessment, plan)
    if not request.yes and case.world.consent is not None:
        case.agreed = case.world.consent(plan)
        word = "agreed" if case.agreed else "declined"
        case.record.write(word, f"{case.world.user or 'a person'} was asked")
        if not case.agreed:
            return judge_planned(assessment, plan, plan.allowed, "you did not agree to it")
    return _remediate(case, assessment, plan)


def _attended(case: Case) -> bool:
    """Has somebody agreed, or can be asked?"""
    return case.request.yes or case.world.consent is not None


def _remediate(case: Case, assessment: Assessment, plan: Plan) -> Judgement:
    result = _run(case, "remediate", plan.for_ladder(assessment, case.hosts), "Remedy and verify")
    _keep(case, result)
    if result.status == "not-started":
        told = Judgement(Outcome.UNREACHABLE, f"{result.problem} (nothing was touched)")
        return together(dict.fromkeys(assessment.sick, told))
    if result.status != "ended" or result.unreachable:
        # Also when no lease was told of: it may have been taken in the last moment.
        release(case, case.record.incident_id)
    judgement = judge_remediation(case.runbook, assessment, plan, result, hold_seconds(case))
    if result.status == "interrupted":
        raise InterruptedRunError(judgement.sentence)
    if result.status != "ended":
        sentence = f"{judgement.sentence}; {case.record.what_was_done()}"
        judgement = dataclasses.replace(judgement, sentence=sentence)
    verification = judgement.verification
    if verification:
        results = [dataclasses.asdict(one) for one in verification.results]
        case.record.write("judged", verification.sentence, verdict=verification.verdict, results=results)
    return judgement


def _check(case: Case, assessment: Assessment, plan: Plan) -> Judgement:
    result = _run(case, "remediate", plan.for_ladder(assessment, case.hosts), "Try without touching anything")
    _keep(case, result)
    if result.status == "interrupted":
        raise InterruptedRunError(result.problem)
    observation = with_obstacles(
        dataclasses.replace(result, failed=frozenset()), job_of(case, "remediate", {})
    )
    obstacles = tuple(finding for finding in observation.findings if finding.is_obstacle)
    stopped = judge_apart(dataclasses.replace(assessment, obstacles=obstacles, symptoms=()), ())
    rest = assessment.only(set(assessment.sick) - set(stopped))
    if not obstacles or (rest.symptoms and result.status == "ended"):
        judgement = joined(judge_planned(rest, plan, plan.allowed, "this was a check"), stopped)
    else:
        judgement = dataclasses.replace(judge_obstacles(obstacles), targets=stopped)
    return dataclasses.replace(judgement, outdated=is_outdated(result))


def _diagnosed(case: Case, result: RunResult) -> Assessment:
    if result.status == "interrupted":
        raise InterruptedRunError(result.problem)
    case.hosts = result.hosts
    observation = with_obstacles(result, job_of(case, "diagnose", {}))
    assessment = assess(
        case.runbook,
        observation,
        case.request.severity,
        case.request.severity_why,
        case.measuring.proposal(),
    )
    case.assessment, case.findings = assessment, assessment.all
    case.actions = observation.actions
    seen = "; ".join(finding.sentence for finding in case.findings) or "nothing is wrong"
    case.record.write(
        "assessed",
        f"{seen} ({assessment.severity}: {assessment.why})",
        hosts=case.hosts,
        severity=assessment.severity,
        why=assessment.why,
        findings=[dataclasses.asdict(finding) for finding in case.findings],
        evidence=[dataclasses.asdict(item) for item in observation.evidence],
    )
    return assessment


def _planned(case: Case, assessment: Assessment, result: RunResult) -> Plan:
    case.playbook = choose_playbook(case.runbook.id, assessment.severity, case.settings.playbooks)
    offered = [action for action in result.observation.actions if action.target in assessment.sick]
    plan = make_plan(assessment, offered, case.playbook, _attended(case), case.request.check)
    steps = ", then ".join(f"{step.remedy} on {step.target}" for step in plan.allowed) or "no remedy can help"
    case.record.write(
        "planned",
        f"{steps}; playbook {case.playbook.name}: {case.playbook.why}",
        steps=[dataclasses.asdict(step) for step in plan.steps],
    )
    return plan


def _keep(case: Case, result: RunResult) -> None:
    """What the second run observed: its actions, and findings that are new."""
    told = {action.target for action in result.observation.actions}
    before = [action for action in case.actions if action.target not in told]
    case.actions = (*before, *result.observation.actions)
    known = {(finding.target, finding.id) for finding in case.findings}
    later = [item for item in result.observation.findings if (item.target, item.id) not in known]
    case.findings = (*case.findings, *later)


def _run(case: Case, mode: str, ladder_plan: Mapping[str, Any], title: str) -> RunResult:
    case.mode = mode

    def tell(event: RunEvent) -> None:
        if isinstance(event, RemedyEvent):
            if mode == "diagnose" and event.kind == "diagnosed":
                return  # told as a whole, when all hosts have been looked at
            case.record.remedy_event(event)
        case.world.screen.event(event)

    with case.world.screen.phase(title):
        return run_playbook(job_of(case, mode, ladder_plan), tell)


def _interrupted(case: Case) -> Report:
    """Say and record what was done and what was not."""
    done = case.record.what_was_done()
    whole = _cut_off(case, f"interrupted while in mode {case.mode}; {done}")
    each = {
        host: _cut_off(case, f"interrupted; {case.record.what_was_done(host)}", host) for host in case.hosts
    }
    report = dataclasses.replace(report_of(case, dataclasses.replace(whole, targets=each)), interrupted=True)
    case.record.write("interrupted", whole.sentence, begun=case.record.begun)
    case.record.close(report, "interrupted")
    return report


def _cut_off(case: Case, sentence: str, host: str = "") -> Judgement:
    """Untouched and known to be sick is unresolved; anything else nobody knows."""
    sick = case.assessment.sick if case.assessment else ()
    begun = [one for one, _remedy in case.record.begun]
    known = (host in sick and host not in begun) if host else (sick and not begun)
    return Judgement(Outcome.UNRESOLVED if known else Outcome.UNVERIFIED, sentence)
