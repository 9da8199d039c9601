# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service and its instances, the same on every platform."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._result import Evidence, Finding

RUNNING = "running"
PENDING = "pending"
ABSENT = "absent"
SHOWN = 3  # instances that a sentence tells of
TELLING = 2  # instances whose logs are read: each is a request to the API, and replicas tell the same


@dataclass(frozen=True)
class Instance:
    """One container (or pod) of a service.

    `state` is one of created, running, paused, restarting, removing, stopped, dead; of a pod also pending or
    unreachable. Times are ISO 8601, "" when never.
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
    ports: tuple[int, ...] = ()  # of the host, that lead to it, whether it runs or not; of a pod its own
    container: str = ""  # the one of a pod that is meant, "" when the instance is the container
    trouble: str = ""  # the id of the finding about it, where the platform itself says what is wrong
    said: str = ""  # what the platform says of it, for a sentence

    @property
    def arrives(self) -> bool:
        """Is it a new one that only has not started yet?"""
        return self.state == PENDING and not self.trouble


@dataclass(frozen=True)
class Service:
    """A service by the name that runbooks use."""

    name: str
    instances: tuple[Instance, ...]
    troubles: tuple[Finding, ...] = ()  # what the platform says of it as a whole
    workload: str = ""  # what makes its instances, where the platform has such a thing

    @property
    def state(self) -> str:
        """The state of the sickest instance; running only when all are, absent when there is none.

        One that arrives while others run makes nothing sick.
        """
        if not self.instances:
            return ABSENT
        for instance in self.instances:
            if instance.state != RUNNING and not instance.arrives:
                return instance.state
        return RUNNING if self.in_state(RUNNING) else PENDING

    @property
    def serves(self) -> bool:
        """May somebody be there to answer? A workload has instances that stand in for each other."""
        return self.state == RUNNING or bool(self.workload and self.in_state(RUNNING))

    @property
    def telling(self) -> tuple[Instance, ...]:
        """The instances whose logs are read, the sickest first."""
        sickest = sorted(self.instances, key=lambda each: (each.state == RUNNING, not each.trouble))
        return tuple(sickest[:TELLING])

    def in_state(self, *states: str) -> tuple[Instance, ...]:
        """The instances in one of these states."""
        return tuple(each for each in self.instances if each.state in states)

    def as_return(self) -> dict[str, Any]:
        """Plain data for a module's return value."""
        return {
            "name": self.name,
            "state": self.state,
            "workload": self.workload,
            "instances": [asdict(each) for each in self.instances],
        }


def describe(instance: Instance) -> str:
    """One instance's state in words, for a sentence."""
    if instance.said:
        return f"{instance.name}: {instance.said}"
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
    """What is wrong with it as a whole, and with its instances: one finding for each trouble or state."""
    told = {each.id for each in service.troubles}
    settled = [each for each in service.instances if service.state == PENDING or not each.arrives]
    ids = {_id(each) for each in settled if each.id or _id(each) not in told} - {f"service-{RUNNING}"}
    return [*service.troubles, *(_finding(service, id_) for id_ in sorted(ids))]


def _id(instance: Instance) -> str:
    return instance.trouble or f"service-{instance.state}"


def _finding(service: Service, id_: str) -> Finding:
    sick = [each for each in service.instances if _id(each) == id_]
    share = f"{len(sick)} of {len(service.instances)} instances: " if len(service.instances) > 1 else ""
    return Finding(id_, service.name, f"{service.name}: {share}{_told(sick)}")


def _told(sick: Sequence[Instance]) -> str:
    """Each in its own words; ten pods that cannot pull the same image say so once."""
    if len(sick) > 1 and sick[0].said and len({each.said for each in sick}) == 1:
        more = f" and {len(sick) - SHOWN} more" if len(sick) > SHOWN else ""
        return f"{', '.join(each.name for each in sick[:SHOWN])}{more}: {sick[0].said}"
    more = f"; and {len(sick) - SHOWN} more" if sick[0].said and len(sick) > SHOWN else ""
    return "; ".join(describe(each) for each in (sick[:SHOWN] if more else sick)) + more


def evidence(service: Service) -> list[Evidence]:
    """State and restarts, as evidence."""
    return [
        Evidence(f"{service.name}.state", service.state),
        Evidence(f"{service.name}.restarts", sum(each.restarts for each in service.instances)),
    ]
