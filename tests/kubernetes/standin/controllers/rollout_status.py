"""The status of a Deployment: counters, and the conditions Available, Progressing and ReplicaFailure."""

from __future__ import annotations

import math

from standin.clock import stamp
from standin.controllers.pods import condition
from standin.controllers.sizing import surge_and_unavailable
from standin.kinds import Json
from standin.store import copied
from standin.world import World

DEPLOYMENTS = "deployments.apps"


def reason_of(deployment: Json, type_: str) -> str:
    return str(condition(deployment, type_).get("reason", ""))


def set_condition(deployment: Json, type_: str, status: str, reason: str, message: str) -> bool:
    """Another reason or status puts the condition at the end of the list; else not even the text changes."""
    conditions = deployment.setdefault("status", {}).setdefault("conditions", [])
    old = condition(deployment, type_)
    if old and (old["status"], old["reason"]) == (status, reason):
        return False
    now = stamp()
    conditions[:] = [each for each in conditions if each["type"] != type_]
    conditions.append({
        "type": type_, "status": status, "lastUpdateTime": now,
        "lastTransitionTime": old["lastTransitionTime"] if old and old["status"] == status else now,
        "reason": reason, "message": message,
    })  # fmt: skip
    return True


def write(world: World, deployment: Json, sets: list[Json], new: Json | None) -> float:
    """Writes the status if it changed; seconds of the cluster until the deadline of progress otherwise."""
    before = deployment.get("status", {})
    after = _counters(deployment, sets, new)
    due = _progress(world, deployment, before, after, new)
    failure = next((found for each in sets if (found := condition(each, "ReplicaFailure"))), {})
    if failure:
        set_condition({"status": after}, "ReplicaFailure", "True", failure["reason"], failure["message"])
    else:
        after["conditions"] = [each for each in after["conditions"] if each["type"] != "ReplicaFailure"]
    if after == before:
        return due
    deployment["status"] = after
    world.store.put(DEPLOYMENTS, deployment)
    return 0


def _counters(deployment: Json, sets: list[Json], new: Json | None) -> Json:
    def summed(name: str) -> int:
        return sum(each.get("status", {}).get(name, 0) for each in sets)

    available = summed("availableReplicas")
    counters = {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": summed("replicas"),
        "updatedReplicas": new.get("status", {}).get("replicas", 0) if new else 0,
        "readyReplicas": summed("readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(each["spec"]["replicas"] for each in sets) - available),
    }
    after: Json = {name: value for name, value in counters.items() if value}
    after["terminatingReplicas"] = summed("terminatingReplicas")
    after["conditions"] = copied(deployment.get("status", {}).get("conditions", []))
    whole: Json = {"status": after}
    if available >= deployment["spec"]["replicas"] - surge_and_unavailable(deployment)[1]:
        said = "Deployment has minimum availability."
        set_condition(whole, "Available", "True", "MinimumReplicasAvailable", said)
    else:
        said = "Deployment does not have minimum availability."
        set_condition(whole, "Available", "False", "MinimumReplicasUnavailable", said)
    return after


def _progress(world: World, deployment: Json, before: Json, after: Json, new: Json | None) -> float:
    """Sets the condition Progressing of `after`."""
    progress = world.progress
    uid, now = deployment["metadata"]["uid"], world.clock.now()
    whole: Json = {"status": after}
    reason = reason_of(whole, "Progressing")
    if deployment["spec"].get("paused"):
        return math.inf
    if after.get("replicas", 0) == after.get("updatedReplicas", 0) and reason == "NewReplicaSetAvailable":
        return math.inf
    name = new["metadata"]["name"] if new else deployment["metadata"]["name"]
    what = "ReplicaSet" if new else "Deployment"
    since = f"{uid}/{deployment['metadata']['generation']}/{reason}"
    progress.setdefault(since, now)
    if _is_done(deployment, after):
        set_condition(
            whole,
            "Progressing",
            "True",
            "NewReplicaSetAvailable",
            f'{what} "{name}" has successfully progressed.',
        )
        return math.inf
    if _is_further(before, after):
        _touch(whole, f'{what} "{name}" is progressing.')
        progress[f"{uid}/{deployment['metadata']['generation']}/ReplicaSetUpdated"] = now
        return math.inf
    if reason in ("", "NewReplicaSetAvailable", "ProgressDeadlineExceeded"):
        return math.inf
    left: float = progress[since] + deployment["spec"].get("progressDeadlineSeconds", 600) - now
    if left <= 0:
        said = f'{what} "{name}" has timed out progressing.'
        set_condition(whole, "Progressing", "False", "ProgressDeadlineExceeded", said)
        return math.inf
    return left


def _is_done(deployment: Json, after: Json) -> bool:
    wanted = deployment["spec"]["replicas"]
    return bool(
        after.get("updatedReplicas", 0) == wanted
        and after.get("replicas", 0) == wanted
        and after.get("availableReplicas", 0) == wanted
    )


def _is_further(before: Json, after: Json) -> bool:
    def old(status: Json) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    return bool(
        after.get("updatedReplicas", 0) > before.get("updatedReplicas", 0)
        or old(after) < old(before)
        or after.get("readyReplicas", 0) > before.get("readyReplicas", 0)
        or after.get("availableReplicas", 0) > before.get("availableReplicas", 0)
    )


def _touch(whole: Json, message: str) -> None:
    """Progress renews lastUpdateTime of a condition that says the same."""
    if not set_condition(whole, "Progressing", "True", "ReplicaSetUpdated", message):
        condition(whole, "Progressing")["lastUpdateTime"] = stamp()
