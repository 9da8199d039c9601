"""Run a playbook that only looks, and give what it has to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from saveit_remediate.catalog import check_extra_vars, choose_playbook, load_all, load_parameters
from saveit_remediate.errors import InterruptedRunError, UnreachableError
from saveit_remediate.incident import Finding, Outcome, Request, Table
from saveit_remediate.respond.case import Surroundings, base_job
from saveit_remediate.respond.diagnosis import with_obstacles
from saveit_remediate.respond.untouched import judge_obstacles
from saveit_remediate.run import Job, RunResult, check_inventory, run_playbook
from saveit_remediate.settings import Settings

_ROLE = "look"  # of the collection
_WHAT = "look_at"  # its parameter, which the playbook sets


@dataclass(frozen=True)
class Look:
    """Tables and what was found; `unseen` says which hosts could not be looked at, and why."""

    tables: tuple[Table, ...]
    findings: tuple[Finding, ...]
    unseen: tuple[Finding, ...]
    sentences: tuple[str, ...]
    manifests: tuple[Mapping[str, Any], ...] = ()

    @property
    def outcome(self) -> Outcome:
        """Healthy when every host could be looked at; else the worst host decides, as in a response."""
        return judge_obstacles(self.unseen).outcome if self.unseen else Outcome.HEALTHY


def look(
    what: str,
    variables: Mapping[str, Any],
    request: Request,
    settings: Settings,
    world: Surroundings,
    longest: int = 0,
) -> Look:
    """Run the playbook `what` on the hosts of the request. Nothing is changed. Raises RemediateError.

    The parameters of all incident types may be given, as a look may be one of theirs. `longest` are the
    seconds that it may take, instead of those of the setting.
    """
    runbooks, _problems = load_all(world.catalog)
    parameters = load_parameters(world.catalog, _ROLE)
    for runbook in runbooks:
        parameters |= runbook.parameters
    given = check_extra_vars(parameters, request.extra_vars, what, reserved=(_WHAT, *variables))
    check_inventory(request.inventory, settings["inventory"].origin)
    job = base_job(request, settings, world, choose_playbook(what, None, settings.playbooks))
    job = replace(job, extra_vars=given, data=variables, timeout=longest or job.timeout)
    seen = with_obstacles(run_looking(job, world, f"Look at {request.inventory}"), job)
    return Look(
        tables=seen.tables,
        findings=tuple(finding for finding in seen.findings if not finding.is_obstacle),
        unseen=tuple(finding for finding in seen.findings if finding.is_obstacle),
        sentences=seen.sentences,
        manifests=seen.manifests,
    )


def run_looking(job: Job, world: Surroundings, title: str) -> RunResult:
    """Run a playbook that changes nothing. Raises RemediateError unless Ansible went through it."""
    with world.screen.phase(title):
        result = run_playbook(job, world.screen.event)
    if result.status == "interrupted":
        raise InterruptedRunError("interrupted while looking; nothing was touched")
    if result.status != "ended":
        raise UnreachableError(f"{result.problem} (nothing was touched)")
    return result
