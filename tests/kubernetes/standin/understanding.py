"""What a client means: its body as an object of the kind of the path, or the words of the refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from standin.answers import RefusalError, bad_request, invalid, invalid_options, not_played
from standin.kinds import Json, Kind
from standin.patches import APPLY, JSON_PATCH, MERGE, STRATEGIC, go_complaint, json_patch, merge, strategic
from standin.pod_validation import invalid_value
from standin.requests import Request
from standin.schema import Decoded, MismatchError, decode

OPTIONS = {
    "POST": "CreateOptions",
    "PUT": "UpdateOptions",
    "PATCH": "PatchOptions",
    "DELETE": "DeleteOptions",
}


def dry_run(request: Request) -> bool:
    """Whether nothing is to be stored.

    Raises:
        RefusalError: 422 for a value that is not All.
    """
    value = request.query.get("dryRun")
    if value is None or value == "All":
        return value == "All"
    said = f'Unsupported value: ["{value}"]: supported values: "All"'
    raise invalid_options(OPTIONS[request.method], ("FieldValueNotSupported", said, "dryRun"))


PATCHES: dict[str, Callable[[Json, Any], Json]] = {MERGE: merge, JSON_PATCH: json_patch, STRATEGIC: strategic}


def check_patch_type(request: Request, kind: Kind) -> None:
    type_ = request.content_type
    if kind.custom and type_ not in (MERGE, JSON_PATCH, APPLY):
        raise RefusalError(
            415,
            "the body of the request was in an unknown format - accepted media types include: "
            f"{JSON_PATCH}, {MERGE}, {APPLY}",
        )
    if type_ == APPLY:
        if not request.query.get("fieldManager"):
            said = "Required value: is required for apply patch"
            raise invalid_options("PatchOptions", ("FieldValueRequired", said, "fieldManager"))
        raise not_played("server-side apply")
    if type_ not in PATCHES:
        raise RefusalError(415, "415: Unsupported Media Type", details={})


def object_of(request: Request, kind: Kind) -> Json:
    """The body of a create or an update: JSON, and of the kind of the path."""
    if request.content_type not in ("application/json", ""):
        raise not_played(f"a body in {request.content_type}")
    if not request.body:
        raise bad_request(
            f"the object provided is unrecognized (must be of type {kind.kind}): couldn't get "
            "version/kind; json parse "
            "error: unexpected end of JSON input (<empty>)"
        )
    try:
        body = json.loads(request.body)
    except json.JSONDecodeError as error:
        raise bad_request(
            f"the object provided is unrecognized (must be of type {kind.kind}): couldn't get "
            "version/kind; json parse "
            f"error: {go_complaint(request.body, error)}"
        ) from None
    found, version = body.get("kind", kind.kind), body.get("apiVersion", kind.api_version)
    if (found, version) != (kind.kind, kind.api_version):
        group = kind.group.partition(".")[0] or "core"
        raise bad_request(
            f'{found} in version "{version.rpartition("/")[2]}" cannot be handled as a '
            f"{kind.kind}: converting "
            f"({version.replace('/', '.')}.{found}) to ({group}.{kind.kind}): unknown conversion"
        )
    return {"kind": kind.kind, "apiVersion": kind.api_version, **body}


def understood(kind: Kind, body: Json, request: Request) -> tuple[Json, list[str]]:
    prefix = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
    try:
        result = decode(kind, body)
    except MismatchError as error:
        raise bad_request(f"{prefix}: {error}") from None
    if result.unknown and request.query.get("fieldValidation") == "Strict":
        raise bad_request(f"{prefix}: strict decoding error: {_unknown(result)}")
    return result.body, _warnings(result, request)


def understood_patch(kind: Kind, after: Json, content: Any, request: Request) -> tuple[Json, list[str]]:
    """As `understood`; a patch is refused with 422 and itself or its result in the words."""
    is_strategic = request.content_type == STRATEGIC
    shown = _go_map(content) if is_strategic else json.dumps(after, separators=(",", ":"))
    try:
        result = decode(kind, after)
    except MismatchError as error:
        said = f"unrecognized type: {error.go_type}" if is_strategic else str(error)
        raise refused_patch(shown, said) from None
    if result.unknown and request.query.get("fieldValidation") == "Strict":
        raise refused_patch(shown, f"strict decoding error: {_unknown(result)}")
    return result.body, _warnings(result, request)


def refused_patch(shown: str, said: str) -> RefusalError:
    return invalid("", "", "", "", [invalid_value("patch", shown, said)])


def _unknown(result: Decoded) -> str:
    return ", ".join(f'unknown field "{path}"' for path in result.unknown)


def _warnings(result: Decoded, request: Request) -> list[str]:
    if request.query.get("fieldValidation", "Warn") == "Ignore":
        return []
    return [f'unknown field "{path}"' for path in result.unknown]


def _go_map(value: Any) -> str:
    """As Go prints a map."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_go_map(item)}' for key, item in sorted(value.items()))}]"
    if isinstance(value, list):
        return f"[{' '.join(_go_map(item) for item in value)}]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)
