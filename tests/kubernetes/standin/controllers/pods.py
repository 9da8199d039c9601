"""What several controllers ask of pods, and how they make them."""

from __future__ import annotations

import json
from typing import Any

from standin import admission, defaults
from standin.answers import RefusalError
from standin.clock import stamp
from standin.kinds import BY_RESOURCE, Json
from standin.selectors import matches
from standin.store import copied
from standin.world import World

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def template_hash(template: Json) -> str:
    """The hash of a pod template in the alphabet of the real one (FNV-1a, 32 bits)."""
    value = 2166136261
    for byte in json.dumps(template, sort_keys=True).encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return "".join(ALPHABET[ord(digit) % 27] for digit in str(value))


def owner_reference(owner: Json) -> Json:
    metadata = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def owned_by(item: Json, owner: Json) -> bool:
    uid = owner["metadata"]["uid"]
    return any(
        each["uid"] == uid and each.get("controller") for each in item["metadata"].get("ownerReferences", [])
    )


def owned(world: World, resource: str, owner: Json) -> list[Json]:
    """For reading only."""
    return [
        item for item in world.store.peek(resource, owner["metadata"]["namespace"]) if owned_by(item, owner)
    ]


def is_active(pod: Json) -> bool:
    phase = pod.get("status", {}).get("phase")
    return phase not in ("Succeeded", "Failed") and not pod["metadata"].get("deletionTimestamp")


def is_terminating(pod: Json) -> bool:
    phase = pod.get("status", {}).get("phase")
    return phase not in ("Succeeded", "Failed") and bool(pod["metadata"].get("deletionTimestamp"))


def is_ready(pod: Json) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def condition(item: Json, type_: str) -> Json:
    found = (each for each in item.get("status", {}).get("conditions") or [] if each["type"] == type_)
    return next(found, {})


def set_condition(
    item: Json, type_: str, status: str, reason: str = "", message: str = "", **more: Any
) -> None:
    """Of a pod: the time of transition stays while the status does; the place in the list stays too."""
    conditions = item["status"].setdefault("conditions", [])
    old = next((each for each in conditions if each["type"] == type_), None)
    new: Json = {
        "type": type_,
        "observedGeneration": item["metadata"].get("generation", 1),
        "status": status,
        **more,
    }
    same = old is not None and old["status"] == status
    new["lastTransitionTime"] = old["lastTransitionTime"] if same and old else stamp()
    new |= {key: value for key, value in (("reason", reason), ("message", message)) if value}
    if old is None:
        conditions.append(new)
    else:
        conditions[conditions.index(old)] = new


def make(world: World, owner: Json, template: Json, name: str, labels: Json | None = None) -> Json:
    """Creates a pod for an owner.

    Raises:
        RefusalError: a quota is in the way.
    """
    metadata = copied(template.get("metadata") or {})
    metadata |= {
        "name": name, "namespace": owner["metadata"]["namespace"], "generation": 1,
        "generateName": name.rpartition("-")[0] + "-", "ownerReferences": [owner_reference(owner)],
    }  # fmt: skip
    if labels:
        metadata["labels"] = {**metadata.get("labels", {}), **labels}
    pod: Json = {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": copied(template["spec"])}
    defaults.fill(BY_RESOURCE["pods"], pod)
    admission.admit(world, BY_RESOURCE["pods"], pod)
    if world.store.get("pods", metadata["namespace"], name) is not None:
        raise RefusalError(409, f'pods "{name}" already exists', reason="AlreadyExists")
    return world.store.put("pods", pod)


def selects(owner: Json, pod: Json) -> bool:
    return matches(owner["spec"]["selector"], pod["metadata"].get("labels") or {})
