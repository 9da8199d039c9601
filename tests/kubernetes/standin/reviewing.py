"""Access reviews: what may I, and who am I. Nothing is stored."""

from __future__ import annotations

import json
import uuid

from standin.access import Attributes
from standin.answers import bad_request, invalid, not_found
from standin.clock import stamp
from standin.kinds import Json
from standin.pod_validation import invalid_value
from standin.requests import Request, Target
from standin.understanding import object_of, understood
from standin.world import World
from standin.writing import Written


def review(world: World, request: Request, target: Target) -> Written:
    kind = target.kind
    body, warnings = understood(kind, object_of(request, kind), request)
    answer = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": {}}
    answer |= {
        "selfsubjectaccessreviews": _access,
        "selfsubjectrulesreviews": _rules,
        "selfsubjectreviews": _self,
    }[kind.plural](world, request, body)
    return Written(answer, 201, warnings)


def _access(world: World, request: Request, body: Json) -> Json:
    spec = body.get("spec", {})
    wanted, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (wanted is None) == (path is None):
        value = None if wanted is None else wanted
        said = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise invalid(
            ".authorization.k8s.io",
            "",
            "authorization.k8s.io",
            "",
            [invalid_value("spec.resourceAttributes", value, said)],
        )
    if path is not None:
        asked = Attributes(path.get("verb", ""), path=path.get("path", ""))
    else:
        names = ("verb", "group", "resource", "subresource", "namespace", "name")
        asked = Attributes(**{name: wanted.get(name, "") for name in names})
    allowed, reason = world.access.allowed(request.user, asked)
    return {"spec": spec, "status": {"allowed": allowed, **({"reason": reason} if reason else {})}}


def _rules(world: World, request: Request, body: Json) -> Json:
    namespace = body.get("spec", {}).get("namespace")
    if not namespace:
        raise bad_request("no namespace on request")
    resources, others = world.access.rules(request.user, namespace)
    return {
        "spec": {},
        "status": {"resourceRules": resources, "nonResourceRules": others, "incomplete": False},
    }


def _self(_world: World, request: Request, _body: Json) -> Json:
    user = request.user
    info: Json = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    if user.extra:
        info["extra"] = dict(user.extra)
    return {"metadata": {"creationTimestamp": stamp()}, "status": {"userInfo": info}}


def token(world: World, request: Request, target: Target) -> Written:
    """serviceaccounts/NAME/token: how a test gets the credentials of a user with few rights."""
    if world.store.get("serviceaccounts", target.namespace, target.name) is None:
        raise not_found(target.kind, target.name)
    body = json.loads(request.body or "{}")
    spec = {
        "audiences": ["https://kubernetes.default.svc"],
        "expirationSeconds": 3600,
        "boundObjectRef": None,
    } | body.get("spec", {})
    issued = world.access.issue(target.namespace, target.name)
    return Written(
        {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {
                "name": target.name,
                "namespace": target.namespace,
                "creationTimestamp": stamp(),
                "uid": str(uuid.uuid4()),
            },
            "spec": spec,
            "status": {"token": issued, "expirationTimestamp": stamp()},
        },
        201,
    )
