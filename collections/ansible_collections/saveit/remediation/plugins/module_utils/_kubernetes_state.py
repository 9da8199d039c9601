# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service out of what the API server lists: its workload, its pods, their events and nodes. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils import _kubernetes_rollout
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_object import (
    condition,
    is_ready,
    last,
    short,
    started_at,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_pod import LONG, Trouble, trouble
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_rollout import (
    FAILING,
    PAUSED,
    UNDER_WAY,
    Rollout,
    name_of,
    rollout,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_world import (
    Objects,
    World,
    is_active,
    is_new,
    pods_of,
    replicasets_of,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import Finding
from ansible_collections.saveit.remediation.plugins.module_utils._service import PENDING, Instance, Service
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

MAIN_CONTAINER = "kubectl.kubernetes.io/default-container"
HOPELESS = ("service-crash-loop", "service-image", "service-config", "service-oom", "service-liveness")
SLOW = {"service-unschedulable": LONG, "service-not-ready": 600.0}  # seconds that they may take in a rollout


@dataclass(frozen=True)
class Judged:
    """A workload with its pods judged; `old` has the names of those of an older revision."""

    service: Service
    rollout: Rollout
    pods: Objects = ()
    old: frozenset[str] = field(default_factory=frozenset)


def judge(name: str, workload: Mapping[str, Any], world: World, now: float) -> Judged:
    """The service as it is; `name` is the one that runbooks use, `now` in epoch seconds."""
    pods = pods_of(workload, world.pods)
    active = [each for each in pods if is_active(each)]
    old = frozenset(each["metadata"]["name"] for each in active if not is_new(workload, each, world))
    troubles = {
        each["metadata"]["name"]: trouble(each, world.events_of(each), world.node_of(each), now)
        for each in active
    }
    failures = [
        f"{each['metadata']['name']}: {troubles[each['metadata']['name']].said}"
        for each in active
        if each["metadata"]["name"] not in old and _is_hopeless(each, troubles, now)
    ]
    state = rollout(workload, failures)
    rolling = state.state in (UNDER_WAY, FAILING)
    instances = [
        instance(each, name, _passes(troubles[each["metadata"]["name"]], rolling and _name(each) in old))
        for each in active
    ]
    told = _troubles(name, workload, world, pods, state, len(active))
    instances.sort(key=lambda each: each.health != "healthy")  # commands run in the first one that runs
    if not active:
        instances = [_nobody(workload, told)]
    return Judged(Service(name, tuple(instances), tuple(told), name_of(workload)), state, active, old)


def needs_closer_look(workload: Mapping[str, Any], pods: Objects) -> bool:
    """Is anything unusual, so that events, nodes and older revisions say more?"""
    active = [each for each in pods_of(workload, pods) if is_active(each)]
    calm = all(is_ready(each) and not _restarts(each) for each in active)
    return not calm or rollout(workload).state != _kubernetes_rollout.DONE or not active


def needs_nodes(pods: Objects) -> bool:
    """Does a pod look as those of a lost node do: not ready with containers that are, or being deleted?"""
    return any(
        each["metadata"].get("deletionTimestamp")
        or (
            not is_ready(each)
            and bool(_container_statuses(each))
            and all(one.get("ready") for one in _container_statuses(each))
        )
        for each in pods
    )


def instance(pod: Mapping[str, Any], service: str, found: Trouble) -> Instance:
    """A pod as an instance, seen through its main container."""
    container = main_container(pod, service)
    status = next(
        (each for each in _container_statuses(pod) if each.get("name") == container.get("name")), {}
    )
    ended = (status.get("state") or {}).get("terminated") or (status.get("lastState") or {}).get("terminated")
    ended = ended or {}
    health = "healthy" if is_ready(pod) else "starting" if found.starting else "unhealthy"
    return Instance(
        id=str(pod["metadata"].get("uid") or _name(pod)),
        name=_name(pod),
        state=found.state,
        health=health if found.state != PENDING else "",
        exit_code=int(ended.get("exitCode") or 0),
        restarts=_restarts(pod),
        oom_killed=ended.get("reason") == "OOMKilled",
        started_at=started_at(pod, str(container.get("name"))),
        finished_at=str(ended.get("finishedAt") or ""),
        error=short(ended.get("message")),
        ports=tuple(sorted({int(each["containerPort"]) for each in container.get("ports") or ()})),
        container=str(container.get("name") or ""),
        trouble=found.id,
        said=found.said,
    )


def main_container(pod: Mapping[str, Any], service: str) -> Mapping[str, Any]:
    """The container that works: the pod says which, or it has the service's name, or it is the first."""
    containers: Objects = (pod.get("spec") or {}).get("containers") or ({},)
    named = (pod["metadata"].get("annotations") or {}).get(MAIN_CONTAINER)
    by_name = {each.get("name"): each for each in containers}
    return by_name.get(named) or by_name.get(service) or containers[0]


def _name(pod: Mapping[str, Any]) -> str:
    return str(pod["metadata"]["name"])


def _container_statuses(pod: Mapping[str, Any]) -> Objects:
    return (pod.get("status") or {}).get("containerStatuses") or ()


def _restarts(pod: Mapping[str, Any]) -> int:
    return sum(int(each.get("restartCount") or 0) for each in _container_statuses(pod))


def _passes(found: Trouble, leaves: bool) -> Trouble:
    """An old pod that a rollout replaces anyway is no finding of its own."""
    return found._replace(id="") if leaves else found


def _is_hopeless(pod: Mapping[str, Any], troubles: Mapping[str, Trouble], now: float) -> bool:
    """Will a rollout not get on because of it?"""
    found = troubles[_name(pod)].id
    begun = parse_time(pod["metadata"].get("creationTimestamp") or "")
    age = 0.0 if begun is None else now - begun
    return found in HOPELESS or age > SLOW.get(found, float("inf"))


def _troubles(
    name: str,
    workload: Mapping[str, Any],
    world: World,
    pods: Objects,
    state: Rollout,
    active: int,
) -> list[Finding]:
    """What is wrong with the workload itself."""
    found = []
    if workload.get("kind") != "DaemonSet" and _kubernetes_rollout.replicas(workload) == 0:
        told = f"{name}: {name_of(workload)} is scaled to zero (spec.replicas: 0), so nothing runs"
        return [Finding("service-scaled-to-zero", name, told)]
    refused = _refused(workload, world) if active < state.wanted else ""
    if refused:
        id_ = "service-quota" if "exceeded quota" in refused else "service-config"
        missing = f"{state.wanted - active} of {state.wanted} pods cannot be made"
        found.append(Finding(id_, name, f"{name}: {missing}: {refused}"))
    stranded = _stranded(world, pods) if active < state.wanted else ""
    if stranded:
        found.append(Finding("service-node", name, f"{name}: {stranded}"))
    if state.state == PAUSED:
        found.append(Finding("service-paused-rollout", name, f"{name}: {state.sentence}"))
    if state.state == FAILING and _has_older(workload, world):
        found.append(Finding("service-rollout-failing", name, f"{name}: its rollout fails: {state.sentence}"))
    elif state.state == UNDER_WAY:
        found.append(Finding("service-rollout", name, f"{name}: a rollout is under way: {state.sentence}"))
    return found


def _refused(workload: Mapping[str, Any], world: World) -> str:
    """Why the API server does not let the controller make pods; "" when it does."""
    failure = condition(workload, "ReplicaFailure")
    if failure.get("status") == "True":
        return short(failure.get("message"))
    makers = [workload, *replicasets_of(workload, world.replicasets)[:1]]
    event = last([each for maker in makers for each in world.events_of(maker)], "FailedCreate")
    return short(event.get("message"))


def _stranded(world: World, pods: Objects) -> str:
    """A StatefulSet's pod on a lost node is not replaced before somebody removes it or the node."""
    for each in pods:
        ready = condition(world.node_of(each), "Ready")
        if each["metadata"].get("deletionTimestamp") and ready and ready.get("status") != "True":
            node = (each.get("spec") or {}).get("nodeName")
            why = short(ready.get("message") or ready.get("reason"))
            return f"{_name(each)} is being deleted on the node {node}, which is not ready: {why}"
    return ""


def _has_older(workload: Mapping[str, Any], world: World) -> bool:
    """Is there a revision before this one, to which it could be undone?"""
    status = workload.get("status") or {}
    if workload.get("kind") == "StatefulSet":
        return bool(status.get("currentRevision") != status.get("updateRevision"))
    if workload.get("kind") == "DaemonSet":
        return int(status.get("updatedNumberScheduled") or 0) < int(status.get("desiredNumberScheduled") or 0)
    return len(replicasets_of(workload, world.replicasets)) > 1


def _nobody(workload: Mapping[str, Any], told: Sequence[Finding]) -> Instance:
    """Stands for the pods that do not exist, so that a service without one is not taken for no service."""
    zero = any(each.id == "service-scaled-to-zero" for each in told)
    said = "it has no pods" if not told else told[0].sentence.partition(": ")[2]
    trouble_ = told[0].id if told and told[0].id != "service-rollout" else ""
    return Instance(
        id="", name=name_of(workload), state="stopped" if zero else PENDING, trouble=trouble_, said=said
    )
