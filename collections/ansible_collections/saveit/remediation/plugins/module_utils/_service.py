# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service and its instances, the same on every platform."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.saveit.remediation.plugins.module_utils._result import Evidence, Finding

RUNNING = "running"
ABSENT = "absent"


@dataclass(frozen=True)
class Instance:
    """One container (or pod) of a service.

    `state` is one of created, running, paused, restarting, removing, stopped, dead.
    Times are ISO 8601, "" when never.
    """

    id: str
    name: str
    state: str
    health: str = ""  # healthy, unhealthy, starting, or "" without a health check
    exit_code: int = 0
    restarts: int = 0
    oom_killed: bool = False
    started_at: str = ""
    finished_at: str = ""
    error: str = ""
    start_period: float = 0  # seconds that its own health check gives it to start; 0 when it does not say
    ports: tuple[int, ...] = ()  # of the host, that lead to it, whether it runs or not


@dataclass(frozen=True)
class Service:
    """A service by the name that runbooks use."""

    name: str
    instances: tuple[Instance, ...]

    @property
    def state(self) -> str:
        """The state of the sickest instance; running only when all are, absent when there is none."""
        if not self.instances:
            return ABSENT
        for instance in self.instances:
            if instance.state != RUNNING:
                return instance.state
        return RUNNING

    def in_state(self, *states: str) -> tuple[Instance, ...]:
        """The instances in one of these states."""
        return tuple(each for each in self.instances if each.state in states)

    def as_return(self) -> dict[str, Any]:
        """Plain data for a module's return value."""
        return {
            "name": self.name,
            "state": self.state,
            "instances": [asdict(each) for each in self.instances],
        }


def describe(instance: Instance) -> str:
    """One instance's state in words, for a sentence."""
    if instance.state == "stopped":
        killed = ", killed for lack of memory" if instance.oom_killed else ""
        why = f": {instance.error}" if instance.error else ""
        ended = f"exit code {instance.exit_code} at {instance.finished_at}"
        return f"{instance.name} is stopped, {ended}{killed}{why}"
    if instance.state == "restarting":
        times = f"{instance.restarts} times, last exit code {instance.exit_code}"
        return f"{instance.name} restarts again and again ({times})"
    if instance.state == "created":
        return (
            f"{instance.name} was created and never started{': ' + instance.error if instance.error else ''}"
        )
    return f"{instance.name} is {instance.state}"


def findings(service: Service) -> list[Finding]:
    """A finding for each state that is not running, with the instances that are in it."""
    found = []
    for state in sorted({each.state for each in service.instances} - {RUNNING}):
        sick = service.in_state(state)
        share = f"{len(sick)} of {len(service.instances)} instances: " if len(service.instances) > 1 else ""
        sentence = f"{service.name}: {share}{'; '.join(describe(each) for each in sick)}"
        found.append(Finding(f"service-{state}", service.name, sentence))
    return found


def evidence(service: Service) -> list[Evidence]:
    """State and restarts, as evidence."""
    return [
        Evidence(f"{service.name}.state", service.state),
        Evidence(f"{service.name}.restarts", sum(each.restarts for each in service.instances)),
    ]
