"""The alert calls that Jira Service Management took over from Opsgenie, as their documentation says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from outside.server import Answer, Asked

KEY = "genie"


@dataclass
class Opsgenie:
    """`alerts` are states by alias, `said` is (alias, what, note)."""

    alerts: dict[str, str] = field(default_factory=dict)
    created: list[dict[str, Any]] = field(default_factory=list)
    said: list[tuple[str, str, str]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"GenieKey {KEY}":
            return Answer(401, {"message": "Could not authenticate"})
        parts = urlsplit(asked.path)
        words = parts.path.partition("/alerts")[2].strip("/").split("/")
        content = asked.json
        if words == [""]:
            if len(content["message"]) > 130 or content["priority"] not in ("P1", "P2", "P3", "P4", "P5"):
                return Answer(422, {"message": "Request body is not processable"})
            if self.alerts.get(content["alias"]) != "open":  # else only its count grows
                self.created.append(content)
            self.alerts[content["alias"]] = "open"
        elif parse_qs(parts.query).get("identifierType") != ["alias"]:
            return Answer(404, {"message": "Alert does not exist"})
        else:
            alias, what = unquote(words[0]), words[1]
            self.said.append((alias, what, content.get("note", "")))
            if what == "close":
                self.alerts[alias] = "closed"
        return Answer(202, {"result": "Request will be processed", "requestId": "r-1"})
