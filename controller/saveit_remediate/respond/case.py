"""What is known of one response while it goes on, and what follows from it at any moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from saveit_remediate.assess import Assessment
from saveit_remediate.catalog import Catalog, Playbook, Runbook
from saveit_remediate.incident import Action, Finding, Request
from saveit_remediate.journal import Journal, new_incident_id
from saveit_remediate.plan import Plan
from saveit_remediate.report.document import Report, TargetReport
from saveit_remediate.report.screen import Screen
from saveit_remediate.respond.judgement import Judgement
from saveit_remediate.respond.measuring import Measuring
from saveit_remediate.respond.record import Record
from saveit_remediate.run import Job
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
class Case:
    """What is known so far; an interrupted run reports from it."""

    request: Request
    settings: Settings
    world: Surroundings
    runbook: Runbook
    variables: Mapping[str, Any]
    record: Record
    playbook: Playbook
    mode: str = "diagnose"
    agreed: bool = False
    hosts: tuple[str, ...] = ()
    assessment: Assessment | None = None
    findings: tuple[Finding, ...] = ()
    actions: tuple[Action, ...] = ()
    measuring: Measuring = field(default_factory=lambda: Measuring(0.0))


def new_record(incident: str, world: Surroundings, journal: Journal, goes_on: str = "") -> Record:
    """The record of an incident that begins now, or the one with the id `goes_on`."""
    started = world.now()
    incident_id = goes_on or new_incident_id(incident, started, world.random())
    return Record(journal, incident_id, started, world.now, world.screen.warning)


def policy_variables(settings: Settings) -> dict[str, Any]:
    """Where the ladder finds the policy; without one of the site's own, the inventory or the role says."""
    return {"ladder_policy_file": str(settings.policy)} if settings.policy else {}


def job_of(case: Case, mode: str, ladder_plan: Mapping[str, Any]) -> Job:
    request = case.request
    check = request.check and mode == "remediate"
    data: dict[str, Any] = {
        **policy_variables(case.settings),
        "ladder_mode": mode,
        "ladder_incident_id": case.record.incident_id,
        "ladder_hold_seconds": hold_seconds(case),
        "ladder_holder": case.world.user,
        "ladder_break_lease": request.break_lease,
        "ladder_agreed": case.agreed,
        "ladder_approved_by": request.approved_by,
        "ladder_approval": [dict(one) for one in request.approvals],
    }
    seen = case.assessment.severity if case.assessment and case.assessment.by_impact else None
    if request.severity or seen:
        data["ladder_severity"] = str(request.severity or seen)
    if mode == "remediate":
        data["ladder_plan"] = dict(ladder_plan)
    job = base_job(request, case.settings, case.world, case.playbook)
    return replace(job, extra_vars=case.variables, data=data, check=check, diff=request.diff or check)


def base_job(request: Request, settings: Settings, world: Surroundings, playbook: Playbook) -> Job:
    """What every run takes from the request and the settings; what it is about is added by the caller."""
    return Job(
        playbook=playbook.name,
        inventory=request.inventory,
        inventory_origin=settings["inventory"].origin,
        collections=world.catalog.root,
        cwd=world.cwd,
        timeout=settings.timeout,
        timeout_origin=settings["timeout"].origin,
        limit=request.limit,
        verbosity=request.verbosity,
    )


def first_severity(case: Case) -> str:
    return str(case.request.severity or case.runbook.default_severity)


def hold_seconds(case: Case) -> float:
    given = case.variables.get("ladder_hold_seconds")
    return case.runbook.verify.hold_seconds if given is None else float(given)


def report_of(case: Case, judgement: Judgement) -> Report:
    return report_on(
        case.record,
        judgement,
        incident=case.runbook.id,
        severity=str(case.assessment.severity) if case.assessment else first_severity(case),
        hosts=case.hosts,
        mode="check" if case.request.check else case.mode,
        playbook=case.playbook.name,
        inventory=case.request.inventory,
        findings=case.findings,
        actions=case.actions,
    )


def report_on(
    record: Record,
    judgement: Judgement,
    hosts: tuple[str, ...],
    findings: tuple[Finding, ...],
    actions: tuple[Action, ...],
    **known: Any,
) -> Report:
    """The report of what is recorded, as it stands now; `known` are the other fields of Report."""
    finished = record.now()
    return Report(
        incident_id=record.incident_id,
        target=names(hosts),
        outcome=judgement.outcome,
        sentence=judgement.sentence,
        findings=findings,
        actions=actions,
        verification=judgement.verification,
        started=record.started.isoformat(timespec="milliseconds"),
        finished=finished.isoformat(timespec="milliseconds"),
        seconds=round((finished - record.started).total_seconds(), 3),
        changes=tuple(record.changes),
        targets=tuple(_of_target(host, judgement, findings, actions) for host in hosts),
        **known,
    )


def _of_target(
    host: str, judgement: Judgement, findings: tuple[Finding, ...], actions: tuple[Action, ...]
) -> TargetReport:
    own = judgement.targets.get(host, judgement)  # what stopped all stopped this one
    return TargetReport(
        target=host,
        outcome=own.outcome,
        sentence=own.sentence,
        findings=tuple(finding for finding in findings if finding.target == host),
        actions=tuple(action for action in actions if action.target == host),
        verification=own.verification,
    )


def names(hosts: tuple[str, ...]) -> str:
    return ", ".join(hosts)
