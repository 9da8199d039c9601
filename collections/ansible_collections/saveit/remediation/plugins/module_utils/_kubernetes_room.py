# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes: is there room for more pods of a workload, by its quotas and its nodes?

Only what is certain is a reason: what the rights of this account do not show is left to the cluster, whose
answer comes when it is tried. See https://kubernetes.io/docs/concepts/policy/resource-quotas/.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_object import condition, short
from ansible_collections.saveit.remediation.plugins.module_utils._quantity import amount, quantity

_COMPUTE = ("cpu", "memory")
_SCOPES_OF_ALL = {"NotTerminating", "NotBestEffort"}  # what a workload's pods with requests always are
_NOBODY = ("NoSchedule", "NoExecute")  # effects of a taint that keep pods away


def needs(pod_spec: Mapping[str, Any]) -> dict[str, float]:
    """What one pod takes of a quota: requests.cpu, limits.memory, … in cores and bytes, and pods: 1."""
    found: dict[str, float] = {"pods": 1}
    for kind in ("requests", "limits"):
        for resource in _COMPUTE:
            steady = sum(_asked(each, kind, resource) for each in _steady(pod_spec))
            starting = [_asked(each, kind, resource) for each in pod_spec.get("initContainers") or ()]
            overhead = quantity((pod_spec.get("overhead") or {}).get(resource)) or 0
            found[f"{kind}.{resource}"] = max([steady, *starting]) + overhead
    return found


def why_no_quota(pod_spec: Mapping[str, Any], number: int, quotas: Sequence[Mapping[str, Any]]) -> str:
    """Which quota so many more pods would break; "" when none."""
    one = needs(pod_spec)
    for quota in quotas:
        if not _is_for(quota):
            continue
        status = quota.get("status", {})
        for key, hard in (status.get("hard") or {}).items():
            name = {"cpu": "requests.cpu", "memory": "requests.memory", "count/pods": "pods"}.get(key, key)
            most, used = quantity(hard), quantity((status.get("used") or {}).get(key)) or 0
            wanted = number * one.get(name, 0)
            if wanted and most is not None and used + wanted > most * (1 + 1e-9):
                return (
                    f"the quota {quota['metadata']['name']} allows {amount(name, most)} of {key}, "
                    f"{amount(name, used)} are used, and {number} more would take {amount(name, wanted)}"
                )
    return ""


def why_pending(pods: Sequence[Mapping[str, Any]]) -> str:
    """A pod for which no node has room now, in the scheduler's words; "" when there is none."""
    for pod in pods:
        scheduled = condition(pod, "PodScheduled")
        if scheduled.get("reason") == "Unschedulable":
            said = short(scheduled.get("message")).partition(" no new claims")[0].partition(" preemption:")[0]
            return f"{pod['metadata']['name']} waits for a node already: {said.rstrip('.')}"
    return ""


def why_no_node(
    pod_spec: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], pods: Sequence[Mapping[str, Any]]
) -> str:
    """Why no node can take one more; "" when one may. `pods` are those that are known, of this namespace.

    Pods of other namespaces take room too, so this never says no where there is room.
    """
    wanted = {resource: needs(pod_spec)[f"requests.{resource}"] for resource in _COMPUTE}
    usable = [each for each in nodes if _takes(each, pod_spec)]
    if not nodes or (usable and not any(wanted.values())):
        return ""
    if not usable:
        return (
            f"none of the {len(nodes)} nodes takes pods of it (not ready, cordoned, tainted or not selected)"
        )
    most = dict.fromkeys(_COMPUTE, 0.0)
    for node in usable:
        free = _free(node, pods)
        if all(wanted[each] <= free[each] * (1 + 1e-9) for each in _COMPUTE):
            return ""
        most = {each: max(most[each], free[each]) for each in _COMPUTE}
    asked = " and ".join(amount(each, wanted[each]) for each in _COMPUTE)
    left = " and ".join(amount(each, most[each]) for each in _COMPUTE)
    return f"none of {len(usable)} nodes has room: a pod requests {asked}, and at most {left} are free on one"


def _steady(pod_spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The containers that run side by side: sidecars are init containers that are restarted always."""
    sidecars = [
        each for each in pod_spec.get("initContainers") or () if each.get("restartPolicy") == "Always"
    ]
    return [*(pod_spec.get("containers") or ()), *sidecars]


def _asked(container: Mapping[str, Any], kind: str, resource: str) -> float:
    """A request that nobody made is the limit."""
    resources = container.get("resources") or {}
    value = (resources.get(kind) or {}).get(resource)
    if value is None and kind == "requests":
        value = (resources.get("limits") or {}).get(resource)
    return quantity(value) or 0


def _is_for(quota: Mapping[str, Any]) -> bool:
    """Does it count the pods of every workload? One with another scope may or may not."""
    spec = quota.get("spec", {})
    return not spec.get("scopeSelector") and set(spec.get("scopes") or ()) <= _SCOPES_OF_ALL


def _takes(node: Mapping[str, Any], pod_spec: Mapping[str, Any]) -> bool:
    """Is it ready, open, and one that the pod may go to? Affinity is left to the scheduler."""
    labels, spec = node["metadata"].get("labels") or {}, node.get("spec", {})
    selector = pod_spec.get("nodeSelector") or {}
    tolerations = pod_spec.get("tolerations") or ()
    return (
        condition(node, "Ready").get("status") == "True"
        and not spec.get("unschedulable")
        and all(labels.get(key) == value for key, value in selector.items())
        and all(
            any(_tolerates(toleration, taint) for toleration in tolerations)
            for taint in spec.get("taints") or ()
            if taint["effect"] in _NOBODY
        )
    )


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    key, effect = toleration.get("key", ""), toleration.get("effect", "")
    if effect not in ("", taint["effect"]) or key not in ("", taint["key"]):
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")


def _free(node: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """What is left of a node, as far as is known; a full list of pods leaves nothing."""
    allocatable = node["status"].get("allocatable") or {}
    here = [
        each
        for each in pods
        if each.get("spec", {}).get("nodeName") == node["metadata"]["name"]
        and each.get("status", {}).get("phase") not in ("Succeeded", "Failed")
    ]
    slots = quantity(allocatable.get("pods"))
    if slots is not None and len(here) >= slots:
        return dict.fromkeys(_COMPUTE, 0.0)
    taken = [needs(each["spec"]) for each in here]
    return {
        resource: (quantity(allocatable.get(resource)) or 0)
        - sum(each[f"requests.{resource}"] for each in taken)
        for resource in _COMPUTE
    }
