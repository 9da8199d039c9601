"""The subresource scale: autoscaling/v1 Scale of a workload."""

from __future__ import annotations

import json

from standin.answers import bad_request, conflict, invalid, not_found
from standin.kinds import Json, Kind
from standin.patches import JSON_PATCH, MERGE, decoded, json_patch, merge
from standin.pod_validation import invalid_value
from standin.requests import Request, Target
from standin.schema import MismatchError, decode_as
from standin.selectors import selector_text
from standin.understanding import PATCHES, check_patch_type, dry_run, refused_patch
from standin.validation import NOT_NEGATIVE
from standin.world import World
from standin.writing import Written


def scale_of(item: Json) -> Json:
    metadata = item["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in kept},
        "spec": {"replicas": item["spec"].get("replicas", 1)} if item["spec"].get("replicas", 1) else {},
        "status": {
            "replicas": item.get("status", {}).get("replicas", 0),
            "selector": selector_text(item["spec"]["selector"]),
        },
    }


def scale(world: World, request: Request, target: Target) -> Written:
    """GET, PUT and PATCH."""
    kind = target.kind
    dry = request.method != "GET" and dry_run(request)
    with world.store.changed:
        found = world.store.get(kind.resource, target.namespace, target.name)
        if found is None:
            raise not_found(kind, target.name)
        present = scale_of(found)
        if request.method == "GET":
            return Written(present)
        return Written(_changed(world, kind, found, _wanted(request, kind, present), dry=dry))


def _wanted(request: Request, kind: Kind, present: Json) -> Json:
    if request.method == "PUT":
        body = json.loads(request.body)
        try:
            return decode_as("V1Scale", body).body
        except MismatchError as error:
            raise bad_request(f'Scale in version "v1" cannot be handled as a Scale: {error}') from None
    check_patch_type(request, kind)
    content = decoded(request.body)
    apply = {MERGE: merge, JSON_PATCH: json_patch}.get(request.content_type, PATCHES[request.content_type])
    after = apply(present, content)
    try:
        return decode_as("V1Scale", after).body
    except MismatchError as error:
        raise refused_patch(json.dumps(after, separators=(",", ":")), str(error)) from None


def _changed(world: World, kind: Kind, found: Json, wanted: Json, *, dry: bool) -> Json:
    metadata = found["metadata"]
    name = metadata["name"]
    if wanted["metadata"].get("name", name) != name:
        raise bad_request(
            f"the name of the object ({wanted['metadata']['name']}) does not match the name on the "
            f"URL ({name})"
        )
    if wanted["metadata"].get("resourceVersion", metadata["resourceVersion"]) not in (
        "",
        metadata["resourceVersion"],
    ):
        raise conflict(kind, name)
    replicas = wanted.get("spec", {}).get("replicas", 0)
    if replicas < 0:
        raise invalid(
            "Scale.autoscaling",
            name,
            "autoscaling",
            "Scale",
            [invalid_value("spec.replicas", replicas, NOT_NEGATIVE)],
        )
    if replicas != found["spec"].get("replicas", 1):
        found["spec"]["replicas"] = replicas
        metadata["generation"] += 1
    return scale_of(found if dry else world.store.put(kind.resource, found))
