"""Events as controllers, the kubelet and the scheduler write them; repeats are counted in the same object."""

from __future__ import annotations

import time

from standin.clock import micro_stamp, stamp
from standin.kinds import Json
from standin.store import copied
from standin.world import World


def reference(item: Json, container: str = "") -> Json:
    metadata = item["metadata"]
    found = {
        "kind": item["kind"],
        "namespace": metadata.get("namespace", "default"),
        "name": metadata["name"],
        "uid": metadata["uid"],
        "apiVersion": item["apiVersion"],
        "resourceVersion": metadata["resourceVersion"],
    }
    return {**found, "fieldPath": f"spec.containers{{{container}}}"} if container else found


def record(
    world: World,
    item: Json,
    type_: str,
    reason: str,
    message: str,
    component: str,
    *,
    host: str = "",
    container: str = "",
) -> None:
    """An event of a controller or, with `host`, of the kubelet."""
    about = reference(item, container)
    namespace, now = about["namespace"], stamp()
    for each in world.store.peek("events", namespace):
        same = (
            each["involvedObject"].get("uid"),
            each["involvedObject"].get("fieldPath"),
            each["reason"],
            each["message"],
        )
        if same == (about["uid"], about.get("fieldPath"), reason, message) and each.get("count"):
            old = copied(each)
            old["count"] += 1
            old["lastTimestamp"] = now
            world.store.put("events", old)
            return
    source = {"component": component, **({"host": host} if host else {})}
    world.store.put("events", {
        **_head(item), "involvedObject": about, "reason": reason, "message": message, "source": source,
        "firstTimestamp": now, "lastTimestamp": now, "count": 1, "type": type_, "eventTime": None,
        "reportingComponent": component, "reportingInstance": host,
    })  # fmt: skip


def record_scheduler(world: World, pod: Json, type_: str, reason: str, message: str, action: str) -> None:
    """The scheduler uses the newer API: eventTime, and neither timestamps nor a count."""
    world.store.put(
        "events",
        {
            **_head(pod),
            "involvedObject": reference(pod),
            "reason": reason,
            "message": message,
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "type": type_,
            "eventTime": micro_stamp(),
            "action": action,
            "reportingComponent": "default-scheduler",
            "reportingInstance": "default-scheduler-node-1",
        },
    )


def _head(item: Json) -> Json:
    metadata = item["metadata"]
    name = f"{metadata['name']}.{time.time_ns():x}"
    return {
        "kind": "Event", "apiVersion": "v1",
        "metadata": {"name": name, "namespace": metadata.get("namespace", "default")},
    }  # fmt: skip
