"""The steps of a response, in order. The only place that lists them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from saveit_remediate.assess import Assessment, assess
from saveit_remediate.catalog import Catalog, Playbook, Runbook, check_extra_vars, choose_playbook, find
from saveit_remediate.errors import InterruptedRunError, RemediateError
from saveit_remediate.incident import Action, Finding, Outcome, Request
from saveit_remediate.journal import new_incident_id, open_journal
from saveit_remediate.plan import Plan, make_plan
from saveit_remediate.report.document import Report
from saveit_remediate.report.screen import Screen
from saveit_remediate.respond.diagnosis import with_obstacles
from saveit_remediate.respond.outcome import Judgement, judge_helpless, judge_obstacles, judge_remediation
from saveit_remediate.respond.record import Record
from saveit_remediate.run import Job, RemedyEvent, RunEvent, RunResult, check_inventory, run_playbook
from saveit_remediate.settings import Settings


@dataclass(frozen=True)
class Surroundings:
    """What is not in the request: the world, as arguments.

    `consent` asks a person, with the plan on the screen; None when nobody can be asked.
    `now` gives aware times; `random` four hexadecimal digits.
    """

    catalog: Catalog
    screen: Screen
    consent: Callable[[Plan], bool] | None
    now: Callable[[], datetime]
    random: Callable[[], str]
    cwd: Path
    user: str = ""


@dataclass
class _Case:
    """What is known so far; an interrupted run reports from it."""

    request: Request
    settings: Settings
    world: Surroundings
    runbook: Runbook
    variables: Mapping[str, Any]
    record: Record
    started: datetime
    playbook: Playbook
    mode: str = "diagnose"
    hosts: tuple[str, ...] = ()
    assessment: Assessment | None = None
    findings: tuple[Finding, ...] = ()
    actions: tuple[Action, ...] = field(default_factory=tuple)


def respond(request: Request, settings: Settings, world: Surroundings) -> Report:
    """Diagnose, plan, ask, remedy, verify, record. Raises RemediateError before anything was touched."""
    runbook = find(world.catalog, request.incident)
    variables = check_extra_vars(runbook, request.extra_vars)
    check_inventory(request.inventory, settings["inventory"].origin)
    journal = open_journal(settings.journal, settings["journal"].origin)
    try:
        started = world.now()
        incident_id = new_incident_id(runbook.id, started, world.random())
        record = Record(journal, incident_id, world.now, world.screen.warning)
        playbook = choose_playbook(runbook.id, request.severity, settings.playbooks)
        case = _Case(request, settings, world, runbook, variables, record, started, playbook)
        _open(case)
        try:
            judgement = _steps(case)
        except (KeyboardInterrupt, InterruptedRunError):
            return _interrupted(case)
        except RemediateError as error:
            record.write("closed", str(error), outcome="error", exit_code=error.exit_code)
            raise
        return _close(case, judgement)
    finally:
        journal.close()


def _steps(case: _Case) -> Judgement:
    screen, request = case.world.screen, case.request
    result = _run(case, "diagnose", {}, f"Diagnose {case.runbook.title} on {request.inventory}")
    assessment = _diagnosed(case, result)
    screen.assessment(assessment)
    if assessment.obstacles:
        return judge_obstacles(assessment.obstacles)
    if not assessment.symptoms:
        return Judgement(Outcome.HEALTHY, f"{_names(case.hosts)}: nothing is wrong; nothing was touched")
    plan = _planned(case, assessment, result)
    screen.plan(plan)
    helpless = judge_helpless(assessment, plan)
    if request.check:
        return _check(case, assessment, plan) if plan.allowed else _as_plan(helpless)
    if not request.yes and case.world.consent is None:
        return _as_plan(helpless) if not plan.allowed else _only_planned(plan, "nobody agreed to it (--yes)")
    if not plan.allowed:
        return helpless
    if not request.yes and case.world.consent is not None:
        agreed = case.world.consent(plan)
        case.record.write("agreed" if agreed else "declined", f"{case.world.user or 'a person'} was asked")
        if not agreed:
            return _only_planned(plan, "you did not agree to it")
    return _remediate(case, assessment, plan)


def _remediate(case: _Case, assessment: Assessment, plan: Plan) -> Judgement:
    result = _run(case, "remediate", plan.for_ladder(assessment, case.hosts), "Remedy and verify")
    _keep(case, result)
    hold = _hold_seconds(case)
    judgement = judge_remediation(case.runbook, assessment, plan, result, hold)
    if result.status == "interrupted":
        raise InterruptedRunError(judgement.sentence)
    verification = judgement.verification
    if verification:
        results = [dataclasses.asdict(one) for one in verification.results]
        case.record.write("judged", verification.sentence, verdict=verification.verdict, results=results)
    return judgement


def _check(case: _Case, assessment: Assessment, plan: Plan) -> Judgement:
    result = _run(case, "remediate", plan.for_ladder(assessment, case.hosts), "Try without touching anything")
    _keep(case, result)
    if result.status == "interrupted":
        raise InterruptedRunError(result.problem)
    observation = with_obstacles(dataclasses.replace(result, failed=frozenset()), _job(case, "remediate", {}))
    obstacles = [finding for finding in observation.findings if finding.is_obstacle]
    if obstacles:
        return judge_obstacles(obstacles)
    return _only_planned(plan, "this was a check")


def _only_planned(plan: Plan, why: str) -> Judgement:
    steps = ", then ".join(f"{step.remedy} on {step.target}" for step in plan.allowed)
    return Judgement(Outcome.PLANNED, f"would try {steps}; nothing was touched, as {why}")


def _as_plan(helpless: Judgement) -> Judgement:
    return Judgement(Outcome.PLANNED, f"{helpless.sentence} (nothing was touched)")


def _open(case: _Case) -> None:
    request, settings = case.request, case.settings
    by = f" by {case.world.user}" if case.world.user else ""
    case.record.write(
        "opened",
        f"{case.runbook.title}, opened{by} on {request.inventory}",
        incident=case.runbook.id,
        inventory=request.inventory,
        inventory_origin=settings["inventory"].origin,
        limit=request.limit,
        severity=request.severity,
        check=request.check,
        yes=request.yes,
        user=case.world.user,
        extra_vars=sorted(case.variables),  # names only: a value may be secret
    )


def _diagnosed(case: _Case, result: RunResult) -> Assessment:
    if result.status == "interrupted":
        raise InterruptedRunError(result.problem)
    case.hosts = result.hosts
    observation = with_obstacles(result, _job(case, "diagnose", {}))
    assessment = assess(case.runbook, observation, case.request.severity)
    case.assessment, case.findings = assessment, (*assessment.obstacles, *assessment.symptoms)
    case.actions = observation.actions
    seen = "; ".join(finding.sentence for finding in case.findings) or "nothing is wrong"
    case.record.write(
        "assessed",
        f"{seen} ({assessment.severity}: {assessment.why})",
        hosts=case.hosts,
        severity=assessment.severity,
        findings=[dataclasses.asdict(finding) for finding in case.findings],
        evidence=[dataclasses.asdict(item) for item in observation.evidence],
    )
    return assessment


def _planned(case: _Case, assessment: Assessment, result: RunResult) -> Plan:
    case.playbook = choose_playbook(case.runbook.id, assessment.severity, case.settings.playbooks)
    max_risk = str(case.variables.get("ladder_max_risk") or "medium")
    plan = make_plan(assessment, result.observation.actions, case.playbook, max_risk)
    steps = ", then ".join(f"{step.remedy} on {step.target}" for step in plan.allowed) or "no remedy can help"
    case.record.write(
        "planned",
        f"{steps}; playbook {case.playbook.name}: {case.playbook.why}",
        steps=[dataclasses.asdict(step) for step in plan.steps],
    )
    return plan


def _keep(case: _Case, result: RunResult) -> None:
    """What the second run observed: its actions, and findings that are new."""
    if result.observation.actions:
        case.actions = result.observation.actions
    known = {(finding.target, finding.id) for finding in case.findings}
    later = [item for item in result.observation.findings if (item.target, item.id) not in known]
    case.findings = (*case.findings, *later)


def _run(case: _Case, mode: str, ladder_plan: Mapping[str, Any], title: str) -> RunResult:
    case.mode = mode

    def tell(event: RunEvent) -> None:
        if isinstance(event, RemedyEvent):
            case.record.remedy_event(event)
        case.world.screen.event(event)

    with case.world.screen.phase(title):
        return run_playbook(_job(case, mode, ladder_plan), tell)


def _job(case: _Case, mode: str, ladder_plan: Mapping[str, Any]) -> Job:
    request, settings = case.request, case.settings
    check = request.check and mode == "remediate"
    variables: dict[str, Any] = {
        **case.variables,
        "ladder_mode": mode,
        "ladder_incident_id": case.record.incident_id,
        "ladder_hold_seconds": _hold_seconds(case),
        "ladder_severity": str(case.assessment.severity if case.assessment else _first_severity(case)),
    }
    if mode == "remediate":
        variables["ladder_plan"] = dict(ladder_plan)
    return Job(
        playbook=case.playbook.name,
        inventory=request.inventory,
        inventory_origin=settings["inventory"].origin,
        collections=case.world.catalog.root,
        cwd=case.world.cwd,
        timeout=settings.timeout,
        timeout_origin=settings["timeout"].origin,
        limit=request.limit,
        extra_vars=variables,
        check=check,
        diff=request.diff or check,
        verbosity=request.verbosity,
    )


def _first_severity(case: _Case) -> str:
    return str(case.request.severity or case.runbook.default_severity)


def _hold_seconds(case: _Case) -> float:
    given = case.variables.get("ladder_hold_seconds")
    return case.runbook.verify.hold_seconds if given is None else float(given)


def _close(case: _Case, judgement: Judgement) -> Report:
    report = _report(case, judgement)
    case.record.write(
        "closed", judgement.sentence, outcome=report.outcome, severity=report.severity, seconds=report.seconds
    )
    return report


def _interrupted(case: _Case) -> Report:
    """Say and record what was done and what was not."""
    done = case.record.what_was_done()
    sentence = f"interrupted while in mode {case.mode}; {done}"
    # Untouched and known to be sick is unresolved; anything else nobody knows.
    known = bool(case.assessment and case.assessment.symptoms) and not case.record.begun
    outcome = Outcome.UNRESOLVED if known else Outcome.UNVERIFIED
    report = dataclasses.replace(_report(case, Judgement(outcome, sentence)), interrupted=True)
    case.record.write("interrupted", sentence, begun=case.record.begun)
    case.record.write(
        "closed", sentence, outcome="interrupted", severity=report.severity, seconds=report.seconds
    )
    return report


def _report(case: _Case, judgement: Judgement) -> Report:
    finished = case.world.now()
    mode = "check" if case.request.check else case.mode
    return Report(
        incident_id=case.record.incident_id,
        incident=case.runbook.id,
        severity=str(case.assessment.severity) if case.assessment else _first_severity(case),
        target=_names(case.hosts),
        outcome=judgement.outcome,
        sentence=judgement.sentence,
        mode=mode,
        playbook=case.playbook.name,
        inventory=case.request.inventory,
        findings=case.findings,
        actions=case.actions,
        verification=judgement.verification,
        started=case.started.isoformat(timespec="milliseconds"),
        finished=finished.isoformat(timespec="milliseconds"),
        seconds=round((finished - case.started).total_seconds(), 3),
    )


def _names(hosts: tuple[str, ...]) -> str:
    return ", ".join(hosts)
