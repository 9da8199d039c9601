"""metrics.k8s.io: what running pods use.

A pod younger than a sample has none yet, as with a real metrics-server.
"""

from __future__ import annotations

from datetime import UTC, datetime

from standin.clock import stamp
from standin.kinds import Json, Kind
from standin.quantity import amount
from standin.requests import Target
from standin.world import Usage, World

WINDOW = 10.0  # seconds of the cluster


def one(world: World, target: Target) -> Json | None:
    found = every(world, target.kind, target.namespace)
    return next((item for item in found if item["metadata"]["name"] == target.name), None)


def every(world: World, kind: Kind, namespace: str) -> list[Json]:
    pods = [pod for pod in world.store.list("pods", namespace) if _is_sampled(world, pod)]
    if kind.plural == "pods":
        return [_pod(world, pod) for pod in pods]
    return [_node(world, node, pods) for node in world.store.list("nodes")]


def usage(world: World, pod: Json) -> Usage:
    """Of one container: as a test said, else by its behaviour: a leak, or busy."""
    name = (pod["metadata"].get("labels") or {}).get("app.kubernetes.io/name", "")
    if name in world.usage:
        return world.usage[name]
    container = pod["spec"]["containers"][0]
    behaviour = next(
        (each.get("value") for each in container.get("env", []) if each["name"] == "SAVEIT_BEHAVIOUR"), ""
    )
    limits = (container.get("resources") or {}).get("limits") or {}
    if behaviour == "leak":
        return Usage(memory=int(amount(limits.get("memory", "256Mi")) * 0.9))
    if behaviour == "busy":
        return Usage(cpu=amount(limits.get("cpu", "1")))
    return Usage()


def _is_sampled(world: World, pod: Json) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    started = [status.get("state", {}).get("running", {}).get("startedAt") for status in statuses]
    if not all(started):
        return False
    age = (datetime.now(UTC) - max(datetime.fromisoformat(each) for each in started)).total_seconds()
    return age * world.clock.factor >= WINDOW


def _quantities(each: Usage) -> Json:
    return {"cpu": f"{int(each.cpu * 1e9)}n", "memory": f"{each.memory // 1024}Ki"}


def _pod(world: World, pod: Json) -> Json:
    metadata = {
        key: pod["metadata"][key] for key in ("name", "namespace", "labels") if key in pod["metadata"]
    }
    now = stamp()
    used = _quantities(usage(world, pod))
    return {
        "kind": "PodMetrics",
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {**metadata, "creationTimestamp": now},
        "timestamp": now,
        "window": f"{WINDOW:.0f}s",
        "containers": [{"name": container["name"], "usage": used} for container in pod["spec"]["containers"]],
    }


def _node(world: World, node: Json, pods: list[Json]) -> Json:
    here = [usage(world, pod) for pod in pods if pod["spec"].get("nodeName") == node["metadata"]["name"]]
    total = Usage(sum(each.cpu for each in here) + 0.2, sum(each.memory for each in here) + 1024**3)
    now = stamp()
    return {
        "kind": "NodeMetrics", "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {"name": node["metadata"]["name"], "creationTimestamp": now}, "timestamp": now,
        "window": f"{WINDOW:.0f}s", "usage": _quantities(total),
    }  # fmt: skip
