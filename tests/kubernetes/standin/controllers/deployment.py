"""The deployment controller: one write of each deployment in a step, in the order of the real one."""

from __future__ import annotations

import math

from standin.controllers import rollout_status
from standin.controllers.pods import owned, owner_reference, template_hash
from standin.controllers.sizing import DESIRED, grow, new_replicas, resize, scale, shrink, sizes, tell
from standin.kinds import Json
from standin.store import copied
from standin.world import World

DEPLOYMENTS, SETS = "deployments.apps", "replicasets.apps"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
NEVER = math.inf


def step(world: World) -> float:
    """Seconds of the cluster until something is due without a change."""
    return min((_sync(world, copied(each)) for each in world.store.peek(DEPLOYMENTS)), default=NEVER)


def _sync(world: World, deployment: Json) -> float:
    sets = sorted(owned(world, SETS, deployment), key=lambda each: int(each["metadata"]["resourceVersion"]))
    if deployment["metadata"].get("deletionTimestamp"):
        return NEVER
    if _paused_changed(world, deployment):
        return 0
    new = new_set(deployment, sets)
    if deployment["spec"].get("paused") or _is_scaling(deployment, sets):
        if scale(world, deployment, sets, new):
            return 0
        return _finish(world, deployment, sets, new)
    old = [each for each in sets if new is None or each["metadata"]["uid"] != new["metadata"]["uid"]]
    if deployment["spec"]["strategy"]["type"] == "Recreate":
        return _recreate(world, deployment, sets, old, new)
    if new is None:
        return _create_set(world, deployment, old)
    if (
        _mark_revision(world, deployment, old, new)
        or grow(world, deployment, sets, new)
        or shrink(world, deployment, old, new)
    ):
        return 0
    if _is_complete(deployment):
        _clean_up(world, deployment, old)
    return _finish(world, deployment, sets, new)


def _finish(world: World, deployment: Json, sets: list[Json], new: Json | None) -> float:
    return rollout_status.write(world, deployment, sets, new)


def new_set(deployment: Json, sets: list[Json]) -> Json | None:
    """The ReplicaSet of the present template."""
    wanted = _plain(deployment["spec"]["template"])
    return next((each for each in sets if _plain(each["spec"]["template"]) == wanted), None)


def _plain(template: Json) -> Json:
    template = copied(template)
    labels = template.get("metadata", {}).get("labels", {})
    labels.pop("pod-template-hash", None)
    return template


def revision_of(item: Json) -> int:
    return int((item["metadata"].get("annotations") or {}).get(REVISION, 0))


def _paused_changed(world: World, deployment: Json) -> bool:
    reason = rollout_status.reason_of(deployment, "Progressing")
    paused = bool(deployment["spec"].get("paused"))
    if reason == "ProgressDeadlineExceeded" or paused == (reason == "DeploymentPaused"):
        return False
    if paused:
        rollout_status.set_condition(
            deployment, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused"
        )
    else:
        rollout_status.set_condition(
            deployment, "Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed"
        )
    world.store.put(DEPLOYMENTS, deployment)
    return True


def _is_scaling(deployment: Json, sets: list[Json]) -> bool:
    desired = str(deployment["spec"]["replicas"])
    return any(
        each["metadata"].get("annotations", {}).get(DESIRED, desired) != desired
        for each in sets
        if each["spec"]["replicas"]
    )


def _create_set(world: World, deployment: Json, old: list[Json]) -> float:
    template = copied(deployment["spec"]["template"])
    digest = template_hash(template)
    metadata = deployment["metadata"]
    labels = {**template["metadata"].get("labels", {}), "pod-template-hash": digest}
    template["metadata"]["labels"] = labels
    selector = copied(deployment["spec"]["selector"])
    selector.setdefault("matchLabels", {})["pod-template-hash"] = digest
    revision = max([revision_of(each) for each in old], default=0) + 1
    name, replicas = f"{metadata['name']}-{digest}", new_replicas(deployment, old, 0)
    spec: Json = {"replicas": replicas, "selector": selector, "template": template}
    if deployment["spec"].get("minReadySeconds"):
        spec["minReadySeconds"] = deployment["spec"]["minReadySeconds"]
    world.store.put(SETS, {
        "kind": "ReplicaSet", "apiVersion": "apps/v1",
        "metadata": {
            "name": name, "namespace": metadata["namespace"], "generation": 1, "labels": labels,
            "annotations": {**sizes(deployment), REVISION: str(revision)},
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": spec, "status": {"replicas": 0},
    })  # fmt: skip
    if replicas:
        tell(world, deployment, name, 0, replicas)
    deployment["metadata"].setdefault("annotations", {})[REVISION] = str(revision)
    rollout_status.set_condition(
        deployment, "Progressing", "True", "NewReplicaSetCreated", f'Created new replica set "{name}"'
    )
    world.store.put(DEPLOYMENTS, deployment)
    return 0


def _mark_revision(world: World, deployment: Json, old: list[Json], new: Json) -> bool:
    """An old ReplicaSet that is used again gets the highest revision."""
    revision = max(max([revision_of(each) for each in old], default=0) + 1, 1)
    mine = revision_of(new)
    wanted = sizes(deployment)
    if mine < revision and old:
        wanted[REVISION] = str(revision)
        if mine:
            past = new["metadata"]["annotations"].get(HISTORY, "")
            wanted[HISTORY] = f"{past},{mine}" if past else str(mine)
    annotations = {**new["metadata"].get("annotations", {}), **wanted}
    if annotations != new["metadata"].get("annotations"):
        changed = copied(new)
        changed["metadata"]["annotations"] = annotations
        world.store.put(SETS, changed)
        return True
    shown = deployment["metadata"].setdefault("annotations", {})
    if shown.get(REVISION) == annotations.get(REVISION):
        return False
    shown[REVISION] = annotations[REVISION]
    if rollout_status.reason_of(deployment, "Progressing") == "":
        name = new["metadata"]["name"]
        rollout_status.set_condition(
            deployment, "Progressing", "True", "FoundNewReplicaSet", f'Found new replica set "{name}"'
        )
    world.store.put(DEPLOYMENTS, deployment)
    return True


def _recreate(world: World, deployment: Json, sets: list[Json], old: list[Json], new: Json | None) -> float:
    changed = [resize(world, deployment, each, 0) for each in old]
    if any(changed):
        return 0
    if any(owned(world, "pods", each) for each in old):
        return min(1.0, _finish(world, deployment, sets, new))  # it looks when the last of them is gone
    if new is None:
        return _create_set(world, deployment, old)
    if _mark_revision(world, deployment, old, new) or resize(
        world, deployment, new, deployment["spec"]["replicas"]
    ):
        return 0
    return _finish(world, deployment, sets, new)


def _is_complete(deployment: Json) -> bool:
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    return bool(
        status.get("updatedReplicas", 0)
        == wanted
        == status.get("replicas", 0)
        == status.get("availableReplicas", 0)
        and status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    )


def _clean_up(world: World, deployment: Json, old: list[Json]) -> None:
    empty = [
        each for each in old if not each["spec"]["replicas"] and not each.get("status", {}).get("replicas")
    ]
    for each in empty[: max(0, len(empty) - deployment["spec"].get("revisionHistoryLimit", 10))]:
        world.store.remove(SETS, each["metadata"]["namespace"], each["metadata"]["name"])
