"""The horizontal pod autoscaler: every 15 seconds it brings its workload to what it computes."""

from __future__ import annotations

import math

from standin.clock import stamp
from standin.controllers.demand import MetricError, computed
from standin.controllers.events import record
from standin.kinds import Json
from standin.store import copied
from standin.world import World

AUTOSCALERS = "horizontalpodautoscalers.autoscaling"
TARGETS = {
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
    "ReplicaSet": "replicasets.apps",
}
PERIOD, WINDOW = 15.0, 300.0


class Autoscalers:
    """By uid: when the next sync is due, and the recommendations of the last five minutes."""

    def __init__(self) -> None:
        self.due: dict[str, float] = {}
        self.recommended: dict[str, list[tuple[float, int]]] = {}

    def step(self, world: World) -> float:
        now, wait = world.clock.now(), math.inf
        for each in world.store.peek(AUTOSCALERS):
            uid = each["metadata"]["uid"]
            if self.due.setdefault(uid, now + PERIOD) <= now:
                self.due[uid] = now + PERIOD
                self._sync(world, copied(each), now)
            wait = min(wait, self.due[uid] - now)
        return wait

    def _sync(self, world: World, each: Json, now: float) -> None:
        namespace, target = each["metadata"]["namespace"], each["spec"]["scaleTargetRef"]
        found = world.store.get(TARGETS.get(target["kind"], ""), namespace, target["name"])
        if found is None:
            what = f'{target["kind"].lower()}s.apps "{target["name"]}" not found'
            message = f"the HPA controller was unable to get the target's current scale: {what}"
            _set(each, "AbleToScale", "False", "FailedGetScale", message)
            world.store.put(AUTOSCALERS, each)
            return
        status = each.setdefault("status", {})
        present = found["spec"]["replicas"]
        _set(
            each,
            "AbleToScale",
            "True",
            "SucceededGetScale",
            "the HPA controller was able to get the target's current scale",
        )
        status["currentReplicas"] = found.get("status", {}).get("replicas", 0)
        if present == 0:
            status["desiredReplicas"] = 0
            _set(
                each,
                "ScalingActive",
                "False",
                "ScalingDisabled",
                "scaling is disabled since the replica count of the target is zero",
            )
        else:
            wanted, why = self._wanted(world, each, found, present, now)
            if wanted is not None and wanted != present:
                _rescale(world, each, found, wanted, why)
        status.setdefault("currentMetrics", None)  # there, if only as null
        world.store.put(AUTOSCALERS, each)

    def _wanted(
        self, world: World, each: Json, found: Json, present: int, now: float
    ) -> tuple[int | None, str]:
        """How many, and why; None: it cannot be computed."""
        spec, status = each["spec"], each["status"]
        least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
        if present > most:
            status["desiredReplicas"] = most
            return most, "Current number of replicas above Spec.MaxReplicas"
        if present < least:
            status["desiredReplicas"] = least
            return least, "Current number of replicas below Spec.MinReplicas"
        try:
            proposed, current, why = computed(world, spec, found, present)
        except MetricError as error:
            status |= {"desiredReplicas": 0, "currentMetrics": [{"type": ""}]}
            _set(
                each,
                "ScalingActive",
                "False",
                error.reason,
                f"the HPA was unable to compute the replica count: {error}",
            )
            component = "horizontal-pod-autoscaler"
            record(world, each, "Warning", error.reason, str(error), component)
            count = len(spec["metrics"])
            first = f"failed to get {error.metric} resource metric value: {error}"
            whole = f"invalid metrics ({count} invalid out of {count}), first error is: {first}"
            record(world, each, "Warning", "FailedComputeMetricsReplicas", whole, component)
            return None, ""
        status["currentMetrics"] = current
        _set(
            each,
            "ScalingActive",
            "True",
            "ValidMetricFound",
            f"the HPA was able to successfully calculate a replica count from {why}",
        )
        past = self.recommended.setdefault(each["metadata"]["uid"], [(now, present)])
        past[:] = [(at, count) for at, count in past if now - at < WINDOW]
        stable = max([count for _at, count in past] + [proposed])
        past.append((now, proposed))
        if stable > proposed:
            _set(
                each,
                "AbleToScale",
                "True",
                "ScaleDownStabilized",
                "recent recommendations were higher than current one, applying the highest recent "
                "recommendation",
            )
        else:
            _set(each, "AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size")
        wanted = _limited(each, stable, present, least, most)
        status["desiredReplicas"] = wanted
        return wanted, "All metrics below target" if wanted < present else f"{why} above target"


def _limited(each: Json, stable: int, present: int, least: int, most: int) -> int:
    fastest = max(2 * present, 4)
    if stable < least:
        _set(
            each,
            "ScalingLimited",
            "True",
            "TooFewReplicas",
            "the desired replica count is less than the minimum replica count",
        )
        return least
    if stable > min(most, fastest):
        if most <= fastest:
            said = "the desired replica count is more than the maximum replica count"
            _set(each, "ScalingLimited", "True", "TooManyReplicas", said)
        else:
            said = "the desired replica count is increasing faster than the maximum scale rate"
            _set(each, "ScalingLimited", "True", "ScaleUpLimit", said)
        return min(most, fastest)
    _set(
        each,
        "ScalingLimited",
        "False",
        "DesiredWithinRange",
        "the desired count is within the acceptable range",
    )
    return stable


def _rescale(world: World, each: Json, found: Json, wanted: int, why: str) -> None:
    found["spec"]["replicas"] = wanted
    found["metadata"]["generation"] += 1
    world.store.put(TARGETS[found["kind"]], found)
    each["status"]["lastScaleTime"] = stamp()
    _set(
        each,
        "AbleToScale",
        "True",
        "SucceededRescale",
        f"the HPA controller was able to update the target scale to {wanted}",
    )
    record(
        world,
        each,
        "Normal",
        "SuccessfulRescale",
        f"New size: {wanted}; reason: {why}",
        "horizontal-pod-autoscaler",
    )


def _set(each: Json, type_: str, status: str, reason: str, message: str) -> None:
    conditions = each.setdefault("status", {}).setdefault("conditions", [])
    old = next((one for one in conditions if one["type"] == type_), None)
    since = old["lastTransitionTime"] if old and old["status"] == status else stamp()
    new = {"type": type_, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}
    if old is None:
        conditions.append(new)
    else:
        conditions[conditions.index(old)] = new
