"""The subresource ephemeralcontainers: a container that is put into a running pod, for debugging.

It is never removed.
"""

from __future__ import annotations

from standin.answers import invalid_object, not_found
from standin.defaults import _container
from standin.patches import decoded
from standin.pod_validation import forbidden, required
from standin.requests import Request, Target
from standin.store import copied
from standin.understanding import PATCHES, check_patch_type, dry_run, object_of, understood, understood_patch
from standin.world import World
from standin.writing import Written


def add(world: World, request: Request, target: Target) -> Written:
    kind = target.kind
    dry = dry_run(request)
    with world.store.changed:
        before = world.store.get(kind.resource, target.namespace, target.name)
        if before is None:
            raise not_found(kind, target.name)
        if request.method == "PUT":
            body, warnings = understood(kind, object_of(request, kind), request)
        else:
            check_patch_type(request, kind)
            content = decoded(request.body)
            after = PATCHES[request.content_type](before, content)
            body, warnings = understood_patch(kind, after, content, request)
        old, new = before["spec"].get("ephemeralContainers", []), body["spec"].get("ephemeralContainers", [])
        if new[: len(old)] != old:
            path = "spec.ephemeralContainers"
            raise invalid_object(
                kind, target.name, [forbidden(path, "existing ephemeral containers may not be changed")]
            )
        result = copied(before)
        for container in new[len(old) :]:
            for name in ("name", "image"):
                if not container.get(name):
                    raise invalid_object(
                        kind, target.name, [required(f"spec.ephemeralContainers[{len(old)}].{name}")]
                    )
            _container(container)
        result["spec"]["ephemeralContainers"] = new
        if new != old:
            result["metadata"]["generation"] += 1
        return Written(result if dry else world.store.put(kind.resource, result), 200, warnings)
