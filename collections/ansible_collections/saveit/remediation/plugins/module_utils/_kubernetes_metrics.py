# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes: what containers take by metrics.k8s.io, what they may take, and what killed them.

All pure. A sample is a mean over some ten seconds, memory in it the working set; a pod that is new has none
for a minute or more, and then there is no data. See https://github.com/kubernetes-sigs/metrics-server.
"""

from __future__ import annotations

from typing import Any, Iterator, Mapping, NamedTuple, Optional, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._quantity import quantity
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time


class Container(NamedTuple):
    """A container of a pod. Limits are in bytes and cores, 0 without one.

    `used` (bytes) and `cores` are None without a sample.
    """

    pod: str
    name: str
    label: str  # for sentences: the pod, and the container where there are several
    node: str
    running: bool
    memory_limit: float
    cpu_limit: float
    used: Optional[float]
    cores: Optional[float]
    oom_kills: tuple[float, ...]  # when, in seconds since the epoch
    started: Optional[float]  # seconds since the epoch


def containers(
    pods: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]]
) -> Iterator[Container]:
    """Every container that was started at least once, of pods that are not about to go."""
    samples = {each["metadata"]["name"]: _sample(each) for each in metrics}
    for pod in pods:
        name, status = pod["metadata"]["name"], pod.get("status", {})
        if pod["metadata"].get("deletionTimestamp") or status.get("phase") in ("Succeeded", "Failed"):
            continue
        specs = pod["spec"]["containers"]
        states = {each["name"]: each for each in status.get("containerStatuses") or ()}
        for spec in specs:
            state = states.get(spec["name"])
            if state is None:
                continue
            limits = (spec.get("resources") or {}).get("limits") or {}
            running = (state.get("state") or {}).get("running")
            used, cores = samples.get(name, {}).get(spec["name"], (None, None))
            yield Container(
                pod=name,
                name=spec["name"],
                label=name if len(specs) == 1 else f"{name}/{spec['name']}",
                node=pod["spec"].get("nodeName", ""),
                running=running is not None,
                memory_limit=quantity(limits.get("memory")) or 0,
                cpu_limit=quantity(limits.get("cpu")) or 0,
                used=used if running is not None else None,
                cores=cores if running is not None else None,
                oom_kills=_oom_kills(state),
                started=parse_time(str((running or {}).get("startedAt"))),
            )


def stats(found: Sequence[Container]) -> dict[str, Optional[float]]:
    """Working set, memory limit (bytes) and cores of one pod; None where a part of it is not known."""
    used, cores = [each.used for each in found], [each.cores for each in found]
    limits = [each.memory_limit for each in found]
    return {
        "working_set": _sum(used),
        "limit": _sum([each or None for each in limits]),
        "cores": _sum(cores),
    }


def allocatable(nodes: Sequence[Mapping[str, Any]], name: str, resource: str) -> float | None:
    """What the pods of a node may take together; None when it is not known."""
    found = [each for each in nodes if each["metadata"]["name"] == name]
    return quantity((found[0]["status"].get("allocatable") or {}).get(resource)) if found else None


def _sample(metrics: Mapping[str, Any]) -> dict[str, tuple[Optional[float], Optional[float]]]:
    used = {each["name"]: each.get("usage") or {} for each in metrics.get("containers") or ()}
    return {name: (quantity(each.get("memory")), quantity(each.get("cpu"))) for name, each in used.items()}


def _oom_kills(state: Mapping[str, Any]) -> tuple[float, ...]:
    """The kubelet keeps a container's present end and the one before; both may be the same one."""
    ends = [(state.get(each) or {}).get("terminated") or {} for each in ("state", "lastState")]
    killed = {
        each.get("containerID", number): parse_time(str(each.get("finishedAt")))
        for number, each in enumerate(ends)
        if each.get("reason") == "OOMKilled"
    }
    return tuple(each for each in killed.values() if each is not None)


def _sum(values: Sequence[Optional[float]]) -> float | None:
    known = [each for each in values if each is not None]
    return round(sum(known), 3) if known and len(known) == len(values) else None
