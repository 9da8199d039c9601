# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes: what the containers of a service take, by metrics.k8s.io, and inside where that is silent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Mapping, Optional, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils import _kubernetes_autoscaler as autoscaler
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._cgroup import Reading
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes import now
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_metrics import (
    Container,
    allocatable,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_resources import (
    containers_of,
    read,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_snapshot import snapshot
from ansible_collections.saveit.remediation.plugins.module_utils._result import Evidence, Finding
from ansible_collections.saveit.remediation.plugins.module_utils._service import Service
from ansible_collections.saveit.remediation.plugins.module_utils._usage import (
    MIB,
    Usage,
    cpu_findings,
    cpu_of,
    memory_of,
)

INSIDE_MOST = 3  # containers that are read inside in one look; each is a call of its own
SAMPLE_AFTER = 120  # seconds after its start, by which a container has a sample
INSIDE_FROM = 50  # percent of its CPU limit from which a container may be throttled


def memory(parameters: Mapping[str, Any], carrier: Carrier, service: Service) -> list[Usage]:
    """Working set against the limit, and OOM kills within the window, of each container."""
    found, why = containers_of(parameters, carrier, service.instances)
    whole = _optional(parameters, carrier, "nodes") if any(not each.memory_limit for each in found) else ()
    killed = any(each.oom_kills for each in found)
    since = (now(parameters, carrier) if killed else 0) - parameters["oom_window_seconds"]
    usages = {each: _memory(each, why, whole, since) for each in found}
    blind = [each for each in found if each.running and each.used is None]
    for each, reading, reason in _inside(parameters, carrier, blind):
        if reading.working_set is None:
            usages[each] = replace(usages[each], why_unknown=f"{usages[each].why_unknown}; {reason}")
        else:
            usages[each] = replace(usages[each], why_unknown="", known_by=0, **memory_of(reading))
    return list(usages.values())


def cpu(parameters: Mapping[str, Any], carrier: Carrier, service: Service) -> list[Usage]:
    """Cores against the limit, and throttling where a container is busy enough for it, of what runs."""
    found, why = containers_of(parameters, carrier, service.instances)
    running = [each for each in found if each.running]
    whole = _optional(parameters, carrier, "nodes") if any(not each.cpu_limit for each in running) else ()
    usages = {each: _cpu(each, why, whole) for each in running}
    blind = [each for each in running if each.cores is None]
    # Each look inside is a call: of those with a sample, the busiest one is enough.
    busiest = sorted(running, key=lambda each: usages[each].cpu_percent or 0)[-1:]
    chosen = blind or [each for each in busiest if (usages[each].cpu_percent or 0) >= INSIDE_FROM]
    firsts = {}
    for each, first, reason in _inside(parameters, carrier, chosen):
        if first.cpu_seconds is not None:
            firsts[each] = first
            continue
        told = f"{usages[each].why_unknown}; {reason}" if each.cores is None else f"throttling: {reason}"
        usages[each] = replace(usages[each], why_unknown=told)
    for each, counted in _over_a_window(parameters, carrier, firsts).items():
        # The use of the CPU stays that of the sample, where there is one: a mean over a longer time.
        keys = counted if each.cores is None else ["throttled_percent"]
        usages[each] = replace(
            usages[each], why_unknown="", known_by=0, **{key: counted[key] for key in keys}
        )
    return list(usages.values())


def scaler(
    parameters: Mapping[str, Any], carrier: Carrier, service: Service
) -> tuple[list[Finding], list[Evidence]]:
    """What its HorizontalPodAutoscaler says; nothing where there is none."""
    kind, _space, name = service.workload.partition(" ")
    found, told = [], []
    for each in autoscaler.owners(_optional(parameters, carrier, "horizontalpodautoscalers"), kind, name):
        found += autoscaler.findings(each, service.name, parameters["resource"])
        told += autoscaler.evidence(each, service.name)
    return found, told


def _optional(parameters: Mapping[str, Any], carrier: Carrier, kind: str) -> Sequence[Mapping[str, Any]]:
    """All of a kind; none where this account may not see them."""
    return snapshot(parameters, carrier, [kind], required=[])[kind]


def _memory(taken: Container, why: str, known: Sequence[Mapping[str, Any]], since: float) -> Usage:
    whole = taken.memory_limit or allocatable(known, taken.node, "memory")
    # A kill is dated in whole seconds.
    kills = sum(each >= int(since) for each in taken.oom_kills)
    return Usage(
        taken.label,
        oom_kills=kills,
        working_set_mb=None if taken.used is None else round(taken.used / MIB, 1),
        memory_limit_mb=round(taken.memory_limit / MIB, 1),
        memory_percent=_percent(taken.used, whole),
        why_unknown=_why(taken, why) if taken.used is None else "",
        known_by=_known_by(taken, why),
    )


def _cpu(taken: Container, why: str, known: Sequence[Mapping[str, Any]]) -> Usage:
    whole = taken.cpu_limit or allocatable(known, taken.node, "cpu")
    return Usage(
        taken.label,
        cpu_cores=None if taken.cores is None else round(taken.cores, 3),
        cpu_cap=round(taken.cpu_limit, 3),
        cpu_percent=_percent(taken.cores, whole),
        why_unknown=_why(taken, why) if taken.cores is None else "",
        known_by=_known_by(taken, why),
    )


def _why(taken: Container, why: str) -> str:
    if not taken.running:
        return "it does not run"
    return why or "no metrics yet: a new pod has no sample for a minute or more"


def _known_by(taken: Container, why: str) -> float:
    """By when a new container has its first sample; 0 where it has one, or there are none at all."""
    waits = taken.running and taken.cores is None and not why and taken.started is not None
    return (taken.started or 0) + SAMPLE_AFTER if waits else 0


def _percent(used: Optional[float], whole: Optional[float]) -> float | None:
    return None if used is None or not whole else round(100 * used / whole, 1)


def _inside(
    parameters: Mapping[str, Any], carrier: Carrier, chosen: Sequence[Container]
) -> list[tuple[Container, Reading, str]]:
    """What the kernel counts for the first few of them, and why it is not known where it is not."""
    told = []
    for each in chosen[:INSIDE_MOST]:
        reading, why = read(parameters, carrier, each)
        told.append((each, reading, why))
        if reading == Reading() and len(told) == 1:
            break  # what may not be done, or is not in the image, is so for all of them
    return told


def _over_a_window(
    parameters: Mapping[str, Any], carrier: Carrier, firsts: Mapping[Container, Reading]
) -> dict[Container, dict[str, Any]]:
    """A second reading a short window later; a third where they show too much: one busy second is none."""
    counted: dict[Container, dict[str, Any]] = {}
    again = list(firsts)
    for pause in ("window_seconds", "confirm_seconds"):
        if not again or not parameters[pause]:
            break
        carrier.sleep(parameters[pause])
        counted.update({each: cpu_of(firsts[each], read(parameters, carrier, each)[0]) for each in again})
        again = [
            each
            for each in again
            if cpu_findings(Usage(each.label, **counted[each]), parameters["service"], parameters)
        ]
    return counted
