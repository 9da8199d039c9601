"""Alerts of Jira Service Management, and of Opsgenie, whose API it took over; that one ends on 2027-04-05.

The incident's id is the `alias` of the alert: the same again is no second one. Writes are asynchronous.
See https://docs.opsgenie.com/docs/alert-api.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from saveit_remediate.notify.http import request_json
from saveit_remediate.notify.kind import Kind, Message, Options

_PRIORITIES = {"sev1": "P1", "sev2": "P2", "sev3": "P3", "sev4": "P4"}
_MESSAGE, _ALIAS = 130, 512  # the longest that the API takes


def send(options: Options, message: Message) -> Mapping[str, Any]:
    if message.what in ("opened", "reopened", "test"):
        return _create(options, message)
    said = {"source": "saveit-remediate", "note": f"{message.title}\n{message.text}"}
    path = {"acknowledged": "acknowledge", "resolved": "close"}.get(message.what, "notes")
    return _ask(options, f"/{quote(message.incident_id[:_ALIAS], safe='')}/{path}?identifierType=alias", said)


def test(options: Options, message: Message) -> Mapping[str, Any]:
    """An alert of the lowest priority that is closed at once."""
    _create(options, message, "P5")
    alias = quote(message.incident_id, safe="")
    return _ask(options, f"/{alias}/close?identifierType=alias", {"source": "saveit-remediate"})


def _create(options: Options, message: Message, priority: str = "") -> Mapping[str, Any]:
    alert: dict[str, Any] = {
        "message": message.title[:_MESSAGE],
        "alias": message.incident_id[:_ALIAS],
        "description": f"{message.text}\n{message.record}",
        "priority": priority or _PRIORITIES.get(message.severity, "P3"),
        "source": "saveit-remediate",
        "tags": ["saveit-remediate", message.severity],
    }
    if options["team"]:
        alert["responders"] = [{"type": "team", "name": options["team"]}]
    return _ask(options, "", alert)


def _ask(options: Options, path: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    headers = {"Authorization": f"GenieKey {options['key']}"}
    answer = request_json("POST", f"{options['url'].rstrip('/')}/alerts{path}", content, headers)
    return {"request": str(answer.get("requestId") or "")} if isinstance(answer, dict) else {}


def warn(options: Options) -> str:
    """The old host is named while it still answers."""
    if "opsgenie.com" not in options["url"]:
        return ""
    return f"{options['url']} ends on 2027-04-05; its successor is {KIND.optional['url']}"


KIND = Kind(
    required=("key",),
    optional={"team": "", "url": "https://api.atlassian.com/jsm/ops/integration/v2"},
    secrets=("key",),
    send=send,
    test=test,
    escalates=True,
    warn=warn,
)
