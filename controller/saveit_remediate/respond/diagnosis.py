"""Read the run of the diagnosis: what stands in the way becomes an obstacle. Pure."""

from __future__ import annotations

import dataclasses

from saveit_remediate.errors import UsageError
from saveit_remediate.incident import Finding, Observation, Outcome
from saveit_remediate.run import Job, RunResult


def with_obstacles(result: RunResult, job: Job) -> Observation:
    """The observation, with an obstacle for each host that could not be looked at.

    Raises UsageError when a host lacks a parameter. Never healthy without having looked.
    """
    if result.status != "ended":
        obstacle = _obstacle("not-started", "all", result.problem)
        return dataclasses.replace(result.observation, findings=(*result.observation.findings, obstacle))
    if not result.hosts:
        obstacle = _obstacle("not-started", "all", f"the playbook {job.playbook} did nothing on any host")
        return dataclasses.replace(result.observation, findings=(*result.observation.findings, obstacle))
    told = {finding.target for finding in result.observation.findings if finding.is_obstacle}
    found = [
        _obstacle("unreachable", host, f"cannot reach {host}: {message}")
        for host, message in result.unreachable.items()
    ]
    found += [
        _obstacle("not-started", host, _why_silent(result, host, job), _outcome(result, host))
        for host in result.silent()
    ]
    for host in sorted(result.failed & result.published - told):
        failure = result.failure_of(host)
        why = f"{failure.task}: {failure.sentence}" if failure else "it ended with an error"
        found.append(_obstacle("not-started", host, f"cannot diagnose {host}: {why}"))
    return dataclasses.replace(result.observation, findings=(*result.observation.findings, *found))


def _why_silent(result: RunResult, host: str, job: Job) -> str:
    failure = result.failure_of(host)
    if failure is None:
        return f"the playbook {job.playbook} told nothing about {host}; it must publish `remediation`"
    if failure.missing:
        missing = ", ".join(failure.missing)
        raise UsageError(
            f"host {host} of the inventory {job.inventory} ({job.inventory_origin}) lacks {missing}: "
            f"set it there, for instance {failure.missing[0]}: … below the host"
        )
    return f"cannot look at {host}: {failure.task}: {failure.sentence}"


def _outcome(result: RunResult, host: str) -> Outcome:
    """Refused only where the module that failed says so."""
    failure = result.failure_of(host)
    return Outcome.REFUSED if failure and failure.outcome == Outcome.REFUSED else Outcome.UNREACHABLE


def _obstacle(id_: str, host: str, sentence: str, outcome: Outcome = Outcome.UNREACHABLE) -> Finding:
    return Finding(id_, host, host, sentence, kind="obstacle", outcome=outcome)
