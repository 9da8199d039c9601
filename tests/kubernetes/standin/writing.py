"""POST, PUT, PATCH: how a body becomes an object, and what of it the server keeps for itself."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from standin import admission, defaults, validation
from standin.answers import RefusalError, bad_request, conflict, invalid, invalid_object, names, not_found
from standin.clock import stamp
from standin.kinds import Json, Kind
from standin.patches import JSON_PATCH, decoded
from standin.pod_validation import invalid_value
from standin.requests import Request, Target
from standin.store import copied
from standin.understanding import PATCHES, check_patch_type, dry_run, object_of, understood, understood_patch
from standin.world import World

OWN = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generateName",
)


@dataclass
class Written:
    """An answer to a write."""

    body: Json
    status: int = 200
    warnings: list[str] = field(default_factory=list)


def create(world: World, request: Request, target: Target) -> Written:
    kind = target.kind
    dry = dry_run(request)
    body, warnings = understood(kind, object_of(request, kind), request)
    metadata = body.setdefault("metadata", {})
    if metadata.get("namespace", target.namespace) != target.namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if kind.namespaced:
        metadata["namespace"] = target.namespace
    if metadata.get("resourceVersion"):
        raise RefusalError(500, "resourceVersion should not be set on objects to be created", reason="")
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + defaults.suffix()
    with world.store.changed:
        _check_namespace(world, kind, target.namespace, metadata.get("name", ""))
        if "status" in kind.subresources:
            body.pop("status", None)
        for own in (*OWN[:-1], "managedFields", "selfLink"):
            metadata.pop(own, None)
        if kind.generation:
            metadata["generation"] = 1
        defaults.fill(kind, body)
        wrong = validation.causes(kind, body, None)
        if wrong:
            raise invalid_object(kind, metadata.get("name", ""), wrong)
        if world.store.get(kind.resource, target.namespace, metadata["name"]) is not None:
            message = f'{kind.resource} "{metadata["name"]}" already exists'
            raise RefusalError(409, message, reason="AlreadyExists", details=names(kind, metadata["name"]))
        admission.admit(world, kind, body)
        if dry:
            metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": stamp()}
            return Written(body, 201, warnings)
        return Written(world.store.put(kind.resource, body), 201, warnings)


def replace(world: World, request: Request, target: Target) -> Written:
    kind = target.kind
    dry = dry_run(request)
    body, warnings = understood(kind, object_of(request, kind), request)
    with world.store.changed:
        before = world.store.get(kind.resource, target.namespace, target.name)
        _check_identity(kind, body, target)
        if before is None:
            raise not_found(kind, target.name)
        version = body["metadata"].get("resourceVersion")
        if not version and not kind.unconditional:
            cause = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
            raise invalid(kind.resource, target.name, kind.group, kind.plural, [cause])
        return Written(_stored(world, target, before, body, dry=dry), 200, warnings)


def patch(world: World, request: Request, target: Target) -> Written:
    kind = target.kind
    check_patch_type(request, kind)
    dry = dry_run(request)
    content = decoded(request.body)
    if request.content_type != JSON_PATCH and not isinstance(content, dict):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
        )
    with world.store.changed:
        before = world.store.get(kind.resource, target.namespace, target.name)
        if before is None:
            raise not_found(kind, target.name)
        after = PATCHES[request.content_type](before, content)
        body, warnings = understood_patch(kind, after, content, request)
        _check_identity(kind, body, target)
        return Written(_stored(world, target, before, body, dry=dry), 200, warnings)


def _check_namespace(world: World, kind: Kind, namespace: str, name: str) -> None:
    if not kind.namespaced:
        return
    namespaces = Target("", "v1", "namespaces").kind
    found = world.store.get("namespaces", "", namespace)
    if found is None:
        raise not_found(namespaces, namespace)
    if found["status"]["phase"] == "Terminating":
        cause = {
            "reason": "NamespaceTerminating", "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }  # fmt: skip
        raise RefusalError(
            403,
            f'{kind.resource} "{name}" is forbidden: unable to create new content in namespace '
            f"{namespace} because it is "
            "being terminated",
            details={**names(kind, name), "causes": [cause]},
        )


def _check_identity(kind: Kind, body: Json, target: Target) -> None:
    metadata = body.setdefault("metadata", {})
    name = metadata.get("name", target.name)
    if name != target.name:
        raise bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({target.name})"
        )
    if kind.namespaced and metadata.get("namespace", target.namespace) != target.namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def _stored(world: World, target: Target, before: Json, body: Json, *, dry: bool) -> Json:
    """The object after an update of itself or of its status."""
    kind, metadata = target.kind, before["metadata"]
    wanted = body["metadata"]
    if wanted.get("resourceVersion") not in (None, "", "0", metadata["resourceVersion"]):
        raise conflict(kind, target.name)
    if wanted.get("uid") not in (None, "", metadata["uid"]):
        key = f"/registry/{kind.plural}/{target.namespace}/{target.name}"
        raise RefusalError(
            409,
            f'Operation cannot be fulfilled on {kind.resource} "{target.name}": StorageError: '
            "invalid object, Code: 4, "
            f"Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: "
            f"{wanted['uid']}, UID in object meta: {metadata['uid']}",
            details=names(kind, target.name),
        )
    after = _next_status(kind, before, body) if target.subresource == "status" else _next(kind, before, body)
    wrong = validation.causes(kind, after, before)
    if wrong:
        raise invalid_object(kind, target.name, wrong)
    if not target.subresource:
        admission.admit_update(kind, after)
    if dry:
        return after
    stored = world.store.put(kind.resource, after)
    if (
        metadata.get("deletionTimestamp")
        and not stored["metadata"].get("finalizers")
        and kind.plural != "pods"
    ):
        world.store.remove(kind.resource, target.namespace, target.name)
    return stored


def _next(kind: Kind, before: Json, body: Json) -> Json:
    after = copied(body)
    metadata = after["metadata"]
    for own in (*OWN, "namespace", "resourceVersion"):
        metadata.pop(own, None)
        if own in before["metadata"]:
            metadata[own] = before["metadata"][own]
    metadata.pop("managedFields", None)
    if "status" in kind.subresources:
        after.pop("status", None)
        if "status" in before:
            after["status"] = copied(before["status"])
    defaults.fill(kind, after)
    if kind.generation and _essence(after) != _essence(before):
        metadata["generation"] = before["metadata"]["generation"] + 1
    return {
        key: after[key]
        for key in sorted(after, key=lambda name: list(before).index(name) if name in before else 9)
    }


def _next_status(kind: Kind, before: Json, body: Json) -> Json:
    after: Json = copied(before)
    if "status" in body:
        after["status"] = copied(body["status"])
    else:
        after.pop("status", None)
    if kind.resource == "deployments.apps":  # these are there, if only as null
        for each in after.get("status", {}).get("conditions", []):
            each.setdefault("lastUpdateTime", None)
            each.setdefault("lastTransitionTime", None)
    if not kind.custom:  # built-in kinds take changes of annotations with the status
        annotations = body["metadata"].get("annotations")
        if annotations is not None:
            after["metadata"]["annotations"] = annotations
    return after


def _essence(item: Json) -> Json:
    return {key: value for key, value in item.items() if key not in ("metadata", "status")}
