"""A generic webhook: one JSON object by POST, signed with HMAC-SHA256.

`X-Saveit-Signature: v1=HEX` is over `v1:{X-Saveit-Timestamp}:{body}`, and `Idempotency-Key` is the same
whenever a message is tried again. docs/channels.md says how a receiver checks it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from saveit_remediate.notify.http import request
from saveit_remediate.notify.kind import Kind, Message, Options


def send(options: Options, message: Message) -> Mapping[str, Any]:
    body = json.dumps(
        {
            "schema": 1,
            "key": message.key,
            "incident": message.incident_id,
            "what": message.what,
            "severity": message.severity,
            "title": message.title,
            "text": message.text,
            "record": message.record,
            "at": message.at.isoformat(timespec="milliseconds"),
        }
    ).encode()
    stamp = str(int(message.now().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": message.key,
        "X-Saveit-Timestamp": stamp,
        "X-Saveit-Signature": f"v1={signature(options['secret'], stamp, body)}",
    }
    request("POST", options["url"], body, headers)
    return {}


def signature(secret: str, stamp: str, body: bytes) -> str:
    """HMAC-SHA256 as hexadecimal digits; `stamp` are seconds since the epoch."""
    return hmac.new(secret.encode(), f"v1:{stamp}:".encode() + body, hashlib.sha256).hexdigest()


KIND = Kind(required=("url", "secret"), optional={}, secrets=("secret",), send=send)
