"""Run a playbook that only looks, and give what it has to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saveit_remediate.catalog import choose_playbook
from saveit_remediate.errors import InterruptedRunError, UnreachableError
from saveit_remediate.incident import Finding, Request, Table
from saveit_remediate.respond.case import Surroundings
from saveit_remediate.respond.diagnosis import with_obstacles
from saveit_remediate.run import Job, check_inventory, run_playbook
from saveit_remediate.settings import Settings


@dataclass(frozen=True)
class Look:
    """Tables and what was found; `unseen` says which hosts could not be looked at, and why."""

    tables: tuple[Table, ...]
    findings: tuple[Finding, ...]
    unseen: tuple[Finding, ...]
    sentences: tuple[str, ...]


def look(
    what: str, variables: Mapping[str, Any], request: Request, settings: Settings, world: Surroundings
) -> Look:
    """Run the playbook `what` on the hosts of the request. Nothing is changed. Raises RemediateError."""
    origin = settings["inventory"].origin
    check_inventory(request.inventory, origin)
    job = Job(
        playbook=choose_playbook(what, None, settings.playbooks).name,
        inventory=request.inventory,
        inventory_origin=origin,
        collections=world.catalog.root,
        cwd=world.cwd,
        timeout=settings.timeout,
        timeout_origin=settings["timeout"].origin,
        limit=request.limit,
        extra_vars={**request.extra_vars, **variables},
        verbosity=request.verbosity,
    )
    with world.screen.phase(f"Look at {request.inventory}"):
        result = run_playbook(job, world.screen.event)
    if result.status == "interrupted":
        raise InterruptedRunError("interrupted while looking; nothing was touched")
    if result.status != "ended":
        raise UnreachableError(result.problem)
    seen = with_obstacles(result, job)
    return Look(
        tables=seen.tables,
        findings=tuple(finding for finding in seen.findings if not finding.is_obstacle),
        unseen=tuple(finding for finding in seen.findings if finding.is_obstacle),
        sentences=seen.sentences,
    )
