"""All channels at once, each with a server of its own, and what each was told, in order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from outside import opsgenie, pagerduty, slack, statuspage
from outside.mail import MailServer
from outside.server import Answer, Asked, Server
from outside.webhook import SECRET, receiver

# Of an incident at sev1 or sev2 that one remedy solves.
STORY = {
    "room": ["opened", "update", "resolved"],
    "hook": ["opened", "update", "resolved"],
    "teams": ["opened", "resolved"],
    "pager": ["trigger", "resolve"],
    "genie": ["create", "close"],
    "page": ["investigating", "identified", "resolved"],
    "mail": ["opened", "resolved"],
}


class Everything:
    """While it is entered: `channels` as policy.yml has them, and `secrets` for the environment."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.pager, self.genie = pagerduty.PagerDuty(), opsgenie.Opsgenie()
        self.room, self.page = slack.Slack(now), statuspage.Statuspage(now)
        self.mail = MailServer()
        self.titles: list[str] = []

    def __enter__(self) -> Everything:
        with ExitStack() as stack:
            room, page, pager, genie, chat, self.hook = (
                stack.enter_context(Server(rules))
                for rules in (self.room, self.page, self.pager, self.genie, self._chat, receiver)
            )
            stack.enter_context(self.mail)
            self._stack = stack.pop_all()
        self.secrets = {
            "HOOK": SECRET,
            "SLACK": slack.TOKEN,
            "ROUTING": pagerduty.ROUTING_KEY,
            "GENIE": opsgenie.KEY,
            "PAGE": statuspage.KEY,
            "ADDRESS": chat.url.replace("http://", "json://"),
        }
        self.channels: dict[str, dict[str, Any]] = {
            "room": _channel("slack", "room", token="SLACK", url=room.url),
            "hook": _channel("webhook", "room", secret="HOOK", url=self.hook.url),
            "teams": _channel("apprise", "stakeholders", address="ADDRESS"),
            "pager": _channel("pagerduty", "on-call", routing_key="ROUTING", events_url=pager.url),
            "genie": _channel("opsgenie", "on-call", key="GENIE", url=genie.url),
            "page": _channel(
                "statuspage", "public", key="PAGE", url=page.url, page="page1", publish="unattended"
            ),
            "mail": {
                **_channel("email", "stakeholders", host="127.0.0.1", security="none"),
                "port": self.mail.port,
                "from": "saveit@example.com",
                "to": ["board@example.com"],
            },
        }
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def takes_down(self, name: str) -> None:
        """Where this channel was, nobody listens."""
        channel = self.channels[name]
        if name == "mail":
            channel["port"] = 9
        elif name == "teams":
            self.secrets["ADDRESS"] = "json://127.0.0.1:9"
        else:
            channel["events_url" if name == "pager" else "url"] = "http://127.0.0.1:9/"

    def told(self) -> dict[str, list[str]]:
        updates = self.page.incidents[0]["incident_updates"] if self.page.incidents else []
        closed = [what for _alias, what, _note in self.genie.said]
        return {
            "room": [_last(one["text"].splitlines()[0]) for one in self.room.messages],
            "hook": [asked.json["what"] for asked in self.hook.asked],
            "teams": self.titles,
            "pager": [event["event_action"] for event in self.pager.events],
            "genie": ["create"] * len(self.genie.created) + closed,
            "page": [one["status"] for one in reversed(updates)],
            "mail": [_last(str(one["Subject"])) for one in self.mail.mails],
        }

    def _chat(self, asked: Asked) -> Answer:
        self.titles.append(_last(asked.json["title"]))
        return Answer(200, {})


def _channel(kind: str, audience: str, **options: str) -> dict[str, Any]:
    """A value in capitals is the name of a secret."""
    given = {name: {"env": value} if value.isupper() else value for name, value in options.items()}
    return {"kind": kind, "audience": audience, **given}


def _last(title: str) -> str:
    return title.rpartition(": ")[2]
