"""From a request to its answer: who asks, may they, does it exist, and then the verb.

The order is the server's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from standin import (
    deleting,
    discovery,
    ephemeral,
    evicting,
    executing,
    logs,
    managed,
    reading,
    reviewing,
    scaling,
    watching,
    writing,
)
from standin.answers import PlainError, RefusalError, not_played
from standin.kinds import Json, Kind
from standin.requests import Request, Target, attributes, check_route, target
from standin.world import World
from standin.writing import Written


@dataclass
class Reply:
    """`stream`: lines of a watch. `protocol`: of an exec, for which the connection is taken over."""

    status: int
    body: Json | str = ""
    headers: dict[str, str] = field(default_factory=dict)
    stream: Callable[[], Iterator[Json]] | None = None
    protocol: str = ""
    target: Target | None = None


SUBRESOURCE_METHODS = {
    "log": ("GET",),
    "exec": ("GET", "POST"),
    "eviction": ("POST",),
    "token": ("POST",),
    "status": ("GET", "PUT", "PATCH"),
    "scale": ("GET", "PUT", "PATCH"),
    "ephemeralcontainers": ("GET", "PUT", "PATCH"),
}


def answer(
    world: World, request: Request, authorization: str, certificate: Mapping[str, object] | None
) -> Reply:
    try:
        request.user = world.access.who(authorization, certificate)
        wanted = target(request.path)
        world.access.check(request.user, attributes(request, wanted))
        if wanted is None:
            found = discovery.answer(world, request.path)
            return Reply(
                200, found, {"Content-Type": "text/plain; charset=utf-8"} if isinstance(found, str) else {}
            )
        check_route(request, wanted, world.missing_groups)
        return _verb(world, request, wanted)
    except RefusalError as error:
        return Reply(error.status, error.body, error.headers)
    except PlainError as error:
        return Reply(error.status, error.text, {"Content-Type": "text/plain; charset=utf-8"})


def _verb(world: World, request: Request, wanted: Target) -> Reply:
    kind = wanted.kind
    _check_method(request, wanted, kind)
    if request.method == "GET":
        return _get(world, request, wanted)
    if kind.group == "events.k8s.io":
        raise not_played("writing of events.k8s.io")
    if wanted.subresource == "exec":
        return Reply(101, protocol=executing.prepare(world, request, wanted), target=wanted)
    return _written(_writer(wanted, kind, request.method)(world, request, wanted))


Writer = Callable[[World, Request, Target], Written]


def _writer(wanted: Target, kind: Kind, method: str) -> Writer:
    special: dict[str, Writer] = {
        "scale": scaling.scale, "eviction": evicting.evict, "token": reviewing.token,
        "ephemeralcontainers": ephemeral.add,
    }  # fmt: skip
    if wanted.subresource in special:
        return special[wanted.subresource]
    if kind.plural.endswith("reviews"):
        return reviewing.review
    if method == "DELETE":
        return deleting.delete if wanted.name else deleting.delete_collection
    return {"POST": writing.create, "PUT": writing.replace, "PATCH": writing.patch}[method]


def _get(world: World, request: Request, wanted: Target) -> Reply:
    if wanted.subresource == "log":
        return Reply(200, logs.log(world, request, wanted), {"Content-Type": "text/plain"})
    if wanted.subresource == "exec":
        return Reply(101, protocol=executing.prepare(world, request, wanted), target=wanted)
    if wanted.subresource == "scale":
        return _written(scaling.scale(world, request, wanted))
    if request.switch("watch") and not wanted.name:
        return Reply(200, stream=watching.prepare(world, request, wanted))
    return Reply(200, managed.shown(reading.read(world, request, wanted)))


def _check_method(request: Request, wanted: Target, kind: Kind) -> None:
    if wanted.subresource:
        allowed = SUBRESOURCE_METHODS[wanted.subresource]
    elif wanted.name:
        allowed = ("GET", "PUT", "PATCH", "DELETE")
    else:
        allowed = ("GET", "DELETE") if kind.namespaced and not wanted.namespace else ("GET", "POST", "DELETE")
    needed = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get"}
    verbs = (*kind.verbs, "get") if wanted.subresource else kind.verbs
    if request.method not in allowed or (needed[request.method] not in verbs and not wanted.subresource):
        raise RefusalError(405, "the server does not allow this method on the requested resource", details={})


def _written(done: Written) -> Reply:
    headers = {}
    if done.warnings:
        said = [text.replace('"', '\\"') for text in done.warnings]
        headers["Warning"] = ", ".join(f'299 - "{text}"' for text in said)
    return Reply(done.status, managed.shown(done.body), headers)
