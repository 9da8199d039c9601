"""What every namespace gets, and how one that is deleted is emptied."""

from __future__ import annotations

import math

from standin.deleting import deleted
from standin.kinds import BY_RESOURCE
from standin.store import copied
from standin.world import World


def step(world: World) -> float:
    for each in world.store.peek("namespaces"):
        name = each["metadata"]["name"]
        if each["status"]["phase"] == "Terminating":
            _empty(world, name)
        elif world.store.get("serviceaccounts", name, "default") is None:
            _furnish(world, name)
    return math.inf


def _furnish(world: World, name: str) -> None:
    world.store.put("serviceaccounts", {
        "kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "default", "namespace": name},
    })  # fmt: skip
    world.store.put("configmaps", {
        "kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "kube-root-ca.crt", "namespace": name},
        "data": {"ca.crt": "-----BEGIN CERTIFICATE-----\n"},
    })  # fmt: skip


def _empty(world: World, name: str) -> None:
    inside = [(key, item) for key, item in world.store.objects.items() if key[1] == name]
    for (resource, _namespace, _name), item in inside:
        if resource == "pods" and not item["metadata"].get("deletionTimestamp"):
            deleted(world, BY_RESOURCE[resource], copied(item), {})
        elif resource != "pods":
            world.store.remove(resource, name, item["metadata"]["name"])
    if not inside:
        world.store.remove("namespaces", "", name)
