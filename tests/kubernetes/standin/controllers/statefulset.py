"""The statefulset controller: pods one after the other, on an update from the highest ordinal."""

from __future__ import annotations

import math

from standin.answers import RefusalError
from standin.controllers.events import record
from standin.controllers.pods import is_active, is_ready, make, owned, owner_reference, template_hash
from standin.deleting import deleted
from standin.kinds import BY_RESOURCE, Json
from standin.store import copied
from standin.world import World

SETS, REVISIONS = "statefulsets.apps", "controllerrevisions.apps"
LABEL = "controller-revision-hash"


class StatefulSets:
    def __init__(self) -> None:
        self.retry: dict[str, float] = {}

    def step(self, world: World) -> float:
        return min((self._sync(world, copied(each)) for each in world.store.peek(SETS)), default=math.inf)

    def _sync(self, world: World, each: Json) -> float:
        if each["metadata"].get("deletionTimestamp"):
            return math.inf
        update = revision_of(world, each)
        current = each.get("status", {}).get("currentRevision") or update
        pods = {pod["metadata"]["name"]: pod for pod in owned(world, "pods", each)}
        if each.get("status", {}).get("observedGeneration", 0) == each["metadata"]["generation"]:
            due = self._one_step(world, each, pods, current, update)
            if due is not None:
                return due
            pods = {pod["metadata"]["name"]: pod for pod in owned(world, "pods", each)}
        status = _status(each, list(pods.values()), current, update)
        if status == each.get("status"):
            return math.inf
        each["status"] = status
        world.store.put(SETS, each)
        return 0

    def _one_step(
        self, world: World, each: Json, pods: dict[str, Json], current: str, update: str
    ) -> float | None:
        """Creates or deletes one pod; None: there is nothing to do, or it has to wait for a pod."""
        name, replicas = each["metadata"]["name"], each["spec"]["replicas"]
        parallel = each["spec"]["podManagementPolicy"] == "Parallel"
        for ordinal in range(replicas):
            pod = pods.get(f"{name}-{ordinal}")
            if pod is None:
                partition = (each["spec"]["updateStrategy"].get("rollingUpdate") or {}).get("partition", 0)
                older = ordinal < partition and current != update
                return self._create(world, each, ordinal, current if older else update)
            if not parallel and (not is_active(pod) or not is_ready(pod)):
                return None  # also of an old revision: a pod that never gets ready blocks the update
        surplus = sorted(
            (pod for pod in pods.values() if _ordinal(pod) >= replicas), key=_ordinal, reverse=True
        )
        if surplus:
            return None if not is_active(surplus[0]) else _remove(world, each, surplus[0])
        return _update(world, each, pods, update)

    def _create(self, world: World, each: Json, ordinal: int, revision: str) -> float:
        name = f"{each['metadata']['name']}-{ordinal}"
        now, uid = world.clock.now(), each["metadata"]["uid"]
        if now < self.retry.get(uid, 0):
            return self.retry[uid] - now
        labels = {
            "apps.kubernetes.io/pod-index": str(ordinal),
            LABEL: revision,
            "statefulset.kubernetes.io/pod-name": name,
        }
        template = copied(each["spec"]["template"])
        template["spec"] |= {"hostname": name, "subdomain": each["spec"].get("serviceName", "")}
        whose = f"StatefulSet {each['metadata']['name']}"
        try:
            make(world, each, template, name, labels)
        except RefusalError as error:
            self.retry[uid] = now + 1
            said = f"create Pod {name} in {whose} failed error: {error}"
            record(world, each, "Warning", "FailedCreate", said, "statefulset-controller")
            return 1
        record(
            world,
            each,
            "Normal",
            "SuccessfulCreate",
            f"Create Pod {name} in {whose} successful",
            "statefulset-controller",
        )
        return 0


def _ordinal(pod: Json) -> int:
    return int(pod["metadata"]["name"].rpartition("-")[2])


def _update(world: World, each: Json, pods: dict[str, Json], update: str) -> float | None:
    strategy = each["spec"]["updateStrategy"]
    if strategy["type"] != "RollingUpdate":
        return None
    for pod in sorted(pods.values(), key=_ordinal, reverse=True):
        if _ordinal(pod) < strategy["rollingUpdate"]["partition"]:
            return None
        if pod["metadata"]["labels"].get(LABEL) != update and is_active(pod):
            return _remove(world, each, pod)
        if not is_ready(pod) or not is_active(pod):
            return None
    return None


def _remove(world: World, each: Json, pod: Json) -> float:
    deleted(world, BY_RESOURCE["pods"], copied(pod), {})
    said = f"Delete Pod {pod['metadata']['name']} in StatefulSet {each['metadata']['name']} successful"
    record(world, each, "Normal", "SuccessfulDelete", said, "statefulset-controller")
    return 0


def revision_of(world: World, each: Json, resource: str = REVISIONS) -> str:
    """The name of the ControllerRevision of the present template, which is made when there is none."""
    data = {"spec": {"template": {"$patch": "replace", **copied(each["spec"]["template"])}}}
    past = owned(world, resource, each)
    newest = max((one["revision"] for one in past), default=0)
    same = next((one for one in past if one["data"] == data), None)
    metadata = each["metadata"]
    if same is not None:
        if same["revision"] != newest:  # used again, it is the newest
            again = copied(same)
            again["revision"] = newest + 1
            world.store.put(resource, again)
        return str(same["metadata"]["name"])
    digest = template_hash(data)
    name = f"{metadata['name']}-{digest}"
    labels = {
        **each["spec"]["template"]["metadata"].get("labels", {}),
        "controller.kubernetes.io/hash": digest,
    }
    world.store.put(
        resource,
        {
            "kind": "ControllerRevision",
            "apiVersion": "apps/v1",
            "metadata": {
                "name": name,
                "namespace": metadata["namespace"],
                "labels": labels,
                "ownerReferences": [owner_reference(each)],
            },
            "data": data,
            "revision": newest + 1,
        },
    )
    return name


def _status(each: Json, pods: list[Json], current: str, update: str) -> Json:
    there = [pod for pod in pods if pod["status"].get("phase") not in ("Succeeded", "Failed")]
    ready = [pod for pod in there if is_ready(pod)]
    active = [pod for pod in there if is_active(pod)]
    updated = sum(pod["metadata"]["labels"].get(LABEL) == update for pod in active)
    at_current = sum(pod["metadata"]["labels"].get(LABEL) == current for pod in active)
    replicas = each["spec"]["replicas"]
    if updated == replicas == len([pod for pod in active if is_ready(pod)]) == len(there):
        current, at_current = update, updated
    counters = {
        "observedGeneration": each["metadata"]["generation"],
        "replicas": len(there),
        "readyReplicas": len(ready),
        "currentReplicas": at_current,
        "updatedReplicas": updated,
    }
    status: Json = {name: value for name, value in counters.items() if value or name == "replicas"}
    return {
        **status,
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": 0,
        "availableReplicas": len(ready),
    }
