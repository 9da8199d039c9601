"""The outbox: what has to be told is told once, in order; what cannot be is retried and given up loudly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.unit.controller.notify.conftest import ID

from outside.server import Answer, Rules, Server
from outside.webhook import SECRET, receiver
from saveit_remediate.notify import deliver as deliver_module
from saveit_remediate.notify.outbox import Outbox, outbox_of

if TYPE_CHECKING:
    from tests.unit.controller.notify.conftest import Desk

    from saveit_remediate.catalog.policy_notify import Channel
    from saveit_remediate.journal import Event

Serve = Callable[[Rules], Server]


@pytest.fixture
def room(desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    server = serve(receiver)
    desk.channels["room"] = {
        "kind": "webhook",
        "audience": "room",
        "url": server.url + "/hook",
        "secret": {"env": "HOOK_SECRET"},
    }
    return server


def told(server: Server) -> list[str]:
    return [asked.json["what"] for asked in server.asked]


def test_an_incident_is_told_in_order_and_each_notice_once(desk: Desk, room: Server) -> None:
    desk.breaks()
    assert desk.deliver().sent == 1
    desk.recovers()
    assert (desk.deliver().sent, desk.deliver().sent) == (2, 0)
    assert told(room) == ["opened", "update", "resolved"]
    first = room.asked[0].json
    assert first["title"] == "SEV2 redis on lab: opened"
    assert (first["text"], first["record"]) == ("redis does not answer", f"saveit-remediate show {ID}")
    assert len({asked.json["key"] for asked in room.asked}) == 3


def test_a_check_and_a_healthy_service_are_not_told(desk: Desk, room: Server) -> None:
    desk.happens("opened", {"incident": "redis"})
    desk.happens("assessed", {"findings": [], "hosts": ["lab"], "severity": "sev4"})
    desk.happens("closed", {"outcome": "healthy", "sentence": "nothing is wrong"})
    assert desk.deliver().sent == 0
    assert room.asked == []


def test_a_server_error_is_tried_again_later_and_longer_each_time(desk: Desk, room: Server) -> None:
    room.first += [Answer(503)] * 3
    desk.breaks()
    waits = []
    for _ in range(3):
        tally = desk.deliver(seconds=1)
        assert (tally.sent, len(tally.waiting), len(tally.problems)) == (0, 1, 1)
        assert desk.deliver(seconds=1).problems == []  # not yet
        start = desk.clock.now()
        while desk.kinds("send-failed", "sent")[-1:] == ["send-failed"] and not due(desk):
            desk.clock.now_ += timedelta(seconds=1)
        waits.append((desk.clock.now() - start).total_seconds())
    assert waits == [5, 15, 45]
    assert (desk.deliver().sent, told(room)) == (1, ["opened"] * 4)


def due(desk: Desk) -> bool:
    return str(desk.journal.events(ID)[-1].payload["next"]) <= desk.clock.now().isoformat()


def test_retry_after_is_waited_for(desk: Desk, room: Server) -> None:
    room.first += [Answer(429, headers={"Retry-After": "2"})]
    desk.breaks()
    assert desk.deliver(seconds=5).sent == 1
    assert desk.clock.slept == [2.0]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(400, {"error": "no such hook"}), 'answered 400: {"error": "no such hook"}'),
        (
            Answer(302, headers={"Location": "https://elsewhere.example/"}),
            "redirects to https://elsewhere.example/",
        ),
        (Answer(200, b"<html>", {"Content-Type": "text/html"}), "answered with a web page"),
        (Answer(404, b"<html>", {"Content-Type": "text/html"}), "answered 404 with a web page"),
    ],
)
def test_what_will_not_change_is_given_up_at_once_and_loudly(
    desk: Desk, room: Server, answer: Answer, problem: str
) -> None:
    room.first += [answer]
    desk.breaks()
    tally = desk.deliver()
    assert (tally.sent, tally.waiting) == (0, [])
    assert problem in tally.given_up[0]
    assert desk.kinds("notice", "sending", "sent", "given-up") == ["notice", "sending", "given-up"]


def test_a_channel_that_is_down_for_a_day_is_given_up_and_another_is_told(
    desk: Desk, room: Server, serve: Serve
) -> None:
    desk.channels["lost"] = {**desk.channels["room"], "url": "http://127.0.0.1:9/"}
    desk.breaks()
    given_up: list[str] = []
    for _ in range(12):
        given_up += desk.deliver(seconds=1).given_up
        desk.clock.now_ += timedelta(hours=2.5)
    assert len(given_up) == 1
    assert "cannot tell lost: cannot reach 127.0.0.1" in given_up[0]
    assert told(room) == ["opened", "given-up"]


def test_a_channel_that_stumbles_is_still_told_in_order(desk: Desk, room: Server) -> None:
    room.first += [Answer(503)]
    desk.breaks()
    assert desk.deliver(seconds=1).sent == 0
    desk.recovers()
    assert desk.deliver(seconds=1).sent == 0
    assert desk.deliver(seconds=9).sent == 3
    assert told(room) == ["opened", "opened", "update", "resolved"]


def test_who_was_told_of_it_is_told_its_end_although_it_became_small(desk: Desk, room: Server) -> None:
    desk.channels["room"]["audience"] = "stakeholders"
    desk.breaks()
    desk.happens("severity", {"from": "sev2", "to": "sev4", "by": "anna", "sentence": "few users"})
    desk.recovers()
    assert desk.deliver().sent == 2
    assert told(room) == ["opened", "resolved"]


def test_old_news_are_not_told(desk: Desk, room: Server) -> None:
    desk.breaks()
    desk.clock.now_ += timedelta(hours=25)
    desk.recovers()
    desk.deliver()
    assert told(room) == ["update", "resolved"]


def test_an_attempt_that_was_cut_off_is_made_again_when_its_claim_is_over(desk: Desk, room: Server) -> None:
    desk.breaks()
    desk.deliver(seconds=0)  # it is queued, and not sent
    notice = next(event for event in desk.journal.events(ID) if event.kind == "notice")
    desk.happens("sending", {"key": notice.payload["key"], "claim": "of another"})
    assert desk.deliver().sent == 0
    desk.clock.now_ += timedelta(minutes=2)
    assert desk.deliver().sent == 1


def test_of_two_processes_one_sends(desk: Desk, room: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.breaks()
    other = desk.post()
    real = outbox_of

    def late(events: Sequence[Event], channels: Mapping[str, Channel]) -> Outbox:
        """What we see is what was there before the other one sent."""
        box = real(events, channels)
        monkeypatch.setattr(deliver_module, "outbox_of", real)
        assert deliver_module.deliver(desk.journal, [ID], other, 5).sent == 1
        return box

    monkeypatch.setattr(deliver_module, "outbox_of", late)
    assert desk.deliver().sent == 0
    assert (told(room), desk.kinds("notice", "sent")) == (["opened"], ["notice", "sent"])


def test_a_secret_that_is_not_there_waits_and_is_never_shown(
    desk: Desk, room: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    desk.breaks()
    assert "the environment variable HOOK_SECRET" in desk.deliver(seconds=1).problems[0]
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    assert desk.deliver(seconds=6).sent == 1
    assert SECRET not in str([event.payload for event in desk.journal.events(ID)])
