"""A run and its channels: it is told beside the run, and no channel delays or fails anything."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.unit.controller.conftest import POLICY
from tests.unit.controller.notify.conftest import SHIPPED

from outside import opsgenie, pagerduty, slack, statuspage
from outside.mail import MailServer
from outside.server import Answer, Asked, Rules, Server
from outside.webhook import SECRET, receiver
from saveit_remediate.journal import open_journal
from saveit_remediate.notify.courier import Courier
from saveit_remediate.notify.kind import Kind, Message

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site
    from tests.unit.controller.notify.conftest import Desk

Serve = Callable[[Rules], Server]
SECRETS = {
    "HOOK": SECRET,
    "SLACK": slack.TOKEN,
    "ROUTING": pagerduty.ROUTING_KEY,
    "GENIE": opsgenie.KEY,
    "PAGE": statuspage.KEY,
}


def test_a_run_tells_its_channels_and_does_not_mind_one_that_is_down(site: Site, serve: Serve) -> None:
    server = serve(receiver)
    hook = {"kind": "webhook", "audience": "room", "secret": {"env": "HOOK"}}
    notify = {
        **SHIPPED.value["notify"],
        "channels": {"down": {**hook, "url": "http://127.0.0.1:9/"}, "room": {**hook, "url": server.url}},
    }
    contacts = {"on-call": {"title": "On-call", "via": ["room"], "email": "o@example.com"}}
    steps = {"steps": [{"to": "on-call", "after_minutes": 0}]}
    site.write(
        "policy.yml", {**yaml.safe_load(POLICY), "notify": notify, "contacts": contacts, "escalation": steps}
    )
    done = site.run("--incident", "frob", "--yes", "--json", HOOK=SECRET)
    report = json.loads(done.stdout)
    assert (done.returncode, report["outcome"]) == (0, "recovered")
    assert [asked.json["what"] for asked in server.asked] == ["opened", "resolved"]
    assert "down is not told yet: cannot reach 127.0.0.1" in done.stderr
    assert site.run("contacts", HOOK=SECRET).stdout == "On-call\t-\to@example.com\t-\t-\troom\n"
    again = site.run("escalate", HOOK=SECRET)
    assert (again.returncode, again.stdout, len(server.asked)) == (0, "0 sent\n", 2)
    tried = site.run("notify", "test", HOOK=SECRET)
    assert tried.returncode == 3
    assert tried.stdout.splitlines()[1] == "room (webhook): arrived"
    assert server.asked[-1].json["what"] == "test"


def test_a_channel_that_hangs_is_not_waited_for(desk: Desk, serve: Serve) -> None:
    begun, hangs = threading.Event(), threading.Event()

    def send(_options: Mapping[str, Any], _message: Message) -> dict[str, Any]:
        begun.set()
        hangs.wait(30)
        return {}

    server = serve(receiver)
    desk.channels["room"] = {
        "kind": "webhook",
        "audience": "room",
        "url": server.url,
        "secret": {"env": "HOOK"},
    }
    post = desk.post()
    post.kinds["room"] = Kind((), {}, (), send)  # type: ignore[index]  # a dict, in fact
    courier = Courier(lambda: post, lambda: open_journal(desk.folder / "journal.db"))
    desk.journal.told = courier.tell
    desk.breaks()
    assert begun.wait(30)
    assert courier.finish(-0.9) == ["the channels are slow; saveit-remediate notify goes on"]
    hangs.set()


@pytest.fixture
def everything(desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Any:
    """All kinds of channels at once; returns what each was told, in order."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    pager, genie = pagerduty.PagerDuty(), opsgenie.Opsgenie()
    room, page = slack.Slack(desk.clock.now), statuspage.Statuspage(desk.clock.now)
    teams: list[str] = []

    def takes(asked: Asked) -> Answer:
        teams.append(asked.json["title"].rpartition(": ")[2])
        return Answer(200, {})

    hook, chat = serve(receiver), serve(takes)
    monkeypatch.setenv("ADDRESS", chat.url.replace("http://", "json://"))
    with MailServer() as mail:
        desk.channels |= {
            "room": {"kind": "slack", "audience": "room", "token": {"env": "SLACK"}, "url": serve(room).url},
            "hook": {"kind": "webhook", "audience": "room", "url": hook.url, "secret": {"env": "HOOK"}},
            "teams": {"kind": "apprise", "audience": "stakeholders", "address": {"env": "ADDRESS"}},
            "pager": {
                "kind": "pagerduty",
                "audience": "on-call",
                "routing_key": {"env": "ROUTING"},
                "events_url": serve(pager).url,
            },
            "genie": {
                "kind": "opsgenie",
                "audience": "on-call",
                "key": {"env": "GENIE"},
                "url": serve(genie).url,
            },
            "page": {
                "kind": "statuspage",
                "audience": "public",
                "publish": "unattended",
                "page": "page1",
                "key": {"env": "PAGE"},
                "url": serve(page).url,
            },
            "mail": {
                "kind": "email",
                "audience": "stakeholders",
                "host": "127.0.0.1",
                "port": mail.port,
                "security": "none",
                "from": "saveit@example.com",
                "to": ["board@example.com"],
            },
        }
        yield lambda: {
            "room": [one["text"].splitlines()[0].rpartition(": ")[2] for one in room.messages],
            "hook": [asked.json["what"] for asked in hook.asked],
            "teams": teams,
            "pager": [event["event_action"] for event in pager.events],
            "genie": ["create"] * len(genie.created) + [what for _alias, what, _note in genie.said],
            "page": [one["status"] for one in reversed(page.incidents[0]["incident_updates"])]
            if page.incidents
            else [],
            "mail": [str(one["Subject"]).rpartition(": ")[2] for one in mail.mails],
        }


STORY = {
    "room": ["opened", "update", "resolved"],
    "hook": ["opened", "update", "resolved"],
    "teams": ["opened", "resolved"],
    "pager": ["trigger", "resolve"],
    "genie": ["create", "close"],
    "page": ["investigating", "identified", "resolved"],
    "mail": ["opened", "resolved"],
}


@pytest.mark.parametrize("down", ["", *STORY])
def test_with_each_channel_down_in_turn_the_others_are_told_the_same(
    desk: Desk, everything: Callable[[], dict[str, list[str]]], down: str
) -> None:
    if down == "mail":
        desk.channels["mail"]["port"] = 9
    elif down == "teams":
        desk.channels["teams"]["address"] = {"env": "NOT_SET"}
    elif down:
        key = "events_url" if down == "pager" else "url"
        desk.channels[down][key] = "http://127.0.0.1:9/"
    desk.breaks()
    desk.deliver()
    desk.happens("remedy-finished", {"sentence": "redis answers", "host": "lab", "remedy": "restart"})
    desk.happens("closed", {"sentence": "restart helped", "outcome": "recovered", "severity": "sev1"})
    desk.deliver(seconds=10)
    assert everything() == {name: [] if name == down else story for name, story in STORY.items()}
