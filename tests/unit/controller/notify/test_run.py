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

from outside.everything import STORY, Everything
from outside.server import Rules, Server
from outside.webhook import SECRET, receiver
from saveit_remediate.journal import open_journal
from saveit_remediate.notify.courier import Courier
from saveit_remediate.notify.kind import Kind, Message

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site
    from tests.unit.controller.notify.conftest import Desk

Serve = Callable[[Rules], Server]


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
    page = site.run("contacts", "--markdown", HOOK=SECRET).stdout
    assert page.endswith("| On-call |  | o@example.com |  |  | room |\n")
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
    courier.seconds = -0.9
    assert courier.finish() == ["the channels are slow; saveit-remediate notify goes on"]
    hangs.set()


@pytest.mark.parametrize("down", ["", *STORY])
def test_with_each_channel_down_in_turn_the_others_are_told_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, down: str
) -> None:
    with Everything(desk.clock.now) as everything:
        if down:
            everything.takes_down(down)
        desk.channels = everything.channels
        for name, value in everything.secrets.items():
            monkeypatch.setenv(name, value)
        desk.breaks()
        desk.deliver()
        desk.recovers()
        desk.deliver(seconds=10)
    assert everything.told() == {name: [] if name == down else story for name, story in STORY.items()}
