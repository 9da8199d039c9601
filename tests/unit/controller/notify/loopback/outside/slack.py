"""Slack's Web API as its documentation says: names, `name_taken`, threads, metadata, one message a second."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from outside.server import Answer, Asked

TOKEN = "xoxb-1"


@dataclass
class Slack:
    """`channels` are ids by name; `messages` are what was posted. `now` gives the time of its rate limit."""

    now: Callable[[], datetime]
    channels: dict[str, str] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    posted_at: dict[str, datetime] = field(default_factory=dict)

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Answer(200, {"ok": False, "error": "invalid_auth"})
        given = _given(asked)
        method = urlsplit(asked.path).path.rpartition("/")[2].replace(".", "_")
        found: Answer = getattr(self, method)(given)
        return found

    def auth_test(self, _given: dict[str, Any]) -> Answer:
        return Answer(200, {"ok": True, "user_id": "U1"})

    def conversations_create(self, given: dict[str, Any]) -> Answer:
        name = given["name"]
        if not re.fullmatch(r"[a-z0-9_-]{1,80}", name):
            return _no("invalid_name")
        if name in self.channels:
            return _no("name_taken")
        self.channels[name] = f"C{len(self.channels) + 1}"
        return Answer(200, {"ok": True, "channel": {"id": self.channels[name], "name": name}})

    def conversations_list(self, given: dict[str, Any]) -> Answer:
        """One a page, so that whoever does not turn the page does not find it."""
        at = int(given.get("cursor") or 0)
        names = sorted(self.channels)
        page = [{"id": self.channels[name], "name": name} for name in names[at : at + 1]]
        more = str(at + 1) if at + 1 < len(names) else ""
        return Answer(200, {"ok": True, "channels": page, "response_metadata": {"next_cursor": more}})

    def conversations_join(self, given: dict[str, Any]) -> Answer:
        self.joined.append(given["channel"])
        return Answer(200, {"ok": True, "channel": {"id": given["channel"]}})

    def chat_postMessage(self, given: dict[str, Any]) -> Answer:  # noqa: N802 its name
        channel, at = given["channel"], self.now()
        if channel not in self.channels.values():
            return _no("channel_not_found")
        if at - self.posted_at.get(channel, at - timedelta(hours=1)) < timedelta(seconds=1):
            return Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "1"})
        self.posted_at[channel] = at
        stamp = f"{at.timestamp():.0f}.{len(self.messages):06d}"
        metadata = given.get("metadata")
        given["metadata"] = json.loads(metadata) if isinstance(metadata, str) else metadata
        self.messages.append({**given, "ts": stamp})
        return Answer(200, {"ok": True, "channel": channel, "ts": stamp})

    def conversations_history(self, given: dict[str, Any]) -> Answer:
        found = [
            one for one in self.messages if one["channel"] == given["channel"] and not one.get("thread_ts")
        ]
        return Answer(200, {"ok": True, "messages": found})

    def conversations_replies(self, given: dict[str, Any]) -> Answer:
        found = [one for one in self.messages if given["ts"] in (one["ts"], one.get("thread_ts"))]
        return Answer(200, {"ok": True, "messages": found})


def _given(asked: Asked) -> dict[str, Any]:
    if asked.headers.get("Content-Type", "").startswith("application/json"):
        return dict(asked.json)
    words = parse_qs(asked.body.decode() or urlsplit(asked.path).query)
    return {key: values[0] for key, values in words.items()}


def _no(error: str) -> Answer:
    return Answer(200, {"ok": False, "error": error})
