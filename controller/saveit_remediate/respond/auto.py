"""`--incident auto`: find out which incident it is, then respond to that one if it is unambiguous."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from saveit_remediate.incident import Outcome, Request, Severity
from saveit_remediate.journal import Journal
from saveit_remediate.report.document import Report
from saveit_remediate.respond.case import Surroundings, names, new_record, report_on
from saveit_remediate.respond.judgement import Judgement
from saveit_remediate.respond.record import Record
from saveit_remediate.respond.steps import respond
from saveit_remediate.respond.survey import Survey, survey
from saveit_remediate.respond.untouched import judge_obstacles
from saveit_remediate.settings import Settings

AUTO = "auto"


def respond_auto(
    request: Request,
    settings: Settings,
    world: Surroundings,
    journal: Journal,
    choose: Callable[[list[str]], str] | None,
) -> Report:
    """Survey, and respond to the cause. Raises RemediateError.

    `choose` asks a person which of several it is; None when nobody can be asked, and then it is refused.
    """
    record = new_record(AUTO, world, journal)
    found = survey(request, settings, world)
    if found.triage.suspects:
        world.screen.triage(found.triage, found.commands)
    incident = found.triage.incident or _chosen(found, choose)
    if incident:
        request = dataclasses.replace(request, incident=incident, found_by=summary(found))
        return respond(request, settings, world, journal)
    return _close(found, request, world, record)


def _close(found: Survey, request: Request, world: Surroundings, record: Record) -> Report:
    """Nothing was done: the record says why."""
    opened = f"any incident, on {request.inventory}"
    record.write("opened", opened, incident=AUTO, inventory=request.inventory, user=world.user)
    record.end_resumed(request.resumes)
    record.write("assessed", summary(found) or found.sentence, hosts=found.hosts)
    symptoms = tuple(finding for one in found.triage.suspects for finding in one.findings)
    report = report_on(
        record,
        _judge(found),
        incident=AUTO,
        severity=str(min((one.severity for one in found.triage.suspects), default=Severity.SEV4)),
        hosts=found.hosts,
        mode="diagnose",
        playbook="",
        inventory=request.inventory,
        findings=(*symptoms, *found.triage.unseen),
        actions=(),
    )
    record.close(report)
    return report


def summary(found: Survey) -> str:
    """Causes, and what follows from them, in one sentence; empty when nothing is wrong."""
    parts = []
    for one in found.triage.suspects:
        seen = "; ".join(finding.sentence for finding in one.findings)
        follows = f" (follows from {', '.join(one.follows_from)})" if one.follows_from else f": {seen}"
        parts.append(f"{one.incident} on {one.target}{follows}")
    return "; ".join(parts)


def _chosen(found: Survey, choose: Callable[[list[str]], str] | None) -> str:
    types = list(dict.fromkeys(one.incident for one in found.triage.causes))
    return choose(types) if choose and len(types) > 1 else ""


def _judge(found: Survey) -> Judgement:
    each = {host: _judge_host(found, host) for host in found.hosts}
    if found.triage.suspects:
        commands = ", or ".join(dict.fromkeys(found.commands[one.incident] for one in found.triage.causes))
        return Judgement(
            Outcome.REFUSED,
            f"more than one thing is wrong, and nothing says which is the cause: {summary(found)} "
            f"(nothing was touched). Choose: {commands}",
            targets=each,
        )
    if found.missed:
        return dataclasses.replace(judge_obstacles(found.missed), targets=each)
    healthy = f"nothing is wrong on {names(found.hosts)}; nothing was touched"
    return Judgement(Outcome.HEALTHY, healthy, targets=each)


def _judge_host(found: Survey, host: str) -> Judgement:
    seen = [item.sentence for one in found.triage.suspects if one.target == host for item in one.findings]
    missed = [item for item in found.missed if item.target == host]
    if seen:
        return Judgement(Outcome.REFUSED, f"{'; '.join(seen)} (nothing was touched)")
    if missed:
        return judge_obstacles(missed)
    return Judgement(Outcome.HEALTHY, f"nothing is wrong on {host}; nothing was touched")
