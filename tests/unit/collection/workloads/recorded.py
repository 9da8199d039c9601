"""The recordings of a Kubernetes 1.36 API server, read for tests."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_object import time_of
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_state import (
    Judged,
    judge,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_world import World
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

FOLDER = Path(__file__).resolve().parents[3] / "fixtures" / "kubernetes-1.36"


def state(name: str) -> dict[str, Any]:
    """The objects of a recorded state, which a test may change."""
    objects: dict[str, Any] = json.loads((FOLDER / f"states/{name}.json").read_text("utf-8"))["objects"]
    return objects


def workload_of(objects: dict[str, Any]) -> dict[str, Any]:
    """Its Deployment or StatefulSet."""
    found: dict[str, Any] = objects.get("deployment") or objects["statefulset"]
    return found


def world_of(objects: dict[str, Any]) -> World:
    """What a look would list."""
    lists = {kind: objects.get(kind, []) for kind in ("pods", "events", "replicasets")}
    nodes = [objects["node"]] if "node" in objects else []
    return World.of(nodes=nodes, **lists)


def moment(objects: dict[str, Any]) -> float:
    """When it was recorded: the newest time in it."""
    times = [time_of(each) for each in objects.get("events", [])]
    for pod in objects.get("pods", []):
        times.append(parse_time(pod["metadata"]["creationTimestamp"]) or 0.0)
        for status in pod["status"].get("containerStatuses", []):
            for run in (*status.get("state", {}).values(), *status.get("lastState", {}).values()):
                times += [parse_time(run.get(key) or "") or 0.0 for key in ("startedAt", "finishedAt")]
    return max(times, default=0.0)


def judged(name: str, later: float = 0.0) -> Judged:
    """A recorded state, judged so many seconds after it was recorded."""
    objects = state(name)
    return judge("backend", workload_of(objects), world_of(objects), moment(objects) + later)


def stream(name: str, objects: dict[str, Any]) -> Iterator[tuple[float, dict[str, Any], World]]:
    """A recorded watch: the time, the Deployment and the rest after each event, from the change on."""
    known: dict[str, dict[str, dict[str, Any]]] = {
        "Deployment": {objects["deployment"]["metadata"]["uid"]: objects["deployment"]},
        **{
            kind: {each["metadata"]["uid"]: each for each in objects[plural]}
            for kind, plural in (("Pod", "pods"), ("Event", "events"), ("ReplicaSet", "replicasets"))
        },
    }
    begun, changed = 0.0, False
    for line in (FOLDER / f"watch/{name}.jsonl").read_text("utf-8").splitlines():
        event = json.loads(line)
        object_ = event["object"]
        if not begun:
            begun = (parse_time(object_["metadata"]["creationTimestamp"]) or 0.0) - event["t"]
        of_kind = known[event["kind"]]
        if event["type"] == "DELETED":
            of_kind.pop(object_["metadata"]["uid"], None)
        else:
            of_kind[object_["metadata"]["uid"]] = object_
        changed = changed or event["kind"] == "Deployment"
        if not changed:
            continue  # the watch of another kind was faster
        (deployment,) = known["Deployment"].values()
        pods, events, sets = (list(known[kind].values()) for kind in ("Pod", "Event", "ReplicaSet"))
        yield begun + event["t"], copy.deepcopy(deployment), World.of(pods, events, replicasets=sets)
