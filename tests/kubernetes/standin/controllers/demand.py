"""What the metrics of an autoscaler ask for."""

from __future__ import annotations

import math
from typing import Any

from standin import metrics
from standin.controllers.pods import is_active, is_ready, selects
from standin.kinds import Json
from standin.quantity import amount
from standin.world import World

TOLERANCE = 0.1


class MetricError(Exception):
    """The replicas cannot be computed. `reason`: of the condition ScalingActive."""

    def __init__(self, reason: str, message: str, metric: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.metric = metric


def computed(world: World, spec: Json, found: Json, present: int) -> tuple[int, list[Any], str]:
    """The largest number that a metric asks for."""
    best, shown, why = 0, [], ""
    pods = [
        pod
        for pod in world.store.peek("pods", found["metadata"]["namespace"])
        if selects(found, pod) and is_active(pod)
    ]
    for metric in spec.get("metrics", []):
        if metric["type"] != "Resource":
            raise MetricError("FailedGetExternalMetric", "no metrics of this type here")
        name = metric["resource"]["name"]
        count, current = _by_resource(world, metric["resource"], pods, present)
        shown.append({"type": "Resource", "resource": {"name": name, "current": current}})
        if count >= best:
            best, why = count, f"{name} resource utilization (percentage of request)"
    return best, shown, why


def _by_resource(world: World, resource: Json, pods: list[Json], present: int) -> tuple[int, Json]:
    name, target = resource["name"], resource["target"]
    if "metrics.k8s.io" in world.missing_groups:
        said = (
            f"unable to get metrics for resource {name}: unable to fetch metrics from resource metrics API: "
            "the server could not find the requested resource (get pods.metrics.k8s.io)"
        )
        raise MetricError("FailedGetResourceMetric", f"failed to get {name} utilization: {said}", name)
    sampled = [pod for pod in pods if is_ready(pod)]
    if not sampled:
        said = f"unable to get metrics for resource {name}: no metrics returned from resource metrics API"
        raise MetricError("FailedGetResourceMetric", f"failed to get {name} utilization: {said}", name)
    used, asked = 0.0, 0.0
    for pod in sampled:
        usage = metrics.usage(world, pod)
        for container in pod["spec"]["containers"]:
            request = (container.get("resources", {}).get("requests") or {}).get(name)
            if request is None and target["type"] == "Utilization":
                where = f"container {container['name']} of Pod {pod['metadata']['name']}"
                said = f"failed to get {name} utilization: missing request for {name} in {where}"
                raise MetricError("FailedGetResourceMetric", said, name)
            used += usage.cpu if name == "cpu" else usage.memory
            asked += amount(request or 0)
    average = used / len(sampled)
    text = f"{math.ceil(average * 1000)}m" if name == "cpu" else f"{average:.0f}"
    if target["type"] == "Utilization":
        percent = int(used * 100 / asked)
        ratio, current = (
            percent / target["averageUtilization"],
            {"averageValue": text, "averageUtilization": percent},
        )
    else:
        ratio, current = average / amount(target["averageValue"]), {"averageValue": text}
    if abs(ratio - 1) <= TOLERANCE:
        return present, current
    return max(1, math.ceil(ratio * len(sampled))), current
