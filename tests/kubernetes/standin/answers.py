"""What a server says when it refuses: the body `Status`, with the words of a real one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from standin.kinds import Json, Kind

REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed",
    406: "NotAcceptable", 409: "Conflict", 410: "Expired", 415: "UnsupportedMediaType", 422: "Invalid",
    429: "TooManyRequests", 504: "Timeout",
}  # fmt: skip

Cause = tuple[str, str, str]  # reason, message, field


class RefusalError(Exception):
    """A request is answered with a Status. `details` None: the key is absent, as it is for some answers."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        reason: str | None = None,
        details: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: Json = {
            "kind": "Status", "apiVersion": "v1", "metadata": dict(metadata or {}), "status": "Failure",
            "message": message,
        }  # fmt: skip
        reason = REASONS.get(status, "") if reason is None else reason
        if reason:
            self.body["reason"] = reason
        if details is not None:
            self.body["details"] = dict(details)
        self.body["code"] = status


class PlainError(Exception):
    """Answered in text/plain, outside the API."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def names(kind: Kind, name: str = "", *, singular: bool = False) -> Json:
    """`details` of an answer: without an empty name, without the group of the core."""
    details = {"name": name, "group": kind.group, "kind": kind.kind if singular else kind.plural}
    return {key: value for key, value in details.items() if value}


def not_found(kind: Kind, name: str) -> RefusalError:
    return RefusalError(404, f'{kind.resource} "{name}" not found', details=names(kind, name))


def no_such_path() -> PlainError:
    return PlainError(404, "404 page not found\n")


def no_such_resource() -> RefusalError:
    return RefusalError(404, "the server could not find the requested resource", details={})


def bad_request(message: str) -> RefusalError:
    return RefusalError(400, message)


def conflict(kind: Kind, name: str) -> RefusalError:
    modified = "the object has been modified; please apply your changes to the latest version and try again"
    return RefusalError(
        409,
        f'Operation cannot be fulfilled on {kind.resource} "{name}": {modified}',
        details=names(kind, name),
    )


def invalid(subject: str, name: str, group: str, kind: str, causes: Sequence[Cause]) -> RefusalError:
    """422 with one cause or several, as a validation gives them."""
    said = [f"{field}: {message}" for _reason, message, field in causes]
    whole = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    details = {
        "name": name,
        "group": group,
        "kind": kind,
        "causes": [
            {"reason": reason, "message": message, "field": field} for reason, message, field in causes
        ],
    }
    details = {key: value for key, value in details.items() if value}
    return RefusalError(422, f'{subject} "{name}" is invalid: {whole}', details=details)


def invalid_object(kind: Kind, name: str, causes: Sequence[Cause]) -> RefusalError:
    return invalid(kind.full_kind, name, kind.group, kind.kind, causes)


def invalid_options(kind: str, cause: Cause) -> RefusalError:
    return invalid(f"{kind}.meta.k8s.io", "", "meta.k8s.io", kind, [cause])


def rejected_patch() -> RefusalError:
    """All that a real server says of a JSON patch which cannot be applied, or whose test fails."""
    return RefusalError(422, "the server rejected our request due to an error in our request", details={})


def not_played(what: str) -> RefusalError:
    """The stand-in does not know this: never an answer that a real server might not give."""
    return RefusalError(501, f"the stand-in does not play {what}", reason="NotImplemented")
