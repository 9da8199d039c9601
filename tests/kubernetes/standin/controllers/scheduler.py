"""The scheduler: a node for each pod, or the sentence why there is none."""

from __future__ import annotations

import math
from collections import Counter

from standin import admission
from standin.controllers.events import record_scheduler
from standin.controllers.pods import condition, set_condition
from standin.kinds import Json
from standin.quantity import amount
from standin.store import copied
from standin.world import World

NO_HELP = "Preemption is not helpful for scheduling."


def step(world: World) -> float:
    nodes = world.store.peek("nodes")
    for pod in world.store.peek("pods"):
        if pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
            continue
        reasons = {node["metadata"]["name"]: _obstacle(world, node, pod) for node in nodes}
        free = next((name for name, reason in reasons.items() if not reason), "")
        if free:
            _bind(world, copied(pod), free)
        else:
            _refuse(world, copied(pod), list(reasons.values()))
    return math.inf


def _bind(world: World, pod: Json, node: str) -> None:
    pod["spec"]["nodeName"] = node
    set_condition(pod, "PodScheduled", "True", lastProbeTime=None)
    bound = world.store.put("pods", pod)
    where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    record_scheduler(
        world, bound, "Normal", "Scheduled", f"Successfully assigned {where} to {node}", "Binding"
    )


def _refuse(world: World, pod: Json, reasons: list[str]) -> None:
    counted = ", ".join(f"{count} {reason}" for reason, count in sorted(Counter(reasons).items()))
    total = len(reasons)
    message = (
        f"0/{total} nodes are available: {counted}. no new claims to deallocate, preemption: "
        f"0/{total} nodes are available: "
        f"{total} {NO_HELP}"
        if total
        else "no nodes available to schedule pods"
    )
    if condition(pod, "PodScheduled").get("message") == message:
        return
    set_condition(pod, "PodScheduled", "False", "Unschedulable", message, lastProbeTime=None)
    record_scheduler(world, pod, "Warning", "FailedScheduling", message, "Scheduling")
    world.store.put("pods", pod)


def _obstacle(world: World, node: Json, pod: Json) -> str:
    """Why a pod does not fit on a node; empty when it does."""
    if node["spec"].get("unschedulable"):
        return "node(s) were unschedulable"
    taint = next((each for each in node["spec"].get("taints", []) if not _tolerated(each, pod)), None)
    if taint is not None:
        return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (pod["spec"].get("nodeSelector") or {}).items()):
        return "node(s) didn't match Pod's node affinity/selector"
    free = {name: amount(value) for name, value in node["status"]["allocatable"].items()}
    for other in world.store.peek("pods"):
        phase = other.get("status", {}).get("phase")
        if other["spec"].get("nodeName") == node["metadata"]["name"] and phase not in ("Succeeded", "Failed"):
            for name, value in admission.demands(other).items():
                if name in free:
                    free[name] -= value
    wanted = admission.demands(pod)
    if free.get("pods", math.inf) < 1:
        return "Too many pods"
    return next(
        (f"Insufficient {name}" for name in ("cpu", "memory") if wanted.get(name, 0) > free.get(name, 0)), ""
    )


def _tolerated(taint: Json, pod: Json) -> bool:
    if taint["effect"] == "PreferNoSchedule":
        return True
    return any(
        each.get("key") in (None, taint["key"]) and each.get("effect") in (None, taint["effect"])
        and (each.get("operator") == "Exists" or each.get("value", "") == taint.get("value", ""))
        for each in pod["spec"].get("tolerations", [])
    )  # fmt: skip
