"""The disruption controller: how many pods of a PodDisruptionBudget may go."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from standin.clock import stamp
from standin.controllers.pods import is_active, is_ready
from standin.kinds import Json
from standin.selectors import matches
from standin.store import copied
from standin.world import World

BUDGETS = "poddisruptionbudgets.policy"
FORGOTTEN = 120.0  # seconds after which an eviction that led to nothing is forgotten
OWNERS = {"ReplicaSet": "replicasets.apps", "StatefulSet": "statefulsets.apps"}


def step(world: World) -> float:
    for each in world.store.peek(BUDGETS):
        status = _status(world, each)
        if status != each.get("status"):
            changed = copied(each)
            changed["status"] = status
            world.store.put(BUDGETS, changed)
    return math.inf


def _status(world: World, budget: Json) -> Json:
    namespace, spec = budget["metadata"]["namespace"], budget["spec"]
    pods = [
        pod
        for pod in world.store.peek("pods", namespace)
        if matches(spec.get("selector"), pod["metadata"].get("labels") or {})
    ]
    present = [pod for pod in pods if pod["status"].get("phase") not in ("Succeeded", "Failed")]
    old = budget.get("status", {})
    evicted = {
        name: at for name, at in old.get("disruptedPods", {}).items() if _still_there(name, at, present)
    }
    healthy = sum(
        is_ready(pod) for pod in present if is_active(pod) and pod["metadata"]["name"] not in evicted
    )
    expected = _expected(world, namespace, present)
    if "maxUnavailable" in spec:
        desired = max(0, expected - _share(spec["maxUnavailable"], expected))
    else:
        desired = _share(spec.get("minAvailable", 1), expected)
        if isinstance(spec.get("minAvailable", 1), int):
            expected = len(present)
    allowed = max(0, healthy - desired) if expected > 0 else 0
    generation = budget["metadata"]["generation"]
    status: Json = {
        "observedGeneration": generation, "disruptionsAllowed": allowed, "currentHealthy": healthy,
        "desiredHealthy": desired, "expectedPods": expected,
    }  # fmt: skip
    if evicted:
        status["disruptedPods"] = evicted
    word = "True" if allowed else "False"
    before = (old.get("conditions") or [{}])[0]
    since = before["lastTransitionTime"] if before.get("status") == word else stamp()
    status["conditions"] = [
        {
            "type": "DisruptionAllowed",
            "status": word,
            "observedGeneration": generation,
            "lastTransitionTime": since,
            "reason": "SufficientPods" if allowed else "InsufficientPods",
            "message": "",
        }
    ]
    return status


def _share(value: int | str, expected: int) -> int:
    return value if isinstance(value, int) else math.ceil(int(value.rstrip("%")) * expected / 100)


def _still_there(name: str, at: str, pods: list[Json]) -> bool:
    age = (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()
    return age < FORGOTTEN and any(pod["metadata"]["name"] == name and is_active(pod) for pod in pods)


def _expected(world: World, namespace: str, pods: list[Json]) -> int:
    """The replicas that the owners of the pods want."""
    wanted: dict[str, int] = {}
    for pod in pods:
        for owner in pod["metadata"].get("ownerReferences", []):
            if owner["kind"] in OWNERS:
                found = world.store.get(OWNERS[owner["kind"]], namespace, owner["name"])
                if found is not None:
                    _add(world, namespace, found, wanted)
    return sum(wanted.values())


def _add(world: World, namespace: str, owner: Json, wanted: dict[str, int]) -> None:
    for above in owner["metadata"].get("ownerReferences", []):
        found = world.store.get("deployments.apps", namespace, above["name"])
        if found is not None:
            wanted[above["uid"]] = found["spec"]["replicas"]
            return
    wanted[owner["metadata"]["uid"]] = owner["spec"]["replicas"]
