# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Kubernetes API refuses, in sentences: pure functions of its answers."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import iso
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_kinds import ADD_ONS, Kind, rule
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError

# The words of the API server's authorizer; the namespace is absent for what belongs to the whole cluster.
_DENIED = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]*)" in API group '
    r'"(?P<group>[^"]*)"(?: in the namespace "(?P<namespace>[^"]*)")?'
)
_LONGEST = 300  # characters of what a server says that is no Kubernetes


@dataclass(frozen=True)
class Access:
    """How a cluster is reached, in the words of sentences; each `…_from` says where the value was found."""

    name: str  # as in "cannot reach the cluster staging (namespace saveit)"
    server: str = ""
    server_from: str = ""
    user: str = ""
    user_from: str = ""
    namespace: str = ""
    proxy: str = ""  # without its password
    token: str = ""  # only its expiry is ever told

    @property
    def place(self) -> str:
        """The server, with its origin in parentheses."""
        return f"{self.server} ({self.server_from})" if self.server_from else self.server


@dataclass(frozen=True)
class Answer:
    """What came back, whole."""

    status: int
    content_type: str
    body: bytes
    retry_after: str = ""
    location: str = ""
    date: str = ""  # the server's clock, as HTTP says it

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def is_json(self) -> bool:
        """By its content type."""
        return self.content_type.partition(";")[0].strip() in (
            "application/json",
            "application/merge-patch+json",
        )

    @property
    def is_text(self) -> bool:
        """Logs, and the page for a path that nobody serves."""
        return self.content_type.partition(";")[0].strip() in ("text/plain", "")


class ApiError(FailedError):
    """The API answered, and refused; `status` is HTTP's, the rest is of the Status object in the answer."""

    def __init__(
        self, sentence: str, status: int, body: Mapping[str, Any], retry_after: float | None = None
    ) -> None:
        super().__init__(sentence)
        details = body.get("details") or {}
        self.status = status
        self.body = body
        self.reason = str(body.get("reason") or "")
        self.message = str(body.get("message") or "")
        self.causes: Sequence[Mapping[str, Any]] = details.get("causes") or []
        self.retry_after = retry_after


class ApiObstacleError(ObstacleError):
    """The API answered so that nothing can be seen or may be done: `status` 401, 403, 429 or 5xx."""

    def __init__(self, id: str, sentence: str, outcome: str, status: int) -> None:  # noqa: A002
        super().__init__(id, sentence, outcome)
        self.status = status


def refusal(answer: Answer, attempt: str, access: Access, reads: bool) -> FailedError:
    """The error for an answer that is no success. `attempt` is as in "list deployments"."""
    body = status_of(answer)
    said = body.get("message") or _page(answer)
    denied = _DENIED.search(said)
    if answer.status == 401:
        return ApiObstacleError("cluster-credentials", _unauthorized(access), "unreachable", 401)
    if answer.status == 403 and denied:
        return ApiObstacleError("cluster-forbidden", _forbidden(denied, access), "refused", 403)
    word = str(body.get("reason") or "")
    named = f"{answer.status} {word}".strip()
    if answer.status == 404 and not body:
        absent = {"reason": "NotFound", "message": said}
        return ApiError(f"cannot {attempt}: {access.name} has no such API", 404, absent)
    sentence = f"cannot {attempt}: {access.name} answers {named}: {said}{_advice(answer, body)}"
    if reads and (answer.status == 429 or answer.status >= 500):
        return ApiObstacleError("cluster-unreachable", sentence, "unreachable", answer.status)
    return ApiError(sentence, answer.status, body, seconds_of(answer.retry_after, body))


def status_of(answer: Answer) -> Mapping[str, Any]:
    """The Status object of an answer; empty when it is none."""
    if not answer.is_json:
        return {}
    try:
        body = json.loads(answer.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def seconds_of(retry_after: str, body: Mapping[str, Any]) -> float | None:
    """How long the server wants us to wait; None when it does not say."""
    said = retry_after or (body.get("details") or {}).get("retryAfterSeconds")
    try:
        return max(0.0, float(str(said)))
    except (TypeError, ValueError):  # HTTP allows a date too, which Kubernetes does not send
        return None


def not_an_api(answer: Answer, access: Access) -> ObstacleError:
    """An answer that no API server gives: the page of a proxy, of a login, of something else on this port."""
    if answer.location:
        what = f"sends us on to {answer.location} ({answer.status})"
    elif answer.is_json:
        what = f"answers {answer.status} with half of its JSON, or with what is none"
    else:
        kind = answer.content_type.partition(";")[0]
        what = f"answers {answer.status} with {kind} instead of JSON: {_page(answer)}"
    return ObstacleError(
        "cluster-unreachable",
        f"{access.place} {what}; is that the API server of {access.name}, and nothing in between?",
        "unreachable",
    )


def no_such_kind(kind: Kind, access: Access) -> str:
    """The sentence for a kind that the cluster does not know."""
    add_on = ADD_ONS.get(kind.group)
    hint = f": {add_on} is not installed there" if add_on else ""
    return f"{access.name} has no {kind.name} ({kind.api}){hint}"


def token_expiry(token: str) -> float | None:
    """When a bearer token ends, in seconds since the epoch, if it is a JWT that says so (RFC 7519, `exp`)."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(claims["exp"])
    except (ValueError, KeyError, TypeError):
        return None


def _unauthorized(access: Access) -> str:
    ends = token_expiry(access.token)
    told = f", whose token ends at {iso(ends, 'seconds')}" if ends else ""
    who = (
        f"those of {access.user}{told} ({access.user_from})" if access.user else f"none ({access.user_from})"
    )
    return (
        f"{access.name} does not take our credentials, {who}: 401 Unauthorized; "
        "have they expired, or been revoked? log in to the cluster again"
    )


def _forbidden(denied: re.Match[str], access: Access) -> str:
    group, resource, verb = denied["group"], denied["resource"], denied["verb"]
    what = f"{resource}.{group}" if group else resource
    scope = f"in the namespace {denied['namespace']}" if denied["namespace"] else "of the whole cluster"
    role = "Role" if denied["namespace"] else "ClusterRole"
    # A websocket is opened with GET, and from Kubernetes 1.35 on `create` is asked for beside it.
    verbs = "create, get" if resource == "pods/exec" else verb
    if denied["user"] == "system:anonymous":
        return (
            f"may not {verb} {what} {scope} of {access.name}: nobody is logged in (system:anonymous); "
            f"{access.user or 'the context'} ({access.user_from}) has no credentials"
        )
    return (
        f"{denied['user']} may not {verb} {what} {scope} of {access.name}; "
        f"add this rule to a {role} that it is bound to: {rule(group, resource, verbs)}"
    )


def _advice(answer: Answer, body: Mapping[str, Any]) -> str:
    if answer.status == 409 and body.get("reason") == "Conflict":
        return "; somebody else changed it at the same time; look again, and decide again"
    if answer.status == 429 and not (body.get("details") or {}).get("causes"):
        return "; it has too much to do; try again in a minute"
    if answer.status >= 500 and not body:
        return "; is the API server starting, or overloaded?"
    return ""


def _page(answer: Answer) -> str:
    """What a server says in plain words or in HTML, in one line."""
    text = " ".join(re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", answer.text, flags=re.DOTALL).split())
    return text[:_LONGEST] or "nothing"
