"""The subresource eviction: a deletion that a PodDisruptionBudget may refuse."""

from __future__ import annotations

import json

from standin.answers import RefusalError, bad_request, not_found
from standin.clock import stamp
from standin.deleting import deleted
from standin.kinds import Json
from standin.requests import Request, Target
from standin.selectors import matches
from standin.world import World
from standin.writing import Written

BUDGETS = "poddisruptionbudgets.policy"
REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."


def evict(world: World, request: Request, target: Target) -> Written:
    body: Json = json.loads(request.body or "{}")
    if body.get("kind") != "Eviction" or body.get("apiVersion") not in ("policy/v1", "policy/v1beta1"):
        raise bad_request("no kind or version of an Eviction in the body")
    if body.get("metadata", {}).get("name", target.name) != target.name:
        raise bad_request("name in URL does not match name in Eviction object")
    options = body.get("deleteOptions") or {}
    dry = options.get("dryRun") == ["All"] or request.query.get("dryRun") == "All"
    with world.store.changed:
        pod = world.store.get("pods", target.namespace, target.name)
        if pod is None:
            raise not_found(target.kind, target.name)
        if _is_guarded(pod):
            _take(world, pod, dry=dry)
        deleted(world, target.kind, pod, {"gracePeriodSeconds": options.get("gracePeriodSeconds")}, dry=dry)
    return Written(
        {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201
    )


def _is_guarded(pod: Json) -> bool:
    """A pod that has ended, is on its way out or never started may always go."""
    phase = pod.get("status", {}).get("phase")
    return phase not in ("Succeeded", "Failed", "Pending") and not pod["metadata"].get("deletionTimestamp")


def _take(world: World, pod: Json, *, dry: bool) -> None:
    """Takes one of the disruptions that a budget allows."""
    namespace = pod["metadata"]["namespace"]
    labels = pod["metadata"].get("labels") or {}
    budgets = [
        each for each in world.store.list(BUDGETS, namespace) if matches(each["spec"].get("selector"), labels)
    ]
    if not budgets:
        return
    if len(budgets) > 1:
        raise RefusalError(
            500,
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does "
            "not support.",
            reason="",
        )
    budget = budgets[0]
    name, status = budget["metadata"]["name"], budget.get("status", {})
    if status.get("observedGeneration", 0) < budget["metadata"]["generation"]:
        cause = f"The disruption budget {name} is still being processed by the server."
        raise RefusalError(
            429, REFUSED,
            details={"causes": [{"reason": "DisruptionBudget", "message": cause}], "retryAfterSeconds": 10},
            headers={"Retry-After": "10"},
        )  # fmt: skip
    if _is_unhealthy_and_free(pod, budget):
        return
    if status["disruptionsAllowed"] <= 0:
        cause = (
            f"The disruption budget {name} needs {status['desiredHealthy']} healthy pods and has "
            f"{status['currentHealthy']} currently"
        )
        raise RefusalError(
            429, REFUSED, details={"causes": [{"reason": "DisruptionBudget", "message": cause}]}
        )
    if not dry:
        status["disruptionsAllowed"] -= 1
        status.setdefault("disruptedPods", {})[pod["metadata"]["name"]] = stamp()
        world.store.put(BUDGETS, budget)


def _is_unhealthy_and_free(pod: Json, budget: Json) -> bool:
    """unhealthyPodEvictionPolicy: a pod that is not ready costs nothing while enough others are."""
    conditions = pod.get("status", {}).get("conditions", [])
    if any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget["status"]
    return bool(status["desiredHealthy"] > 0 and status["currentHealthy"] >= status["desiredHealthy"])
