"""A response opens an incident, or joins the one that is open for its target."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from saveit_remediate.errors import RefusedError, UnreachableError
from saveit_remediate.incident import Request, Severity
from saveit_remediate.incident_life import Life, life_of
from saveit_remediate.journal.controller import this_controller
from saveit_remediate.report.history import controller_of, is_abandoned
from saveit_remediate.respond.approval import approvals_of
from saveit_remediate.respond.case import Case

if TYPE_CHECKING:
    from saveit_remediate.journal.store import Pages

_NEWEST = 50  # incidents of a type that are looked at: an open one is not further away


def open_or_join(case: Case) -> None:
    """Write that this response begins. Afterwards the case is that of the incident that it belongs to.

    Raises RefusedError when somebody is at work on that incident; that this came too is in its record.
    """
    request = case.request
    if request.check or request.resumes or request.goes_on:
        return _write(case, "went-on" if request.goes_on else "opened")
    try:
        event = case.record.journal.decide(lambda pages: _begin(case, pages), case.record.now())
    except UnreachableError:  # the journal is away, and the run goes on: what is written is kept in the spool
        return _write(case, "opened")
    case.record.incident_id = event.incident_id
    if event.payload.get("stopped"):
        raise RefusedError(str(event.payload.get("sentence")))
    if event.kind == "joined":
        events = case.record.journal.events(event.incident_id)
        case.request = as_joined(request, life_of(events))
        case.request = replace(case.request, approvals=(*request.approvals, *approvals_of(events)))
        case.world.screen.warning(f"{event.payload['sentence']}: saveit-remediate show {event.incident_id}")
    return None


def as_joined(request: Request, life: Life) -> Request:
    """The severity that a person said counts, unless another is given now."""
    if request.severity or not life.by_person or life.severity not in list(Severity):
        return request
    why = f"said by a person{': ' + life.why if life.why else ''}"
    return replace(request, severity=Severity(life.severity), severity_why=why)


def open_incident(pages: Pages, incident: str, inventory: str, limit: str, now: datetime) -> Life | None:
    """The newest open incident of this type and target; None when there is none.

    One whose controller died in the middle is not: `resume` has to look at it first.
    """
    like = [one for one in pages.incidents() if f"-{incident}-" in one]
    for incident_id in reversed(like[-_NEWEST:]):
        events = pages.events(incident_id)
        life = life_of(events)
        same = (life.incident, life.inventory, life.limit) == (incident, inventory, limit)
        if same and life.is_open and not (life.running and is_abandoned(events, now)):
            return life
    return None


def _begin(case: Case, pages: Pages) -> tuple[str, str, dict[str, Any]]:
    request, now = case.request, case.record.now()
    found = open_incident(pages, case.runbook.id, request.inventory, request.limit, now)
    if found is None:
        return case.record.incident_id, "opened", _payload(case, "opened")
    if not found.running:
        return found.incident_id, "joined", _payload(case, "joined")
    at_work = controller_of(pages.events(found.incident_id))
    who = f"process {at_work.get('pid')} on {at_work.get('host')}" if at_work else "another run"
    sentence = (
        f"{who} is at work on {found.incident_id}, which is open for {case.runbook.id} on "
        f"{request.inventory}; this alert joined it, and nothing was touched"
    )
    told = {"sentence": sentence, "stopped": True, "user": case.world.user}
    return found.incident_id, "joined", told


def _write(case: Case, kind: str) -> None:
    case.record.write(kind, **_payload(case, kind))
    case.record.end_resumed(case.request.resumes)


def _payload(case: Case, kind: str) -> dict[str, Any]:
    request, settings = case.request, case.settings
    by = f" by {case.world.user}" if case.world.user else ""
    word = {"opened": "opened", "went-on": "gone on with", "joined": "joined the open incident"}[kind]
    sentence = (
        f"{case.runbook.title}, {word}{by} on {request.inventory}"
        + (f"; found by diagnosis: {request.found_by}" if request.found_by else "")
        + (f"; goes on with {request.resumes}" if request.resumes else "")
    )
    return {
        "sentence": sentence,
        "incident": case.runbook.id,
        "title": case.runbook.title,
        "inventory": request.inventory,
        "inventory_origin": settings["inventory"].origin,
        "limit": request.limit,
        "severity": request.severity,
        "check": request.check,
        "yes": request.yes,
        "approved_by": request.approved_by,
        "break_lease": request.break_lease,
        "user": case.world.user,
        "extra_vars": sorted(case.variables),  # names only: a value may be secret
        "controller": this_controller(settings.timeout),
        "resumes": request.resumes,
        "lineage": request.lineage,
    }
