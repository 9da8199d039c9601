"""Look for every kind of incident in one run of Ansible, and say which one it is."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace

from saveit_remediate.catalog import check_extra_vars, choose_playbook, load_all, load_policy
from saveit_remediate.incident import Finding, Observation, Outcome, Request
from saveit_remediate.respond.case import Surroundings, base_job, policy_variables
from saveit_remediate.respond.look import run_looking
from saveit_remediate.respond.untouched import judge_obstacles
from saveit_remediate.run import RunResult, check_inventory
from saveit_remediate.settings import Settings
from saveit_remediate.triage import Suspect, Triage, triage

_PLAYBOOK = "diagnose"
_BETWEEN = "@"  # a host of the play is called incident@host


@dataclass(frozen=True)
class Survey:
    """What was found on which hosts; `commands` are what would remediate, by incident type."""

    triage: Triage
    hosts: tuple[str, ...]
    commands: Mapping[str, str]

    def command_of(self, suspect: Suspect) -> str:
        """What would remediate it; empty for what follows from something else."""
        return "" if suspect.follows_from else self.commands[suspect.incident]

    @property
    def missed(self) -> tuple[Finding, ...]:
        """What could not be looked at, but for what the site does not have, by its inventory."""
        return tuple(one for one in self.triage.unseen if one.id != "not-configured")

    @property
    def outcome(self) -> Outcome:
        """Planned when something is wrong; never healthy when something could not be looked at."""
        if self.triage.suspects:
            return Outcome.PLANNED
        missed = self.missed
        return judge_obstacles(missed).outcome if missed else Outcome.HEALTHY

    @property
    def sentence(self) -> str:
        """What is wrong, in few words."""
        causes = list(dict.fromkeys(one.incident for one in self.triage.causes))
        if len(causes) > 1:
            return f"several causes: {', '.join(causes)}"
        if causes:
            return f"the cause is {causes[0]}"
        return "not everything could be looked at" if self.missed else "nothing is wrong"


def survey(request: Request, settings: Settings, world: Surroundings) -> Survey:
    """Diagnose all incident types side by side; nothing is changed. Raises RemediateError."""
    runbooks, problems = load_all(world.catalog)
    for problem in problems:
        world.screen.warning(problem)
    parameters = {name: one for runbook in runbooks for name, one in runbook.parameters.items()}
    variables = check_extra_vars(parameters, request.extra_vars)
    check_inventory(request.inventory, settings["inventory"].origin)
    load_policy(world.catalog, settings.policy, settings["policy"].origin)
    job = base_job(request, settings, world, choose_playbook(_PLAYBOOK, None, settings.playbooks))
    job = replace(
        job,
        limit_variable="diagnosis_hosts",
        extra_vars=variables,
        data={
            **policy_variables(settings),
            "diagnosis_incidents": [runbook.id for runbook in runbooks],
        },
    )
    result = run_looking(job, world, f"Diagnose everything on {request.inventory}")
    hosts = tuple(host for host in result.hosts if _BETWEEN not in host)
    found = triage(runbooks, _by_incident(result))
    return Survey(found, hosts, _commands(found, request, settings))


def _by_incident(result: RunResult) -> Mapping[str, Observation]:
    """What was seen, by incident type; what could not be looked at is an obstacle of its type."""
    seen = result.observation
    looks = [host.partition(_BETWEEN)[::2] for host in result.hosts if _BETWEEN in host]
    obstacles = [_unseen(result, incident, host) for incident, host in looks]
    findings = [*seen.findings, *(obstacle for obstacle in obstacles if obstacle)]
    return {
        incident: Observation(
            findings=tuple(finding for finding in findings if finding.incident == incident),
            evidence=tuple(item for item in seen.evidence if item.incident == incident),
        )
        for incident in dict.fromkeys(incident for incident, _ in looks)
    }


def _unseen(result: RunResult, incident: str, host: str) -> Finding | None:
    """Why an incident type could not be looked for on a host; None when it was."""
    name = f"{incident}{_BETWEEN}{host}"
    if name in result.unreachable:
        why = f"cannot reach {host}: {result.unreachable[name]}"
    elif name in result.published:
        return None
    else:
        failure = result.failure_of(name)
        why = f"{failure.task}: {failure.sentence}" if failure else "it told nothing"
        if failure and failure.missing:
            why = f"the inventory sets no {', '.join(failure.missing)}"
        why = f"{incident} on {host}: {why}"
    return Finding("not-looked-at", host, host, why, "obstacle", Outcome.UNREACHABLE, incident=incident)


def _commands(found: Triage, request: Request, settings: Settings) -> dict[str, str]:
    given: list[str] = []
    if settings["inventory"].origin.startswith("from option"):
        given += ["-i", request.inventory]
    if request.limit:
        given += ["-l", request.limit]
    return {
        suspect.incident: shlex.join(["saveit-remediate", "--incident", suspect.incident, *given])
        for suspect in found.suspects
    }
