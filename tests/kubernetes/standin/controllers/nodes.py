"""The node controller: a node whose kubelet says nothing any more, and the pods on it."""

from __future__ import annotations

import math

from standin.clock import stamp
from standin.controllers.events import record
from standin.controllers.pods import condition, set_condition
from standin.deleting import deleted
from standin.kinds import BY_RESOURCE, Json
from standin.store import copied
from standin.world import World

GRACE, TOLERATED = 40.0, 300.0  # seconds of the cluster until it is believed, and until its pods are given up
UNREACHABLE = "node.kubernetes.io/unreachable"


class Nodes:
    def __init__(self) -> None:
        self.lost_since: dict[str, float] = {}

    def step(self, world: World) -> float:
        now, due = world.clock.now(), math.inf
        for node in world.store.peek("nodes"):
            name = node["metadata"]["name"]
            if name not in world.lost_nodes:
                if self.lost_since.pop(name, None) is not None:
                    _found(world, copied(node))
                continue
            age = now - self.lost_since.setdefault(name, now)
            if age >= GRACE:
                self._lost(world, copied(node), name, age)
            due = min(due, GRACE - age if age < GRACE else max(GRACE + TOLERATED - age, 1.0))
        return due

    def _lost(self, world: World, node: Json, name: str, age: float) -> None:
        if condition(node, "Ready").get("status") != "Unknown":
            for each in node["status"]["conditions"]:
                each |= {
                    "status": "Unknown",
                    "reason": "NodeStatusUnknown",
                    "message": "Kubelet stopped posting node status.",
                    "lastTransitionTime": stamp(),
                }
            node["spec"]["taints"] = [
                {"key": UNREACHABLE, "effect": effect, "timeAdded": stamp()}
                for effect in ("NoSchedule", "NoExecute")
            ]
            world.store.put("nodes", node)
            record(
                world,
                node,
                "Normal",
                "NodeNotReady",
                f"Node {name} status is now: NodeNotReady",
                "node-controller",
            )
        for pod in world.store.peek("pods"):
            if pod["spec"].get("nodeName") == name:
                _unready(world, copied(pod), given_up=age >= GRACE + TOLERATED)


def _unready(world: World, pod: Json, *, given_up: bool) -> None:
    if condition(pod, "Ready").get("status") == "True":
        set_condition(pod, "Ready", "False", lastProbeTime=None)
        pod = world.store.put("pods", pod)
        record(world, pod, "Warning", "NodeNotReady", "Node is not ready", "node-controller")
    if given_up and not pod["metadata"].get("deletionTimestamp"):
        message = "Taint manager: deleting due to NoExecute taint"
        set_condition(pod, "DisruptionTarget", "True", "DeletionByTaintManager", message, lastProbeTime=None)
        deleted(world, BY_RESOURCE["pods"], world.store.put("pods", pod), {})


def _found(world: World, node: Json) -> None:
    node["spec"].pop("taints", None)
    for each in node["status"]["conditions"]:
        is_ready = each["type"] == "Ready"
        each |= {
            "status": "True" if is_ready else "False",
            "lastTransitionTime": stamp(),
            "reason": "KubeletReady"
            if is_ready
            else f"KubeletHasSufficient{each['type'].removesuffix('Pressure')}",
            "message": "kubelet is posting ready status" if is_ready else "kubelet has enough",
        }
    world.store.put("nodes", node)
    for pod in world.store.peek("pods"):
        statuses = pod["status"].get("containerStatuses", [])
        if pod["spec"].get("nodeName") == node["metadata"]["name"] and all(
            each["ready"] for each in statuses
        ):
            again = copied(pod)
            set_condition(again, "Ready", "True", lastProbeTime=None)
            world.store.put("pods", again)
