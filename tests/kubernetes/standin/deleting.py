"""DELETE: at once, gracefully for pods, or waiting for what belongs to the object."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from standin.answers import RefusalError, bad_request, names, not_found, not_played
from standin.clock import stamp
from standin.kinds import Json, Kind
from standin.requests import Request, Target
from standin.selectors import field_selector, label_selector
from standin.understanding import dry_run
from standin.world import World
from standin.writing import Written

FOREGROUND = "foregroundDeletion"
OPTIONS = (
    "kind",
    "apiVersion",
    "gracePeriodSeconds",
    "propagationPolicy",
    "preconditions",
    "dryRun",
    "orphanDependents",
)


def delete(world: World, request: Request, target: Target) -> Written:
    kind, options = target.kind, _options(request)
    dry = dry_run(request) or options.get("dryRun") == ["All"]
    with world.store.changed:
        found = world.store.get(kind.resource, target.namespace, target.name)
        if found is None:
            raise not_found(kind, target.name)
        _check_preconditions(kind, found, options.get("preconditions") or {})
        return Written(deleted(world, kind, found, options, dry=dry))


def delete_collection(world: World, request: Request, target: Target) -> Written:
    kind, options = target.kind, _options(request)
    labelled = label_selector(request.query.get("labelSelector", ""))
    fields = field_selector(request.query.get("fieldSelector", ""), kind)
    gone: list[Json] = []
    with world.store.changed:
        for item in world.store.list(kind.resource, target.namespace):
            if labelled(item["metadata"].get("labels") or {}) and fields(item):
                deleted(world, kind, item, options, dry=dry_run(request))
                gone.append(
                    {
                        key: value
                        for key, value in item.items()
                        if kind.custom or key not in ("kind", "apiVersion")
                    }
                )
        metadata = {"resourceVersion": str(world.store.revision)}
    return Written(
        {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata, "items": gone}
    )


def _options(request: Request) -> Json:
    options: Json = json.loads(request.body) if request.body else {}
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise not_played(f"the option {unknown[0]} of a deletion")
    for name in ("propagationPolicy", "gracePeriodSeconds"):
        if name in request.query and name not in options:
            options[name] = request.query[name]
    if "gracePeriodSeconds" in options:
        options["gracePeriodSeconds"] = int(options["gracePeriodSeconds"])
    if options.get("propagationPolicy", "Background") not in ("Background", "Foreground", "Orphan"):
        raise bad_request(f"invalid propagationPolicy {options['propagationPolicy']}")
    return options


def _check_preconditions(kind: Kind, found: Json, preconditions: Json) -> None:
    metadata = found["metadata"]
    name = metadata["name"]
    said = ""
    if preconditions.get("uid", metadata["uid"]) != metadata["uid"]:
        said = (
            f"the UID in the precondition ({preconditions['uid']}) does not match the UID in "
            f"record ({metadata['uid']}). "
            "The object might have been deleted and then recreated"
        )
    elif preconditions.get("resourceVersion", metadata["resourceVersion"]) != metadata["resourceVersion"]:
        said = (
            f"the ResourceVersion in the precondition ({preconditions['resourceVersion']}) does "
            "not match the "
            f"ResourceVersion in record ({metadata['resourceVersion']}). The object might have been modified"
        )
    if said:
        message = f'Operation cannot be fulfilled on {kind.full_kind} "{name}": {said}'
        raise RefusalError(409, message, details=names(kind, name, singular=True))


def deleted(world: World, kind: Kind, found: Json, options: Json, *, dry: bool = False) -> Json:
    """Deletes, and gives the body of the answer. Also called by the controllers."""
    metadata = found["metadata"]
    key = (kind.resource, metadata.get("namespace", ""), metadata["name"])
    grace = _grace(kind, found, options)
    policy = options.get("propagationPolicy", "Background")
    finalizers = list(metadata.get("finalizers", []))
    if policy == "Foreground" and kind.plural != "pods" and FOREGROUND not in finalizers:
        finalizers.append(FOREGROUND)
    if policy == "Orphan":
        raise not_played("propagationPolicy Orphan")
    if kind.plural == "namespaces":
        return _terminated(world, found, dry=dry)
    if grace == 0 and not finalizers:
        if not dry:
            world.store.remove(*key)
        details: dict[str, Any] = {**names(kind, metadata["name"]), "uid": metadata["uid"]}
        if kind.plural == "pods":
            return found
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    if not metadata.get("deletionTimestamp"):
        moment = datetime.now(UTC) + timedelta(seconds=world.clock.real(grace))
        metadata["deletionTimestamp"] = stamp(moment)
        metadata["deletionGracePeriodSeconds"] = grace
        if finalizers:
            metadata["finalizers"] = finalizers
        if kind.generation:
            metadata["generation"] = metadata.get("generation", 1) + 1
    return found if dry else world.store.put(kind.resource, found)


def _grace(kind: Kind, found: Json, options: Json) -> int:
    """Only a pod that is on a node is given time."""
    if kind.plural != "pods" or not found["spec"].get("nodeName"):
        return 0
    asked = options.get("gracePeriodSeconds")
    if found.get("status", {}).get("phase") in ("Succeeded", "Failed") and asked is None:
        return 0
    return int(found["spec"].get("terminationGracePeriodSeconds", 30) if asked is None else asked)


def _terminated(world: World, found: Json, *, dry: bool) -> Json:
    found["metadata"].setdefault("deletionTimestamp", stamp())
    found["status"]["phase"] = "Terminating"
    return found if dry else world.store.put("namespaces", found)
