"""A request, and what of the API it is about."""

from __future__ import annotations

import json
import urllib.parse
from dataclasses import dataclass, field

from standin.access import ANONYMOUS, Attributes, User
from standin.answers import bad_request, no_such_path, no_such_resource, not_played
from standin.kinds import KINDS, NOT_PLAYED, TABLE, Json, Kind

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
ELSEWHERE = {  # subresources of a real server that are not played here
    "pods": ("attach", "binding", "portforward", "proxy", "resize"),
    "services": ("proxy",),
    "nodes": ("proxy",),
    "namespaces": ("finalize",),
}
PARAMETERS = {
    "pretty",
    "dryRun",
    "fieldManager",
    "fieldValidation",
    "force",
    "limit",
    "continue",
    "labelSelector",
    "fieldSelector",
    "resourceVersion",
    "resourceVersionMatch",
    "watch",
    "timeoutSeconds",
    "allowWatchBookmarks",
    "sendInitialEvents",
    "gracePeriodSeconds",
    "propagationPolicy",
    "container",
    "tailLines",
    "sinceSeconds",
    "sinceTime",
    "previous",
    "timestamps",
    "limitBytes",
    "command",
    "stdin",
    "stdout",
    "stderr",
    "tty",
}


@dataclass
class Request:
    """What tests see in `cluster.requests`."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: str = ""
    user: User = ANONYMOUS
    headers: dict[str, str] = field(default_factory=dict)
    repeated: dict[str, list[str]] = field(
        default_factory=dict
    )  # a parameter that may come several times: command
    status: int = 0

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip()

    @property
    def is_write(self) -> bool:
        """Whether it changes what the cluster has: not so for reviews and dry runs."""
        return self.method != "GET" and "reviews" not in self.path and "dryRun" not in self.query

    def json(self) -> Json:
        """The body of a create or an update, as the object that it is.

        Raises:
            RefusalError: 400.
        """
        found = json.loads(self.body)
        if not isinstance(found, dict):
            raise bad_request("the object provided is unrecognized")
        return found

    def switch(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("true", "1")


def parsed(method: str, url: str, body: str, headers: dict[str, str]) -> Request:
    parts = urllib.parse.urlsplit(url)
    repeated = urllib.parse.parse_qs(parts.query, keep_blank_values=True)
    query = {name: values[-1] for name, values in repeated.items()}
    return Request(method, urllib.parse.unquote(parts.path), query, body, headers=headers, repeated=repeated)


@dataclass(frozen=True)
class Target:
    """Resource, object or subresource that a path names."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def kind(self) -> Kind:
        return KINDS[self.group, self.version, self.plural]


def target(path: str) -> Target | None:
    """None: a path outside the resources of the API."""
    steps = path.strip("/").split("/")
    if steps[0] == "api" and len(steps) > 2:
        group, version, rest = "", steps[1], steps[2:]
    elif steps[0] == "apis" and len(steps) > 3:
        group, version, rest = steps[1], steps[2], steps[3:]
    else:
        return None
    namespace = ""
    if (
        rest[0] == "namespaces"
        and len(rest) > 2
        and rest[2] != "status"
        and rest[2] not in ELSEWHERE["namespaces"]
    ):
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = (*rest[:3], "", "")[:3]
    return Target(group, version, plural, namespace, name, "/".join([subresource, *rest[3:]]))


def attributes(request: Request, wanted: Target | None) -> Attributes:
    """What has to be allowed for a request."""
    if wanted is None:
        return Attributes(request.method.lower() if request.method != "GET" else "get", path=request.path)
    name = wanted.name
    if request.method == "GET":
        verb = "get" if name else ("watch" if request.switch("watch") else "list")
    elif request.method == "DELETE":
        verb = "delete" if name else "deletecollection"
    else:
        verb = VERBS.get(request.method, request.method.lower())
    if not name:
        for part in request.query.get("fieldSelector", "").split(","):
            if part.startswith("metadata.name="):
                name = part.partition("=")[2]
    return Attributes(verb, wanted.group, wanted.plural, wanted.subresource, wanted.namespace, name)


def check_route(request: Request, wanted: Target, missing_groups: set[str]) -> None:
    """That the stand-in has what a path names.

    Raises:
        PlainError: 404: no such group.
        RefusalError: 404, 405 as a real server, or 501 for what only the stand-in lacks.
    """
    versions = {row.version for row in TABLE if row.group == wanted.group}
    if wanted.group in missing_groups or (not versions and wanted.group not in NOT_PLAYED):
        raise no_such_path()
    if not versions or wanted.plural in NOT_PLAYED.get(wanted.group, ()):
        raise not_played(f"the resource {wanted.plural} of the group {wanted.group or 'core'}")
    if wanted.group == "autoscaling" and wanted.version == "v1":
        raise not_played("autoscaling/v1")
    kind = KINDS.get((wanted.group, wanted.version, wanted.plural))
    if kind is None or (wanted.namespace and not kind.namespaced):
        raise no_such_resource()
    if wanted.subresource and wanted.subresource not in kind.subresources:
        if wanted.subresource.split("/")[0] in ELSEWHERE.get(kind.resource, ()):
            raise not_played(f"{kind.plural}/{wanted.subresource}")
        raise no_such_resource()
    unknown = sorted(set(request.query) - PARAMETERS)
    if unknown:
        raise not_played(f"the parameter {unknown[0]} of {request.method} {request.path}")
