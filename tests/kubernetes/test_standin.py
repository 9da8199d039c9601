"""The stand-in answers the conversations recorded from a real server, word for word where possible."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parent))

from recorded import VIEWER, Conversation, accept_of, conversations, prepare
from standin import serving
from standin.requests import parsed
from standin.world import new_world

ADMIN = {"subject": ((("organizationName", "system:masters"),), (("commonName", "admin"),))}

# Rejected with 501, with the reason why it is left out.
NOT_PLAYED = {
    "restart-apply-conflict": "server-side apply needs the owner of each field, and nothing of ours applies",
    "restart-apply-force": "as restart-apply-conflict",
}
# Here keys and types are compared, and not the words.
SHAPE_ONLY = {
    "api-groups": "a real server has groups that the stand-in rejects by name",
    "list-metrics-pods": "what pods use is another number each time",
    "list-metrics-pods-selector": "as list-metrics-pods",
    "unknown-field-strict-merge": "shows managedFields, which the stand-in does not keep",
    "scale-patch-string": "as unknown-field-strict-merge",
    "invalid-annotation-value-type": "as unknown-field-strict-merge",
}
NOT_FROM_A_SERVER = {
    "get-metrics-pod-missing": "the recording's metrics-server was a stand-in: only status and reason count"
}
VOLATILE = {
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "lastTransitionTime",
    "lastUpdateTime",
    "continue",
    "gitCommit",
    "serverAddress",
    "storageVersionHash",
    "authentication.kubernetes.io/credential-id",
    "timestamp",
    "remainingItemCount",
}
VARYING = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|uid-of-[-a-z0-9]+"), "<uid>"),
    (re.compile(r"(\.\d{6})\d{3}Z"), r"\1<nanoseconds>Z"),
    (re.compile(r"(resource version: |current: |record \()\d+"), r"\1<revision>"),
)


@pytest.mark.parametrize("conversation", conversations(), ids=lambda each: each.name)
def test_a_recorded_conversation_is_answered_as_recorded(conversation: Conversation) -> None:
    said = conversation.said
    world = new_world(factor=1000)
    prepare(world, conversation)
    token = world.access.issue("rec", "saveit-viewer")
    authorization = {VIEWER: f"Bearer {token}", "none": ""}.get(said["authorization"], "Bearer no-such-token")
    certificate = ADMIN if said["authorization"].startswith("admin") else None
    reply = serving.answer(world, _request(said), "" if certificate else authorization, certificate)
    if conversation.name in NOT_PLAYED:
        assert reply.status == 501
        assert "does not play" in str(reply.body)
        return
    assert (reply.status, reply.body) == (said["status"], reply.body), reply.body
    for header, value in said["headers"].items():
        if header != "cache-control":
            sent = {"Content-Type": "application/json", **reply.headers}
            assert {name.lower(): each for name, each in sent.items()}[header] == value
    body, managed = unmanaged(json.loads(json.dumps(reply.body)))
    assert managed == said.get("managed_fields_stripped", False)
    if conversation.name in NOT_FROM_A_SERVER:
        assert body["reason"] == said["response"]["reason"]
    elif said.get("trimmed"):
        _compare_trimmed(body, said["response"])
    elif conversation.name in SHAPE_ONLY:
        assert shape(body) == shape(said["response"])
    else:
        assert settled(body) == settled(said["response"])


def _request(said: dict[str, Any]) -> Any:
    from urllib.parse import urlencode

    body = said["body"]
    text = body if isinstance(body, str) else ("" if body is None else json.dumps(body))
    headers = {"accept": accept_of(said["name"]), "content-type": said["content_type"] or ""}
    return parsed(said["method"], f"{said['path']}?{urlencode(said['query'])}", text, headers)


def unmanaged(body: Any) -> tuple[Any, bool]:
    """Without managedFields, which were taken out of the recordings too, and whether there were some."""
    objects = [body, *body.get("items", [])] if isinstance(body, dict) else []
    found = [each["metadata"].pop("managedFields", None) for each in objects if "metadata" in each]
    return body, any(found)


def settled(value: Any, key: str = "") -> Any:
    """Without what is another at each time."""
    if key in VOLATILE:
        return f"<{key}>"
    if isinstance(value, dict):
        made = {"name": "<name>"} if "generateName" in value and key == "metadata" else {}
        return {name: settled(item, name) for name, item in {**value, **made}.items()}
    if isinstance(value, list):
        return [settled(item) for item in value]
    if isinstance(value, str):
        for pattern, word in VARYING:
            value = pattern.sub(word, value)
    return value


def shape(value: Any) -> Any:
    """Keys and types; of a list the shapes that occur."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(item), sort_keys=True) for item in value})
    return type(value).__name__


def _compare_trimmed(body: Any, response: Any) -> None:
    """What was kept of the answer."""
    for key, item in response.items():
        if isinstance(item, dict):
            _compare_trimmed(body[key], item)
        elif item != []:
            assert settled(body[key], key) == settled(item, key)
