"""GET with watch=true: what changes, line by line, until timeoutSeconds are over or the server stops."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from standin.answers import RefusalError, not_played
from standin.kinds import Json, Kind
from standin.managed import shown
from standin.reading import check_accept, revision_of
from standin.requests import Request, Target
from standin.selectors import field_selector, label_selector
from standin.store import Change
from standin.world import World

LONGEST = 300.0  # seconds, where the request does not say; a real server takes half an hour and more
STEP = 0.25
LAST_BOOKMARK = 2.0  # seconds before the end of a watch that is long enough


def prepare(world: World, request: Request, target: Target) -> Callable[[], Iterator[Json]]:
    """Checks the request; what it gives runs after the head of the answer has been sent."""
    kind, query = target.kind, request.query
    if check_accept(request):
        raise not_played("a watch of metadata only")
    if kind.group in ("metrics.k8s.io", "events.k8s.io"):
        raise not_played(f"a watch of {kind.resource}")
    labelled = label_selector(query.get("labelSelector", ""))
    fields = field_selector(query.get("fieldSelector", ""), kind)
    revision = revision_of(query.get("resourceVersion", ""))
    seconds = float(query.get("timeoutSeconds") or LONGEST)

    def selected(item: Json | None) -> bool:
        return item is not None and labelled(item["metadata"].get("labels") or {}) and fields(item)

    if query.get("resourceVersion") and revision and revision < world.store.compacted:
        return lambda: iter([_too_old(revision, world.store.compacted)])
    return lambda: _stream(world, request, target, selected, revision, seconds)


def _too_old(revision: int, oldest: int) -> Json:
    return {
        "type": "ERROR",
        "object": RefusalError(410, f"too old resource version: {revision} ({oldest})").body,
    }


def _stream(
    world: World,
    request: Request,
    target: Target,
    selected: Callable[[Json | None], bool],
    revision: int,
    seconds: float,
) -> Iterator[Json]:
    store, end = world.store, time.monotonic() + seconds
    bookmarks = request.switch("allowWatchBookmarks")
    if revision == 0 or request.switch("sendInitialEvents"):
        with store.changed:
            present = [item for item in store.peek(target.kind.resource, target.namespace) if selected(item)]
            revision = store.revision
        for item in present:
            yield {"type": "ADDED", "object": shown(item)}
        if request.switch("sendInitialEvents") and bookmarks:
            yield _bookmark(target.kind, revision, {"k8s.io/initial-events-end": "true"})
    marked = False
    while time.monotonic() < end and not world.stopped:
        with store.changed:
            if store.revision <= revision:
                store.changed.wait(min(STEP, max(0.0, end - time.monotonic())))
            if revision < store.compacted and store.revision > revision:
                yield _too_old(revision, store.compacted)
                return
            changes = store.since(revision)
            revision = max(revision, store.revision)
        for change in changes:
            line = _line(change, target, selected)
            if line is not None:
                yield line
        if (
            bookmarks
            and not marked
            and seconds > LAST_BOOKMARK * 2
            and end - time.monotonic() < LAST_BOOKMARK
        ):
            marked = True
            yield _bookmark(target.kind, revision, {})


def _line(change: Change, target: Target, selected: Callable[[Json | None], bool]) -> Json | None:
    """With a selector an object that comes into it is added, and one that leaves it is deleted."""
    if change.key[0] != target.kind.resource or (target.namespace and change.key[1] != target.namespace):
        return None
    now = change.type != "DELETED" and selected(change.object)
    before = selected(change.before)
    if not now and not before:
        return None
    type_ = "MODIFIED" if now and before else ("ADDED" if now else "DELETED")
    return {"type": type_, "object": shown(change.object)}


def _bookmark(kind: Kind, revision: int, annotations: dict[str, str]) -> Json:
    metadata: Json = {"resourceVersion": str(revision)}
    if annotations:
        metadata["annotations"] = annotations
    item: Json = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
    if not kind.custom:
        item |= {"spec": {}, "status": {}}
    return {"type": "BOOKMARK", "object": item}
