"""The daemonset controller: one pod on each node, replaced one by one on an update."""

from __future__ import annotations

import math

from standin import defaults
from standin.answers import RefusalError
from standin.controllers.events import record
from standin.controllers.pods import is_active, is_ready, make, owned
from standin.controllers.statefulset import LABEL, revision_of
from standin.deleting import deleted
from standin.kinds import BY_RESOURCE, Json
from standin.store import copied
from standin.world import World

SETS = "daemonsets.apps"


def step(world: World) -> float:
    return min((_sync(world, copied(each)) for each in world.store.peek(SETS)), default=math.inf)


def _sync(world: World, each: Json) -> float:
    if each["metadata"].get("deletionTimestamp"):
        return math.inf
    name = each["metadata"]["name"]
    revision = revision_of(world, each)
    digest = revision.removeprefix(f"{name}-")
    pods = owned(world, "pods", each)
    active = {pod["spec"].get("nodeName"): pod for pod in pods if is_active(pod)}
    nodes = [node["metadata"]["name"] for node in world.store.peek("nodes")]
    for node in nodes:
        if node not in active and not any(pod["spec"].get("nodeName") == node for pod in pods):
            template = copied(each["spec"]["template"])
            template["spec"]["nodeName"] = node
            pod_name = f"{name}-{defaults.suffix()}"
            try:
                make(world, each, template, pod_name, {LABEL: digest})
            except RefusalError as error:
                record(world, each, "Warning", "FailedCreate", f"Error creating: {error}", "daemonset-controller")
                return 1
            record(world, each, "Normal", "SuccessfulCreate", f"Created pod: {pod_name}", "daemonset-controller")
            return 0
    if each["spec"]["updateStrategy"]["type"] == "RollingUpdate" and all(is_ready(pod) or not is_active(pod) for pod in pods):
        old = next((pod for pod in active.values() if pod["metadata"]["labels"].get(LABEL) != digest), None)
        if old is not None:
            deleted(world, BY_RESOURCE["pods"], copied(old), {})
            record(world, each, "Normal", "SuccessfulDelete", f"Deleted pod: {old['metadata']['name']}", "daemonset-controller")
            return 0
    status = _status(each, list(active.values()), len(nodes), digest)
    if status == each.get("status"):
        return math.inf
    each["status"] = status
    world.store.put(SETS, each)
    return 0


def _status(each: Json, active: list[Json], nodes: int, digest: str) -> Json:
    ready = sum(is_ready(pod) for pod in active)
    updated = sum(pod["metadata"]["labels"].get(LABEL) == digest for pod in active)
    always = {
        "currentNumberScheduled": len(active), "numberMisscheduled": 0, "desiredNumberScheduled": nodes,
        "numberReady": ready, "observedGeneration": each["metadata"]["generation"],
    }  # fmt: skip
    sometimes = {"updatedNumberScheduled": updated, "numberAvailable": ready, "numberUnavailable": nodes - ready}
    return {**always, **{name: value for name, value in sometimes.items() if value}}
