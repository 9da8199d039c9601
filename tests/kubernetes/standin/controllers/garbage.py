"""The garbage collector: what belongs to an object that is gone goes too."""

from __future__ import annotations

import math

from standin.deleting import FOREGROUND, deleted
from standin.kinds import BY_RESOURCE
from standin.store import copied
from standin.world import World


def step(world: World) -> float:
    store = world.store
    present = {item["metadata"]["uid"]: item for item in store.objects.values()}
    waiting: set[str] = set()
    for (resource, _namespace, _name), item in list(store.objects.items()):
        owners = item["metadata"].get("ownerReferences", [])
        if not owners or resource not in BY_RESOURCE:
            continue
        alive = [each for each in owners if each["uid"] in present]
        leaving = [
            each for each in alive if FOREGROUND in present[each["uid"]]["metadata"].get("finalizers", [])
        ]
        waiting.update(each["uid"] for each in leaving)
        if (not alive or len(leaving) == len(alive)) and not item["metadata"].get("deletionTimestamp"):
            policy = {"propagationPolicy": "Foreground"} if leaving and resource != "pods" else {}
            deleted(world, BY_RESOURCE[resource], copied(item), policy)
    for (resource, namespace, name), item in list(store.objects.items()):
        if FOREGROUND in item["metadata"].get("finalizers", []) and item["metadata"]["uid"] not in waiting:
            store.remove(resource, namespace, name)
    return math.inf
