"""A receiver of our webhook: it checks the signature as docs/channels.md says, and takes each key once."""

from __future__ import annotations

import hashlib
import hmac

from outside.server import Answer, Asked

SECRET = "of the receiver"


def receiver(asked: Asked) -> Answer:
    stamp, given = asked.headers["X-Saveit-Timestamp"], asked.headers["X-Saveit-Signature"]
    signed = hmac.new(
        SECRET.encode(), b"v1:" + stamp.encode() + b":" + asked.body, hashlib.sha256
    ).hexdigest()
    if not hmac.compare_digest(f"v1={signed}", given):
        return Answer(401, "bad signature")
    if asked.headers["Idempotency-Key"] != asked.json["key"]:
        return Answer(400, "which key?")
    return Answer(202, {})
