"""How a deployment sizes its ReplicaSets: by strategy, and in proportion when it is scaled half way."""

from __future__ import annotations

import math

from standin.controllers.events import record
from standin.kinds import Json
from standin.store import copied
from standin.world import World

SETS = "replicasets.apps"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"


def surge_and_unavailable(deployment: Json) -> tuple[int, int]:
    """maxSurge rounded up, maxUnavailable rounded down, and never both 0."""
    strategy, replicas = deployment["spec"]["strategy"], deployment["spec"]["replicas"]
    if strategy["type"] != "RollingUpdate":
        return 0, 0
    rolling = strategy["rollingUpdate"]

    def resolved(value: str | int, rounded: object) -> int:
        if isinstance(value, int):
            return value
        return int(rounded(int(value.rstrip("%")) * replicas / 100))  # type: ignore[operator]

    surge, unavailable = (
        resolved(rolling["maxSurge"], math.ceil),
        resolved(rolling["maxUnavailable"], math.floor),
    )
    return surge, unavailable or (0 if surge else 1)


def _total(sets: list[Json]) -> int:
    return sum(each["spec"]["replicas"] for each in sets)


def _available(sets: list[Json]) -> int:
    return sum(each.get("status", {}).get("availableReplicas", 0) for each in sets)


def sizes(deployment: Json) -> Json:
    replicas = deployment["spec"]["replicas"]
    return {DESIRED: str(replicas), MOST: str(replicas + surge_and_unavailable(deployment)[0])}


def new_replicas(deployment: Json, old: list[Json], present: int) -> int:
    wanted = int(deployment["spec"]["replicas"])
    if deployment["spec"]["strategy"]["type"] == "Recreate":
        return wanted
    room = wanted + surge_and_unavailable(deployment)[0] - _total(old) - present
    return present if room <= 0 else present + min(room, wanted - present)


def grow(world: World, deployment: Json, sets: list[Json], new: Json) -> bool:
    present = new["spec"]["replicas"]
    wanted = deployment["spec"]["replicas"]
    if present > wanted:
        return resize(world, deployment, new, wanted)
    others = [each for each in sets if each["metadata"]["uid"] != new["metadata"]["uid"]]
    return resize(world, deployment, new, new_replicas(deployment, others, present))


def shrink(world: World, deployment: Json, old: list[Json], new: Json) -> bool:
    if not _total(old):
        return False
    least = deployment["spec"]["replicas"] - surge_and_unavailable(deployment)[1]
    lacking = new["spec"]["replicas"] - new.get("status", {}).get("availableReplicas", 0)
    room = _total(old) + new["spec"]["replicas"] - least - lacking
    if room <= 0:
        return False
    changed = False
    for each in old:  # pods that are not ready go first
        unready = each["spec"]["replicas"] - each.get("status", {}).get("availableReplicas", 0)
        if room > 0 and unready > 0:
            gone = min(room, unready)
            changed |= resize(world, deployment, each, each["spec"]["replicas"] - gone)
            room -= gone
    if changed:
        return True
    room = _available([*old, new]) - least
    for each in old:
        gone = min(room, each["spec"]["replicas"])
        if gone > 0:
            changed |= resize(world, deployment, each, each["spec"]["replicas"] - gone)
            room -= gone
    return changed


def scale(world: World, deployment: Json, sets: list[Json], new: Json | None) -> bool:
    """Another number of replicas: the one active ReplicaSet gets it, several in proportion to their size."""
    active = [each for each in sets if each["spec"]["replicas"]]
    wanted = deployment["spec"]["replicas"]
    if len(active) <= 1:
        only = active[0] if active else (new or (sets[-1] if sets else None))
        return only is not None and resize(world, deployment, only, wanted)
    surge = surge_and_unavailable(deployment)[0]
    room = (wanted + surge if wanted else 0) - _total(active)
    changed, left = False, room
    for each in sorted(active, key=lambda item: item["spec"]["replicas"], reverse=True):
        size = each["spec"]["replicas"]
        before = int(each["metadata"]["annotations"].get(MOST, 0)) or wanted
        share = round(size * (wanted + surge) / before) - size
        share = max(min(share, left), 0) if room > 0 else min(max(share, left, -size), 0)
        left -= share
        changed |= resize(world, deployment, each, size + share)
    return changed


def resize(world: World, deployment: Json, each: Json, replicas: int) -> bool:
    before = each["spec"]["replicas"]
    annotations = {**each["metadata"].get("annotations", {}), **sizes(deployment)}
    if before == replicas and annotations == each["metadata"].get("annotations"):
        return False
    changed = copied(each)
    changed["spec"]["replicas"] = replicas
    changed["metadata"]["annotations"] = annotations
    if before != replicas:
        changed["metadata"]["generation"] += 1
    world.store.put(SETS, changed)
    if before != replicas:
        tell(world, deployment, each["metadata"]["name"], before, replicas)
    return True


def tell(world: World, deployment: Json, name: str, before: int, after: int) -> None:
    way = "up" if after > before else "down"
    message = f"Scaled {way} replica set {name} from {before} to {after}"
    record(world, deployment, "Normal", "ScalingReplicaSet", message, "deployment-controller")
