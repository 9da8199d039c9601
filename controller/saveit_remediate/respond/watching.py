"""Go on looking after an incident: a relapse reopens it, and it is resolved when all stayed well."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from saveit_remediate.assess import Assessment, assess
from saveit_remediate.catalog import check_extra_vars, choose_playbook, find
from saveit_remediate.errors import InterruptedRunError, RefusedError, UnreachableError
from saveit_remediate.incident import Outcome, Request
from saveit_remediate.incident_life import Life, life_of
from saveit_remediate.journal import Journal
from saveit_remediate.respond.case import Case, Surroundings, job_of, new_record
from saveit_remediate.respond.diagnosis import with_obstacles
from saveit_remediate.respond.look import run_looking
from saveit_remediate.respond.measuring import measuring
from saveit_remediate.respond.people import tell
from saveit_remediate.run import check_inventory
from saveit_remediate.settings import Settings

BY = "saveit-remediate watch"
Look = Callable[[], Assessment]


@dataclass(frozen=True)
class Watched:
    """How it ended: recovered (it stayed well), unresolved (a relapse), or unverified (nobody could look)."""

    outcome: Outcome
    sentence: str


def watch(
    incident_id: str,
    request: Request,
    settings: Settings,
    world: Surroundings,
    journal: Journal,
    pace: Pace,
) -> Watched:
    """Look again and again with the incident type's own diagnosis. Nothing is changed on the target.

    Raises RefusedError for an incident that is no longer watched, or that a run is at work on.
    """
    events = journal.events(incident_id)
    _check(life_of(events))
    runbook = find(world.catalog, request.incident)
    variables = check_extra_vars(runbook.parameters, request.extra_vars, f"incident {runbook.id}")
    check_inventory(request.inventory, settings["inventory"].origin)
    record = new_record(runbook.id, world, journal, incident_id)
    playbook = choose_playbook(runbook.id, request.severity, settings.playbooks)
    case = Case(request, settings, world, runbook, variables, record, playbook)
    opened = life_of(events).opened_at
    case.measuring = measuring(settings, world.catalog, opened.timestamp())
    try:
        return look_on(case, lambda: _look(case), pace)
    except (KeyboardInterrupt, InterruptedRunError):
        record.write("note", f"{BY} was interrupted; nobody looks any more", by=BY)
        raise
    finally:
        case.measuring.stop()
        case.measuring.write(record)


@dataclass(frozen=True)
class Pace:
    """For how many seconds, how many seconds between two looks, and how to wait."""

    seconds: float
    every: float
    wait: Callable[[float], None]


def look_on(case: Case, look: Look, pace: Pace) -> Watched:
    """Until a relapse, or until the time is over."""
    began, looks, blind = case.record.now(), 0, ""
    while True:
        try:
            assessment = look()
        except UnreachableError as error:
            blind = str(error)
        else:
            blind = "; ".join(one.sentence for one in assessment.obstacles)
            if assessment.symptoms:
                return _relapse(case, assessment)
            looks += not blind
        left = pace.seconds - (case.record.now() - began).total_seconds()
        if left <= 0:
            break
        if blind:
            case.world.screen.warning(f"could not look: {blind}")
        pace.wait(min(pace.every, left))
    return _over(case, looks, blind, pace.seconds)


def _relapse(case: Case, assessment: Assessment) -> Watched:
    seen = "; ".join(one.sentence for one in assessment.symptoms)
    life = _life(case)
    again = f"saveit-remediate --incident {case.runbook.id} joins it and remedies"
    if life.state in ("resolved", "reviewed"):
        _tell(case, "reopened", f"reopened by {BY}: {seen}", reason=seen)
        return Watched(Outcome.UNRESOLVED, f"it is back, and the incident reopened: {seen}; {again}")
    _tell(case, "note", f"{BY}: still there: {seen}", text=seen)
    return Watched(Outcome.UNRESOLVED, f"it is still there: {seen}; {again}")


def _over(case: Case, looks: int, blind: str, seconds: float) -> Watched:
    if not looks or blind:
        why = f"nobody knows whether it is well: {blind or 'no look came to an end'}"
        _tell(case, "note", f"{BY}: {why}", text=why)
        return Watched(Outcome.UNVERIFIED, why)
    found = case.measuring.baseline(min(seconds, 60.0))
    said = f"nothing was found in {looks} looks over {seconds:g} s" + (f"; {found.sentence}" if found else "")
    if found is not None and found.word == "not-back":
        _tell(case, "note", f"{BY}: {said}", text=said)
        return Watched(Outcome.UNVERIFIED, said)
    if _life(case).state == "monitoring":
        _tell(case, "resolved", f"resolved by {BY}: {said}", reason=said)
    else:
        _tell(case, "note", f"{BY}: {said}", text=said)
    return Watched(Outcome.RECOVERED, said)


def _look(case: Case) -> Assessment:
    result = run_looking(job_of(case, "diagnose", {}), case.world, f"Look at {case.request.inventory}")
    case.hosts = result.hosts
    return assess(case.runbook, with_obstacles(result, job_of(case, "diagnose", {})))


def _check(life: Life) -> None:
    attempt = f"cannot watch {life.incident_id}"
    if life.is_check:
        raise RefusedError(f"{attempt}: it is the record of a run with --check, and no incident")
    if life.resumed_as:
        raise RefusedError(
            f"{attempt}: it was cut off, and {life.resumed_as} goes on with it; watch that one"
        )
    if life.running:
        raise RefusedError(f"{attempt}: a run is at work on it, and looks itself")


def _tell(case: Case, kind: str, sentence: str, **payload: Any) -> None:
    """Somebody may have been quicker, and then it was said already."""
    told: Mapping[str, Any] = {"sentence": sentence, "by": BY, **payload}
    try:
        tell(case.record.journal, case.record.incident_id, kind, told, case.record.now())
    except RefusedError as error:
        case.world.screen.warning(str(error))


def _life(case: Case) -> Life:
    return life_of(case.record.journal.events(case.record.incident_id))


def watched_request(life: Life, given: Request) -> Request:
    """The recorded incident type, inventory and limit; extra variables and verbosity are those of `given`."""
    return dataclasses.replace(given, incident=life.incident, inventory=life.inventory, limit=life.limit)
