"""Each kind of channel against a server that plays its API by the documented rules and limits."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.controller.notify.conftest import ID

from outside import opsgenie, pagerduty, slack, statuspage
from outside.mail import MailServer
from outside.server import Answer, Rules, Server
from saveit_remediate.notify.kinds.slack import room_name

if TYPE_CHECKING:
    from tests.unit.controller.notify.conftest import Desk

Serve = Callable[[Rules], Server]


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "SLACK": slack.TOKEN,
        "ROUTING": pagerduty.ROUTING_KEY,
        "PD_API": pagerduty.API_KEY,
        "GENIE": opsgenie.KEY,
        "PAGE": statuspage.KEY,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)


def slack_room(desk: Desk, url: str, **more: Any) -> None:
    desk.channels["room"] = {
        "kind": "slack",
        "audience": "room",
        "token": {"env": "SLACK"},
        "url": f"{url}/api/",
        **more,
    }


def test_slack_makes_a_channel_of_its_own_and_one_thread(desk: Desk, serve: Serve) -> None:
    api = slack.Slack(desk.clock.now)
    slack_room(desk, serve(api).url)
    desk.breaks()
    desk.recovers()
    assert desk.deliver(seconds=10).sent == 3  # at one a second, without an answer 429
    assert list(api.channels) == [f"inc-{ID}"]
    first, *later = api.messages
    assert "thread_ts" not in first
    assert {one["thread_ts"] for one in later} == {first["ts"]}
    assert f"saveit-remediate show {ID}" in first["text"]
    assert desk.clock.slept == [1.0, 1.0]


def test_slack_uses_a_channel_whose_name_is_taken(desk: Desk, serve: Serve) -> None:
    api = slack.Slack(desk.clock.now, channels={"general": "C7", f"inc-{ID}": "C8"})
    slack_room(desk, serve(api).url)
    desk.breaks()
    assert desk.deliver().sent == 1
    assert (api.joined, api.messages[0]["channel"]) == (["C8"], "C8")


def test_slack_takes_any_incident_by_a_name_of_its_own() -> None:
    long = [f"20261123-120000-{'ü x' * 40}-{end}" for end in ("3f2a", "3f2b")]
    names = [room_name(one) for one in (*long, ID)]
    assert all(re.fullmatch(r"[a-z0-9_-]{1,80}", name) for name in names)
    assert len(set(names)) == 3


def test_slack_posts_once_although_the_answer_was_lost(desk: Desk, serve: Serve) -> None:
    api = slack.Slack(desk.clock.now)

    def loses(asked: Any) -> Answer:
        answer = api(asked)
        lost = asked.path.endswith("chat.postMessage") and len(api.messages) == 2
        return Answer(502, {"ok": False}) if lost and answer.status == 200 else answer

    slack_room(desk, serve(loses).url)
    desk.breaks()
    desk.happens("remedy-finished", {"sentence": "done", "host": "lab", "remedy": "restart"})
    assert desk.deliver(seconds=30).sent == 2
    assert [one["text"].splitlines()[0] for one in api.messages] == [
        "SEV2 redis on lab: opened",
        "SEV2 redis on lab: update",
    ]


def test_slack_waits_as_long_as_it_is_told_to(desk: Desk, serve: Serve) -> None:
    server = serve(slack.Slack(desk.clock.now))
    server.first += [Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "3"})]
    slack_room(desk, server.url)
    desk.breaks()
    assert (desk.deliver().sent, desk.clock.slept) == (1, [3.0])


@pytest.mark.parametrize(("error", "again"), [("invalid_auth", False), ("internal_error", True)])
def test_slack_says_why_it_refuses(desk: Desk, serve: Serve, error: str, again: bool) -> None:
    server = serve(slack.Slack(desk.clock.now))
    server.first += [Answer(200, {"ok": False, "error": error})]
    slack_room(desk, server.url)
    desk.breaks()
    tally = desk.deliver(seconds=1)
    assert (tally.problems if again else tally.given_up) == [f"cannot tell room: slack says {error}"]


def test_slack_shows_texts_as_they_are(desk: Desk, serve: Serve) -> None:
    api = slack.Slack(desk.clock.now)
    slack_room(desk, serve(api).url)
    desk.breaks()
    desk.happens("note", {"text": "<!channel> *loud* 🎉 \u202egnp.exe\u202c " + "x" * 1_000_000})
    desk.deliver(seconds=10)
    text = api.messages[1]["text"]
    assert "&lt;!channel&gt; *loud* 🎉 gnp.exe x" in text
    assert len(text) < 4000


def pager(desk: Desk, url: str) -> None:
    desk.channels["pager"] = {
        "kind": "pagerduty",
        "audience": "on-call",
        "routing_key": {"env": "ROUTING"},
        "api_key": {"env": "PD_API"},
        "from": "ops@example.com",
        "events_url": url,
        "rest_url": url,
    }


def test_pagerduty_is_triggered_acknowledged_noted_and_resolved_under_one_key(
    desk: Desk, serve: Serve
) -> None:
    api = pagerduty.PagerDuty()
    pager(desk, serve(api).url)
    desk.breaks()
    desk.happens("acknowledged", {"by": "anna", "sentence": "anna looks at it"})
    desk.happens("note", {"by": "anna", "text": "it is the disk"})
    desk.recovers()
    assert desk.deliver().sent == 4
    assert [(one["event_action"], one["dedup_key"]) for one in api.events] == [
        ("trigger", ID),
        ("acknowledge", ID),
        ("resolve", ID),
    ]
    assert api.events[0]["payload"]["severity"] == "error"
    assert (api.notes, api.alerts) == (["SEV2 redis on lab: note\nit is the disk"], {ID: "resolved"})


@pytest.mark.parametrize(
    ("answer", "sent", "given_up"),
    [
        (Answer(429, {}, {"Retry-After": "2"}), 1, 0),
        (Answer(503, {}), 0, 0),
        (Answer(400, {"status": "invalid event"}), 0, 1),
    ],
)
def test_pagerduty_retries_429_and_5xx_and_never_400(
    desk: Desk, serve: Serve, answer: Answer, sent: int, given_up: int
) -> None:
    server = serve(pagerduty.PagerDuty())
    server.first += [answer]
    pager(desk, server.url)
    desk.breaks()
    tally = desk.deliver(seconds=4)
    assert (tally.sent, len(tally.given_up)) == (sent, given_up)
    assert len(server.asked) == 1 + sent  # our outbox tries again, and not the client


def test_opsgenie_and_its_successor_are_told_by_alias(desk: Desk, serve: Serve) -> None:
    api = opsgenie.Opsgenie()
    url = serve(api).url + "/jsm/ops/integration/v2"
    desk.channels["jsm"] = {"kind": "opsgenie", "audience": "on-call", "key": {"env": "GENIE"}, "url": url}
    desk.breaks()
    desk.happens("acknowledged", {"by": "anna", "sentence": "anna looks at it"})
    desk.recovers()
    assert desk.deliver().sent == 3
    (alert,) = api.created
    assert (alert["alias"], alert["priority"], api.alerts) == (ID, "P2", {ID: "closed"})
    assert [(alias, what) for alias, what, _note in api.said] == [(ID, "acknowledge"), (ID, "close")]


def test_the_old_host_of_opsgenie_is_warned_about(desk: Desk) -> None:
    desk.channels["old"] = {"kind": "opsgenie", "key": {"env": "GENIE"}, "url": "https://api.opsgenie.com/v2"}
    assert "ends on 2027-04-05" in desk.post().warnings[0]


def page(desk: Desk, url: str, **more: Any) -> None:
    desk.channels["page"] = {
        "kind": "statuspage",
        "audience": "public",
        "page": "page1",
        "key": {"env": "PAGE"},
        "components": ["api"],
        "url": url,
        **more,
    }


def test_a_status_page_shows_state_and_components_and_never_an_internal_text(
    desk: Desk, serve: Serve
) -> None:
    api = statuspage.Statuspage(desk.clock.now)
    server = serve(api)
    page(desk, server.url, publish="unattended")
    desk.breaks()
    assert (desk.deliver().sent, api.components) == (1, {"api": "partial_outage"})
    desk.recovers()
    assert desk.deliver(seconds=10).sent == 2
    (incident,) = api.incidents
    assert [one["status"] for one in incident["incident_updates"]] == [
        "resolved",
        "identified",
        "investigating",
    ]
    assert api.components == {"api": "operational"}
    published = b"".join(asked.body for asked in server.asked).decode()
    assert not any(word in published for word in ("redis", "lab", "restart", "show"))


def test_a_status_page_asks_before_it_publishes(desk: Desk, serve: Serve) -> None:
    api = statuspage.Statuspage(desk.clock.now)
    page(desk, serve(api).url)
    desk.breaks()
    tally = desk.deliver()
    assert (tally.sent, list(tally.asking), api.incidents) == (0, [ID], [])
    (notice,) = [event for event in desk.journal.events(ID) if event.kind == "notice"]
    desk.happens("publish-agreed", {"key": notice.payload["key"], "by": "anna"})
    assert (desk.deliver().sent, len(api.incidents)) == (1, 1)


def test_a_status_page_is_asked_once_a_second_and_420_is_a_limit(desk: Desk, serve: Serve) -> None:
    server = serve(statuspage.Statuspage(desk.clock.now))
    server.first += [Answer(420, {})]
    page(desk, server.url, publish="unattended")
    desk.breaks()
    tally = desk.deliver(seconds=1)
    assert "limits how often it is asked (420)" in tally.problems[0]


def test_a_status_page_gets_one_incident_although_the_answer_was_lost(desk: Desk, serve: Serve) -> None:
    api = statuspage.Statuspage(desk.clock.now)

    def loses(asked: Any) -> Answer:
        answer = api(asked)
        return Answer(504, {}) if asked.method == "POST" else answer

    page(desk, serve(loses).url, publish="unattended")
    desk.breaks()
    assert desk.deliver(seconds=8).sent == 1
    assert len(api.incidents) == 1


def test_mails_are_one_thread_and_no_text_becomes_a_header(desk: Desk) -> None:
    with MailServer() as server:
        mail(desk, server)
        desk.happens("opened", {"incident": "redis\nBcc: all@example.com", "inventory": "hosts.yml"})
        desk.happens("assessed", {"findings": [{"id": "x"}], "severity": "sev1", "hosts": ["lab"]})
        desk.recovers()
        desk.deliver()
    first, *later = server.mails
    assert (first["Subject"], first["Bcc"]) == ("SEV1 redis Bcc: all@example.com on lab: opened", None)
    assert {one["In-Reply-To"] for one in later} == {first["Message-ID"]}
    assert len({one["Message-ID"] for one in server.mails}) == len(server.mails) == 2


@pytest.mark.parametrize(("answer", "given_up"), [(b"550 no such user", True), (b"451 try later", False)])
def test_a_mail_that_every_recipient_refuses_is_said(desk: Desk, answer: bytes, given_up: bool) -> None:
    with MailServer({"lead@example.com": answer}) as server:
        mail(desk, server)
        desk.breaks()
        tally = desk.deliver(seconds=1)
    (said,) = tally.given_up if given_up else tally.problems
    assert f"every recipient was refused: [{answer[:3].decode()}]" in said


def test_mail_does_not_leave_this_machine_in_the_clear(desk: Desk) -> None:
    with MailServer() as server:
        mail(desk, server)
        desk.channels["mail"]["host"] = "mail.example.com"
        desk.breaks()
        assert "security must be starttls or tls" in desk.deliver().given_up[0]


def mail(desk: Desk, server: MailServer) -> None:
    desk.channels["mail"] = {
        "kind": "email",
        "audience": "stakeholders",
        "host": "127.0.0.1",
        "port": server.port,
        "security": "none",
        "from": "saveit@example.com",
        "to": ["lead@example.com"],
    }


def test_apprise_brings_everything_else(desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(lambda _asked: Answer(200, {}))
    server.first += [Answer(500, {})]
    monkeypatch.setenv("ADDRESS", server.url.replace("http://", "json://") + "/teams")
    desk.channels["teams"] = {"kind": "apprise", "audience": "room", "address": {"env": "ADDRESS"}}
    desk.breaks()
    assert desk.deliver(seconds=1).problems == ["cannot tell teams: apprise could not send it (status 500)"]
    desk.clock.now_ += timedelta(seconds=5)
    assert desk.deliver().sent == 1
    assert server.asked[-1].json["title"] == "SEV2 redis on lab: opened"
