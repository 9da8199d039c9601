"""The table of faults. A new fault is an entry here and a function that does the damage."""

from collections.abc import Callable
from dataclasses import dataclass

from saveit_lab import containers, redis_faults, resource_faults
from saveit_lab.errors import LabError

RECOVERED = "recovered"  # what a remediation should achieve
UNRESOLVED = "unresolved"  # no restart helps, a person has to act


@dataclass(frozen=True)
class Fault:
    """`inject` does the damage; `holds` tells, as seen from outside, whether it is done."""

    name: str
    incident: str
    service: str
    expected: str
    finding: str
    description: str
    inject: Callable[[], None]
    holds: Callable[[], bool]


TABLE = (
    Fault(
        "redis-stopped", "redis", "redis", RECOVERED, "service-stopped",
        "the container is stopped",
        lambda: containers.stop("redis"), lambda: containers.is_in("redis", "exited"),
    ),
    Fault(
        "redis-killed", "redis", "redis", RECOVERED, "service-stopped",
        "the container is killed and not started again",
        lambda: containers.kill("redis"), lambda: containers.is_in("redis", "exited"),
    ),
    Fault(
        "redis-paused", "redis", "redis", RECOVERED, "service-paused",
        "the container is paused",
        lambda: containers.pause("redis"), lambda: containers.is_in("redis", "paused"),
    ),
    Fault(
        "redis-sigstop", "redis", "redis", RECOVERED, "redis-timeout",
        "the server process is stopped by SIGSTOP, the container runs",
        lambda: containers.send("redis", "STOP"), redis_faults.is_silent,
    ),
    Fault(
        "redis-client-pause", "redis", "redis", RECOVERED, "redis-timeout",
        "CLIENT PAUSE keeps every client waiting for hours",
        redis_faults.pause_clients, redis_faults.is_silent,
    ),
    Fault(
        "redis-loading", "redis", "redis", RECOVERED, "redis-loading",
        "the server loads its data for some 17 s after a start; each restart begins anew",
        redis_faults.load_slowly, redis_faults.refuses("LOADING"),
    ),
    Fault(
        "redis-wrong-password", "redis", "redis", UNRESOLVED, "redis-auth",
        "the server wants a password that its clients do not have",
        redis_faults.want_password, redis_faults.refuses("NOAUTH"),
    ),
    Fault(
        "redis-readonly", "redis", "redis", UNRESOLVED, "redis-readonly",
        "the server is a replica of a primary that nobody reaches",
        redis_faults.demote, redis_faults.refuses("READONLY"),
    ),
    Fault(
        "redis-maxmemory", "redis", "redis", UNRESOLVED, "redis-oom",
        "the server's memory limit leaves no room for a write",
        redis_faults.fill_memory, redis_faults.refuses("OOM"),
    ),
    Fault(
        "redis-misconf", "redis", "redis", UNRESOLVED, "redis-misconf",
        "the server cannot save its data to disk and refuses writes",
        redis_faults.forbid_saving, redis_faults.refuses("MISCONF"),
    ),
    Fault(
        "memory-leak", "memory", "backend", RECOVERED, "memory-high",
        "a worker leaks memory and stops just below the container's limit",
        resource_faults.leak, resource_faults.is_nearly_full,
    ),
    Fault(
        "memory-oom-loop", "memory", "backend", RECOVERED, "memory-oom",
        "the workers need more than the container may have and are killed again and again",
        resource_faults.need_more_memory, resource_faults.kills_go_on,
    ),
    Fault(
        "cpu-busy-loop", "cpu", "backend", RECOVERED, "cpu-high",
        "a worker computes for nothing, at a low CPU cap",
        resource_faults.spin, resource_faults.is_throttled,
    ),
    Fault(
        "cpu-throttled", "cpu", "backend", RECOVERED, "cpu-throttled",
        "requests need more CPU than the backend's cap gives",
        resource_faults.load, resource_faults.is_throttled,
    ),
)  # fmt: skip


def find(name: str) -> Fault:
    for fault in TABLE:
        if fault.name == name:
            return fault
    raise LabError(f"cannot break {name!r}: there is no such fault; see `lab faults`")
