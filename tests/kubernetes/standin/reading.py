"""GET: one object, a list in pages, and the forms in which a client may ask for them."""

from __future__ import annotations

import base64
import binascii
import json
import time
from typing import Any

from standin import metrics
from standin.answers import RefusalError, bad_request, not_found, not_played
from standin.kinds import Json, Kind
from standin.patches import go_complaint
from standin.requests import Request, Target
from standin.selectors import field_selector, label_selector
from standin.world import World

PARTIAL = "application/json;as=PartialObjectMetadata"
ACCEPTED = ("application/json", "application/*", "*/*")


def check_accept(request: Request) -> bool:
    """Whether only metadata is asked for.

    Raises:
        RefusalError: 406: none of the forms that a server has; 501: one that only this server has not.
    """
    accept = request.headers.get("accept", "*/*") or "*/*"
    for form in (part.strip().replace(" ", "") for part in accept.split(",")):
        if form.startswith(PARTIAL):
            return True
        if form.partition(";")[0] in ACCEPTED and ";as=" not in form:
            return False
        if form.startswith(("application/yaml", "application/vnd.kubernetes.protobuf")) or ";as=" in form:
            raise not_played(f"the form {form}")
    raise RefusalError(
        406,
        "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
        "application/vnd.kubernetes.protobuf",
        details={},
    )


def read(world: World, request: Request, target: Target) -> Json:
    partial = check_accept(request)
    kind = target.kind
    if not target.name:
        return _list(world, request, target, partial=partial)
    if kind.group == "metrics.k8s.io":
        found = metrics.one(world, target)
    else:
        found = world.store.get(_stored(kind), target.namespace, target.name)
    if found is None:
        raise not_found(kind, target.name)
    found = _converted(kind, found)
    return _partial(found) if partial else found


def objects(world: World, kind: Kind, namespace: str) -> list[Json]:
    if kind.group == "metrics.k8s.io":
        return metrics.every(world, kind, namespace)
    return world.store.peek(_stored(kind), namespace)


def _list(world: World, request: Request, target: Target, *, partial: bool) -> Json:
    kind, query = target.kind, request.query
    labelled = label_selector(query.get("labelSelector", ""))
    fields = field_selector(query.get("fieldSelector", ""), kind)
    limit = _number(query.get("limit", "0"))
    _check_revision(world, query)
    with world.store.changed:
        revision, start = world.store.revision, ""
        if query.get("continue"):
            revision, start = _continued(world, query["continue"])
            found = world.store.at(revision, _stored(kind), target.namespace)
        else:
            found = objects(world, kind, target.namespace)
    rest = [
        item
        for item in found
        if _key(item, target.namespace) >= start
        and labelled(item["metadata"].get("labels") or {})
        and fields(item)
    ]
    metadata: Json = {} if kind.group == "metrics.k8s.io" else {"resourceVersion": str(revision)}
    if kind.custom:
        metadata["continue"] = ""
    if limit and len(rest) > limit:
        metadata["continue"] = _token(revision, _key(rest[limit - 1], target.namespace) + "\0")
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            metadata["remainingItemCount"] = len(rest) - limit
        rest = rest[:limit]
    answer = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata}
    if partial:
        answer |= {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
        return {**answer, "items": [_partial(item) for item in rest]}
    return {**answer, "items": [_item(kind, item) for item in rest]}


def _item(kind: Kind, item: Json) -> Json:
    """Items of a list of a built-in kind come without kind and apiVersion."""
    item = _converted(kind, item)
    if kind.custom or kind.group == "metrics.k8s.io":
        return item
    return {key: value for key, value in item.items() if key not in ("kind", "apiVersion")}


def _partial(item: Json) -> Json:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}


def _key(item: Json, namespace: str) -> str:
    """As in a continue token: below the namespace that is listed."""
    metadata = item["metadata"]
    return f"/{metadata['name']}" if namespace else f"/{metadata.get('namespace', '')}/{metadata['name']}"


def _stored(kind: Kind) -> str:
    return "events" if kind.kind == "Event" else kind.resource


def _converted(kind: Kind, item: Json) -> Json:
    """An event as events.k8s.io/v1 has it."""
    if kind.group != "events.k8s.io":
        return item
    new: Json = {
        "kind": "Event",
        "apiVersion": "events.k8s.io/v1",
        "metadata": item["metadata"],
        "eventTime": item.get("eventTime"),
        "reportingController": item.get("reportingComponent", ""),
        "regarding": item["involvedObject"],
        "reportingInstance": item.get("reportingInstance", ""),
        "reason": item.get("reason", ""),
        "note": item.get("message", ""),
        "type": item.get("type", ""),
        "deprecatedSource": item.get("source", {}),
        "deprecatedFirstTimestamp": item.get("firstTimestamp"),
        "deprecatedLastTimestamp": item.get("lastTimestamp"),
    }
    for old, name in (
        ("action", "action"),
        ("count", "deprecatedCount"),
        ("related", "related"),
        ("series", "series"),
    ):
        if item.get(old):
            new[name] = item[old]
    return new


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def revision_of(text: str) -> int:
    """Raises RefusalError: 500, as a real server does for a revision that is no number."""
    if text and not text.isdigit():
        raise RefusalError(
            500,
            f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax',
            reason="",
        )
    return int(text or 0)


def _check_revision(world: World, query: dict[str, str]) -> None:
    revision = revision_of(query.get("resourceVersion", ""))
    match = query.get("resourceVersionMatch", "")
    if match == "Exact" and revision < world.store.compacted:
        raise RefusalError(410, "The resourceVersion for the provided list is too old.")
    if match == "Exact" and revision != world.store.revision:
        raise not_played("a list at an exact revision that is not the present one")
    if revision > world.store.revision:
        time.sleep(world.clock.real(3))
        current = world.store.revision
        raise RefusalError(
            504,
            f"Timeout: Too large resource version: {revision}, current: {current}",
            details={
                "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
                "retryAfterSeconds": 1,
            },
            headers={"Retry-After": "1"},
        )


def _token(revision: int, start: str) -> str:
    said = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _continued(world: World, token: str) -> tuple[int, str]:
    """Revision and first key of the next page.

    Raises:
        RefusalError: 400 for a token that is none, 410 for one whose revision is compacted.
    """
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode(
            "latin-1"
        )
        said: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise bad_request(
            f"invalid continue token: continue key is not valid: {go_complaint(text, error)}"
        ) from None
    except binascii.Error:
        raise bad_request(
            "invalid continue token: continue key is not valid: illegal base64 data at input byte 0"
        ) from None
    revision, start = said["rv"], "/" + said["start"].lstrip("/")
    if revision == -1:
        return world.store.revision, start
    if revision < world.store.compacted:
        raise RefusalError(
            410,
            "The provided continue parameter is too old to display a consistent list result. You "
            "can start a new list "
            "without the continue parameter, or use the continue token in this response to "
            "retrieve the remainder of the "
            "results. Continuing with the provided token results in an inconsistent list - objects "
            "that were created, "
            "modified, or deleted between the time the first chunk was returned and now may show "
            "up in the list.",
            metadata={"continue": _token(-1, start)},
        )
    return revision, start
