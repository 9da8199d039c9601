"""List what is changed for a time on the targets, and put it back. The steps of it, in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from saveit_remediate.catalog import check_extra_vars, choose_playbook, load_all, load_parameters
from saveit_remediate.errors import RemediateError, UsageError
from saveit_remediate.incident import Change, Finding, Outcome, Request, Reverted
from saveit_remediate.journal import Journal
from saveit_remediate.respond.case import Surroundings, base_job
from saveit_remediate.respond.diagnosis import with_obstacles
from saveit_remediate.respond.judgement import worst
from saveit_remediate.respond.look import run_looking
from saveit_remediate.respond.untouched import judge_obstacles
from saveit_remediate.run import Job, check_inventory
from saveit_remediate.settings import Settings

_ROLE = "changes"  # of the collection, and the playbook that lists


@dataclass(frozen=True)
class Changes:
    """What is recorded on the targets, and what became of what was to be put back.

    `unseen` could not be asked.
    """

    changes: tuple[Change, ...]
    reverted: tuple[Reverted, ...]
    unseen: tuple[Finding, ...]
    sentences: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        """Refused where something was left as it is; a target that was not asked is never fine."""
        left = [Outcome.REFUSED for one in self.reverted if one.word == "left"]
        missed = [judge_obstacles(self.unseen).outcome] if self.unseen else []
        return worst([Outcome.HEALTHY, *left, *missed])


def list_changes(request: Request, settings: Settings, world: Surroundings) -> Changes:
    """Ask all targets. Raises RemediateError."""
    return _ask({"changes_step": "read"}, request, settings, world)


def revert(
    ids: Sequence[str], step: str, request: Request, settings: Settings, world: Surroundings
) -> Changes:
    """Put back these, or without ids what has expired; step is revert or forget.

    Raises UsageError for an id that no target has, with those that there are, and RemediateError.
    """
    told = {"changes_step": step, "changes_ids": list(ids), "changes_holder": world.user}
    found = _ask(told, request, settings, world)
    missing = [id_ for id_ in ids if id_ not in {one.id for one in found.reverted}]
    if missing and not found.unseen:
        there = "; ".join(f"{one.id} ({one.what} on {one.target})" for one in found.changes) or "none"
        did = "; ".join(one.sentence for one in found.reverted)
        raise UsageError(
            f"no target of {request.inventory} has the change {', '.join(missing)}; there are: {there}"
            + (f" (done: {did})" if did else "")
        )
    return found


def note(found: Changes, journal: Journal, world: Surroundings) -> None:
    """What was put back is added to the records of its incidents, where this journal has them."""
    try:
        known = set(journal.incidents())
        for one in found.reverted:
            if one.word in ("put-back", "over") and one.incident in known:
                payload = {**dataclasses.asdict(one), "host": one.target, "user": world.user}
                journal.append(one.incident, "put-back", payload, world.now())
    except RemediateError as error:
        world.screen.warning(f"{error}; what was put back is not in the record")


def _ask(variables: Mapping[str, Any], request: Request, settings: Settings, world: Surroundings) -> Changes:
    runbooks, _problems = load_all(world.catalog)
    parameters = load_parameters(world.catalog, _ROLE)
    for runbook in runbooks:
        parameters |= runbook.parameters
    given = check_extra_vars(parameters, request.extra_vars, _ROLE, reserved=tuple(variables))
    check_inventory(request.inventory, settings["inventory"].origin)
    job = base_job(request, settings, world, choose_playbook(_ROLE, None, settings.playbooks))
    job = dataclasses.replace(job, extra_vars=given, data=dict(variables), check=request.check)
    return _read(job, world, request)


def _read(job: Job, world: Surroundings, request: Request) -> Changes:
    result = run_looking(job, world, f"Ask {request.inventory} what is changed")
    # Those that left something, or have no such change, fail after they have told so, which is no obstacle.
    reverted = result.observation.reverted
    left = {one.target for one in reverted if one.word == "left"}
    without = result.published - {one.target for one in reverted} if job.data.get("changes_ids") else set()
    seen = with_obstacles(dataclasses.replace(result, failed=result.failed - left - without), job)
    return Changes(
        changes=seen.changes,
        reverted=seen.reverted,
        unseen=tuple(finding for finding in seen.findings if finding.is_obstacle),
        sentences=seen.sentences,
    )
