"""The resourcequota controller: what is used of each quota."""

from __future__ import annotations

import math

from standin import admission
from standin.quantity import written
from standin.store import copied
from standin.world import World


def step(world: World) -> float:
    for each in world.store.peek("resourcequotas"):
        hard = each.get("spec", {}).get("hard", {})
        used = admission.used(world.store.peek("pods", each["metadata"]["namespace"]), hard)
        status = {"hard": dict(hard), "used": {name: written(name, value) for name, value in used.items()}}
        if status != each.get("status"):
            changed = copied(each)
            changed["status"] = status
            world.store.put("resourcequotas", changed)
    return math.inf
