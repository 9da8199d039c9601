"""PagerDuty's Events API v2 and the part of REST that we use, as their documentation says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from outside.server import Answer, Asked

ROUTING_KEY, API_KEY = "R" * 32, "u+key"


@dataclass
class PagerDuty:
    """`alerts` are the states by dedup_key; `events` what was taken, in order."""

    alerts: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    acknowledger: str = ""

    def __call__(self, asked: Asked) -> Answer:
        path = urlsplit(asked.path).path
        if path == "/v2/enqueue":
            return self.enqueue(asked.json)
        if asked.headers.get("Authorization") != f"Token token={API_KEY}":
            return Answer(401, {"error": {"message": "Unauthorized"}})
        if path == "/incidents":
            (key,) = parse_qs(urlsplit(asked.path).query)["incident_key"]
            return Answer(200, {"incidents": [self.incident(key)] if key in self.alerts else []})
        if asked.method == "POST":
            if "@" not in asked.headers.get("From", ""):
                return Answer(400, {"error": {"message": "Requester User Not Found"}})
            self.notes.append(asked.json["note"]["content"])
        return Answer(200, {"notes": [{"content": note} for note in self.notes]})

    def enqueue(self, event: dict[str, Any]) -> Answer:
        if event.get("routing_key") != ROUTING_KEY or event.get("event_action") not in (
            "trigger",
            "acknowledge",
            "resolve",
        ):
            return Answer(400, {"status": "invalid event", "message": "Event object is invalid"})
        key, action = event["dedup_key"], event["event_action"]
        if action == "trigger":
            payload = event["payload"]
            known = payload["severity"] in ("critical", "error", "warning", "info")
            if not known or len(payload["summary"]) > 1024 or len(key) > 255 or not payload["source"]:
                return Answer(400, {"status": "invalid event"})
        self.events.append(event)
        # Without a trigger before it, it is dropped silently.
        if action == "trigger" or key in self.alerts:
            self.alerts[key] = {"trigger": "triggered", "acknowledge": "acknowledged"}.get(action, "resolved")
        return Answer(202, {"status": "success", "message": "Event processed", "dedup_key": key})

    def incident(self, key: str) -> dict[str, Any]:
        who = [{"acknowledger": {"summary": self.acknowledger}}] if self.acknowledger else []
        return {"id": "P1", "incident_key": key, "acknowledgements": who}
