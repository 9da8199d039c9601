"""Statuspage's API as its documentation says: one request a second, incident states, components."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from outside.server import Answer, Asked

KEY = "page key"
_STATES = ("investigating", "identified", "monitoring", "resolved")
_COMPONENTS = ("operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance")


@dataclass
class Statuspage:
    """`incidents` as they stand, with all their updates; `components` as they are shown."""

    now: Callable[[], datetime]
    incidents: list[dict[str, Any]] = field(default_factory=list)
    components: dict[str, str] = field(default_factory=dict)
    asked_at: datetime | None = None

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"OAuth {KEY}":
            return Answer(401, {"error": "Could not authenticate"})
        if self.asked_at and self.now() - self.asked_at < timedelta(seconds=1):
            return Answer(420, {"error": "rate limited"})
        self.asked_at = self.now()
        path = asked.path.removeprefix("/pages/page1").strip("/")
        if asked.method == "GET":
            open_ = [one for one in self.incidents if one["status"] != "resolved"]
            return Answer(200, open_ if path == "incidents/unresolved" else self.incidents[0] if path else {})
        given = asked.json["incident"]
        if given["status"] not in _STATES or not set(given["components"].values()) <= set(_COMPONENTS):
            return Answer(422, {"error": ["no such status"]})
        if asked.method == "POST":
            incident: dict[str, Any] = {"id": f"i{len(self.incidents) + 1}", "incident_updates": []}
            self.incidents.append(incident)
        else:
            incident = next(one for one in self.incidents if path == f"incidents/{one['id']}")
        incident.update(given)
        incident["incident_updates"].insert(0, {"status": given["status"], "body": given["body"]})
        self.components.update(given["components"])
        return Answer(201 if asked.method == "POST" else 200, incident)
