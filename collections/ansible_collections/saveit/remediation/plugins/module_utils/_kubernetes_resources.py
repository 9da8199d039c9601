# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes: the metrics of a service's pods, and why its limits stay as they are.

A limit belongs to the pod template, so changing it there replaces every pod: that is a release, and no repair
of what runs. Only clusters from 1.33 on can change it in place, pod by pod.
"""

from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils import _cgroup
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._cgroup import Reading
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_metrics import (
    Container,
    containers,
    stats,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_snapshot import (
    Missing,
    snapshot,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._service import Instance, Service


def containers_of(
    parameters: Mapping[str, Any], carrier: Carrier, instances: Sequence[Instance]
) -> tuple[list[Container], str]:
    """The containers of these pods with their samples, and why there are no samples at all, or ""."""
    names = {each.name for each in instances}
    seen = snapshot(parameters, carrier, ["pods", "podmetrics"], required=["pods"])
    metrics = seen["podmetrics"]
    why = f"no metrics: {metrics.sentence}" if isinstance(metrics, Missing) else ""
    return list(
        containers([each for each in seen["pods"] if each["metadata"]["name"] in names], metrics)
    ), why


def stats_of(
    parameters: Mapping[str, Any], carrier: Carrier, instances: Sequence[Instance]
) -> tuple[dict[str, dict[str, Optional[float]]], str]:
    """Working set, memory limit (bytes) and cores, by the instance's id; and why nobody can tell."""
    found, why = containers_of(parameters, carrier, instances)
    by_pod: dict[str, list[Container]] = {}
    for each in found:
        by_pod.setdefault(each.pod, []).append(each)
    return {each.id: stats(by_pod[each.name]) for each in instances if each.name in by_pod}, why


def why_fixed(parameters: Mapping[str, Any], service: Service) -> str:
    """Why the limits of what runs cannot be raised."""
    where = service.workload or service.name
    return (
        f"on Kubernetes a limit belongs to the pod template, and changing it replaces every pod of {where}; "
        f"set resources.limits.{parameters['resource']} there with a release"
    )


def read(parameters: Mapping[str, Any], carrier: Carrier, taken: Container) -> tuple[Reading, str]:
    """The kernel's counters, read inside the container; an empty Reading and the reason where that fails."""
    try:
        done = carrier.cluster(parameters).execute(taken.pod, taken.name, _cgroup.COMMAND, "", 5)
    except FailedError as error:
        return Reading(), str(error)
    reading = _cgroup.parse(done.stdout)
    why = done.said or f"grep ends with {done.rc}"
    return reading, "" if reading.used is not None or reading.cpu_seconds is not None else (
        f"the counters of {taken.label} cannot be read inside it: {why}"
    )
