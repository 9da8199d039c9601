"""The replicaset controller: as many pods as wanted, and their count in the status."""

from __future__ import annotations

import math

from standin import defaults
from standin.answers import RefusalError
from standin.clock import stamp
from standin.controllers.events import record
from standin.controllers.pods import is_active, is_ready, is_terminating, make, owned
from standin.deleting import deleted
from standin.kinds import BY_RESOURCE, Json
from standin.store import copied
from standin.world import World

SETS = "replicasets.apps"
PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


class ReplicaSets:
    """Remembers, by uid, when a creation that was refused is tried again: after 5 ms, 10 ms, …"""

    def __init__(self) -> None:
        self.retry: dict[str, tuple[float, float]] = {}

    def step(self, world: World) -> float:
        return min((self._sync(world, each) for each in world.store.peek(SETS)), default=math.inf)

    def _sync(self, world: World, each: Json) -> float:
        if each["metadata"].get("deletionTimestamp"):
            return math.inf
        pods = owned(world, "pods", each)
        before = world.store.revision
        if each.get("status", {}).get("observedGeneration", 0) >= each["metadata"]["generation"]:
            due, failure = self._manage(world, each, [pod for pod in pods if is_active(pod)])
        else:
            due, failure = 0.0, None
        if world.store.revision == before or failure is not None:
            status = _status(each, pods, failure if failure is not None else _kept_failure(each, pods))
            if status != each.get("status"):
                changed = copied(each)
                changed["status"] = status
                world.store.put(SETS, changed)
                return 0
            return due or math.inf
        return 0

    def _manage(self, world: World, each: Json, active: list[Json]) -> tuple[float, str | None]:
        """When it is due again, and why pods could not be created ("": they could)."""
        missing = each["spec"]["replicas"] - len(active)
        uid, now = each["metadata"]["uid"], world.clock.now()
        at, pause = self.retry.get(uid, (0.0, 0.005))
        if missing > 0 and now < at:
            return at - now, None
        for _ in range(missing):
            name = f"{each['metadata']['name']}-{defaults.suffix()}"
            try:
                make(world, each, each["spec"]["template"], name)
            except RefusalError as error:
                message = f"Error creating: {error}"
                record(world, each, "Warning", "FailedCreate", message, "replicaset-controller")
                self.retry[uid] = (now + pause, min(pause * 2, 1000.0))
                return pause, str(error)
            record(world, each, "Normal", "SuccessfulCreate", f"Created pod: {name}", "replicaset-controller")
        if missing > 0:
            self.retry.pop(uid, None)
            return math.inf, ""
        for pod in sorted(active, key=_rank)[: -missing or 0]:
            deleted(world, BY_RESOURCE["pods"], copied(pod), {})
            message = f"Deleted pod: {pod['metadata']['name']}"
            record(world, each, "Normal", "SuccessfulDelete", message, "replicaset-controller")
        return math.inf, "" if missing < 0 else None


def _rank(pod: Json) -> tuple[int, int, bool, str]:
    """Which pods are deleted first: without a node, pending, not ready, and the younger."""
    age = pod["metadata"]["creationTimestamp"]
    younger_first = "".join(chr(0x10FFFF - ord(letter)) for letter in age)
    return (
        bool(pod["spec"].get("nodeName")),
        PHASES.get(pod["status"]["phase"], 2),
        is_ready(pod),
        younger_first,
    )


def _kept_failure(each: Json, pods: list[Json]) -> str:
    if len([pod for pod in pods if is_active(pod)]) >= each["spec"]["replicas"]:
        return ""
    found = each.get("status", {}).get("conditions", [])
    return str(found[0]["message"]) if found else ""


def _status(each: Json, pods: list[Json], failure: str) -> Json:
    active = [pod for pod in pods if is_active(pod)]
    ready = sum(is_ready(pod) for pod in active)
    counters = {"fullyLabeledReplicas": len(active), "readyReplicas": ready, "availableReplicas": ready}
    status: Json = {"replicas": len(active), **{name: value for name, value in counters.items() if value}}
    status["terminatingReplicas"] = sum(is_terminating(pod) for pod in pods)
    status["observedGeneration"] = each["metadata"]["generation"]
    if failure:
        old = each.get("status", {}).get("conditions", [])
        status["conditions"] = old or [
            {
                "type": "ReplicaFailure",
                "status": "True",
                "lastTransitionTime": stamp(),
                "reason": "FailedCreate",
                "message": failure,
            }
        ]
    return status
