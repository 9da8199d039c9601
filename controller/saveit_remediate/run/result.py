"""What a run of Ansible tells: events while it runs, and a result at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from saveit_remediate.incident import Observation


@dataclass(frozen=True)
class Job:
    """Everything that one run of a playbook needs. `timeout` in seconds.

    In `extra_vars` a person may have written templates; `data` are variables of ours, in which nothing is
    evaluated, as names and sentences of others are in it.

    `limit_variable` is the variable by which a playbook takes the limit that adds hosts of its own: those
    would not match the limit of Ansible.
    """

    playbook: str
    inventory: str
    inventory_origin: str
    collections: Path
    cwd: Path
    timeout: int
    timeout_origin: str = ""
    limit: str = ""
    limit_variable: str = ""
    extra_vars: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    check: bool = False
    diff: bool = False
    verbosity: int = 0


@dataclass(frozen=True)
class StepStarted:
    """A host begins a task."""

    host: str
    task: str


@dataclass(frozen=True)
class StepFinished:
    """A host ended a task; `result` is ok, changed, skipped, failed or unreachable."""

    host: str
    task: str
    result: str
    seconds: float
    sentence: str = ""


@dataclass(frozen=True)
class RemedyEvent:
    """What the ladder says about itself while it runs, from a task result's `remediation_events`.

    `kind` is for instance remedy-started, remedy-finished, verified or diagnosed.
    """

    kind: str
    host: str
    remedy: str
    sentence: str
    at: str
    data: Mapping[str, Any]


RunEvent = StepStarted | StepFinished | RemedyEvent


@dataclass(frozen=True)
class Failure:
    """A task that failed on a host; `missing` are the arguments that its role lacks.

    `outcome` is what follows where the module names an obstacle: "refused" or "unreachable".
    """

    host: str
    task: str
    sentence: str
    missing: tuple[str, ...] = ()
    outcome: str = ""


@dataclass(frozen=True)
class RunResult:
    """How the run ended.

    `status` is one of: ended (Ansible went through the play, well or not), not-started, cut-off (it was
    killed, or gave up, in the middle), timeout, interrupted.
    `observation` is what the hosts in `published` told; the play ended with an error on those in
    `failed`. `problem` is the sentence when status is not "ended".
    """

    status: str
    rc: int
    observation: Observation = field(default_factory=Observation)
    hosts: tuple[str, ...] = ()
    published: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    unreachable: Mapping[str, str] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    problem: str = ""
    tail: tuple[str, ...] = ()

    def silent(self) -> tuple[str, ...]:
        """Hosts that could be reached and ended without publishing anything."""
        return tuple(
            host for host in self.hosts if host not in self.published and host not in self.unreachable
        )

    def failure_of(self, host: str) -> Failure | None:
        """The last failed task of a host."""
        return next((failure for failure in reversed(self.failures) if failure.host == host), None)
