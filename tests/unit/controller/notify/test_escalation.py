"""Escalation: each step once, at its minute, whatever is restarted in between; with a clock that is moved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.controller.notify.conftest import ID, NOON, SICK

from outside import pagerduty
from outside.mail import MailServer
from outside.server import Rules, Server
from outside.webhook import SECRET, receiver
from saveit_remediate.catalog.policy_contacts import read_contacts
from saveit_remediate.catalog.policy_escalation import read_escalation
from saveit_remediate.errors import UsageError
from saveit_remediate.respond import escalation
from saveit_remediate.respond.escalation import Deadline, due_now

if TYPE_CHECKING:
    from tests.unit.controller.notify.conftest import Desk

Serve = Callable[[Rules], Server]
MINUTES = (0, 1, 4, 18, 19, 20, 29, 30, 31, 44, 45, 46, 59, 60, 61)
RUN_ENDS = {"outcome": "unresolved", "sentence": "nothing helped", "severity": "sev2"}


def breaks(desk: Desk, severity: str) -> None:
    desk.happens("opened", {"incident": "redis", "sentence": "Redis, opened", "inventory": "hosts.yml"})
    desk.happens("assessed", {**SICK, "severity": severity})


def minutes(desk: Desk, until: int) -> list[tuple[int, str]]:
    """At minutes before, at and after each step, each time in a new process: when which role was called."""
    for minute in (one for one in MINUTES if one <= until):
        desk.clock.now_ = NOON + timedelta(minutes=minute)
        desk.escalate()
        desk.escalate()  # a second machine
    return [
        (round((datetime.fromisoformat(event.at) - NOON).total_seconds() / 60), event.payload["to"])
        for event in desk.journal.events(ID)
        if event.kind == "escalated"
    ]


@pytest.mark.parametrize(
    ("severity", "called"),
    [
        ("sev1", [(0, "on-call"), (30, "team-lead"), (45, "engineering-manager"), (60, "vp-engineering")]),
        ("sev2", [(0, "on-call"), (30, "team-lead"), (45, "engineering-manager")]),
        ("sev3", [(0, "on-call"), (30, "team-lead")]),
        ("sev4", []),
    ],
)
def test_each_step_fires_once_at_its_minute_over_restarts(
    desk: Desk, severity: str, called: list[tuple[int, str]]
) -> None:
    breaks(desk, severity)
    assert minutes(desk, 61) == called


def test_of_two_machines_at_the_same_moment_one_calls(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    breaks(desk, "sev3")

    def late(*arguments: Any) -> list[Deadline]:
        """What we see is what was due before the other one called."""
        monkeypatch.setattr(escalation, "due_now", due_now)
        found = due_now(*arguments)
        assert len(desk.escalate()) == len(found) == 1
        return found

    monkeypatch.setattr(escalation, "due_now", late)
    desk.escalate()
    assert desk.kinds("escalated") == ["escalated"]


def test_nobody_is_called_when_it_is_resolved(desk: Desk) -> None:
    breaks(desk, "sev1")
    desk.escalate()
    desk.recovers()
    assert minutes(desk, 35) == [(0, "on-call")]


@pytest.mark.parametrize(
    "closed", [RUN_ENDS, {**RUN_ENDS, "outcome": "refused", "obstacles": ["breaker-open"]}]
)
def test_a_run_that_failed_and_an_open_breaker_escalate_at_once(desk: Desk, closed: dict[str, Any]) -> None:
    breaks(desk, "sev2")
    desk.clock.now_ = NOON + timedelta(minutes=4)
    desk.happens("closed", closed)
    desk.escalate()
    assert minutes(desk, 46) == [(4, "on-call"), (4, "team-lead"), (19, "engineering-manager")]


def test_a_refusal_because_another_is_at_work_does_not_escalate_at_once(desk: Desk) -> None:
    breaks(desk, "sev2")
    desk.happens("closed", {**RUN_ENDS, "outcome": "refused", "obstacles": ["lease-held"]})
    assert minutes(desk, 31) == [(0, "on-call"), (30, "team-lead")]


def test_when_nothing_ran_for_hours_all_that_is_due_is_done_once(desk: Desk) -> None:
    breaks(desk, "sev2")
    desk.clock.now_ = NOON + timedelta(hours=3)
    said = desk.escalate()
    assert [sentence.rpartition("due since ")[2] for sentence in said] == [
        "2026-11-23 12:00:00 UTC",
        "2026-11-23 12:30:00 UTC",
        "2026-11-23 12:45:00 UTC",
    ]
    assert desk.escalate() == []


def test_a_higher_severity_calls_more_people_and_a_reopened_incident_begins_anew(desk: Desk) -> None:
    breaks(desk, "sev3")
    desk.clock.now_ = NOON + timedelta(minutes=50)
    desk.escalate()
    desk.happens("severity", {"from": "sev3", "to": "sev2", "by": "anna", "reason": "all users"})
    assert [said.partition(" escalated to ")[2][:19] for said in desk.escalate()] == ["Engineering Manager"]
    desk.happens("resolved", {"by": "anna"})
    assert desk.escalate() == []
    desk.clock.now_ += timedelta(minutes=1)
    desk.happens("reopened", {"by": "anna", "reason": "it is back"})
    assert [said.partition(" escalated to ")[2][:7] for said in desk.escalate()] == ["On-call"]


def test_whoever_is_called_is_told_by_the_channels_of_the_contact(desk: Desk) -> None:
    with MailServer() as server:
        desk.channels["mail"] = {
            "kind": "email",
            "host": "127.0.0.1",
            "port": server.port,
            "security": "none",
            "from": "saveit@example.com",
        }
        desk.more = {
            "contacts": {"lead": {"title": "Lead", "email": "lead@example.com", "via": ["mail"]}},
            "escalation": {"steps": [{"to": "lead", "after_minutes": 30}]},
        }
        breaks(desk, "sev2")
        minutes(desk, 32)
    (mail,) = server.mails
    assert (mail["To"], mail["Subject"]) == ("lead@example.com", "SEV2 redis on lab: escalated")


def test_where_pagerduty_has_the_alert_its_own_policy_is_used(
    desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTING", pagerduty.ROUTING_KEY)
    monkeypatch.setenv("PD_API", pagerduty.API_KEY)
    api = pagerduty.PagerDuty()
    url = serve(api).url
    desk.channels["pager"] = {
        "kind": "pagerduty",
        "audience": "on-call",
        "routing_key": {"env": "ROUTING"},
        "api_key": {"env": "PD_API"},
        "events_url": url,
        "rest_url": url,
    }
    breaks(desk, "sev1")
    desk.deliver()
    desk.clock.now_ += timedelta(minutes=40)
    assert desk.escalate() == [f"{ID}: pager has the alert, and escalates by its own policy"]
    api.acknowledger = "Anna"
    assert desk.escalate()[0] == f"{ID}: Anna acknowledged it in pager"
    assert desk.kinds("escalated", "acknowledged") == ["acknowledged"]
    assert [event["event_action"] for event in api.events] == ["trigger"]  # it knows that itself


def test_while_pagerduty_is_down_our_own_steps_are_used(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTING", pagerduty.ROUTING_KEY)
    desk.channels["pager"] = {
        "kind": "pagerduty",
        "audience": "on-call",
        "routing_key": {"env": "ROUTING"},
        "events_url": "http://127.0.0.1:9",
    }
    breaks(desk, "sev2")
    assert minutes(desk, 31) == [(0, "on-call"), (30, "team-lead")]


ANNA_AND_BEN = {
    "on-call": {
        "title": "On-call",
        "schedule": {
            "start": "2026-10-19 09:00",
            "time_zone": "Europe/Berlin",
            "people": [{"name": "Anna"}, {"name": "Ben"}],
        },
    }
}


@pytest.mark.parametrize(
    ("at", "who"),
    [
        (datetime(2026, 10, 19, 7, 0, tzinfo=UTC), "Anna"),  # 9:00 in summer
        (
            datetime(2026, 10, 26, 7, 59, tzinfo=UTC),
            "Anna",
        ),  # 8:59 in winter: the clocks changed the day before
        (datetime(2026, 10, 26, 8, 0, tzinfo=UTC), "Ben"),
        (datetime(2026, 11, 2, 8, 0, tzinfo=UTC), "Anna"),
        (datetime(2026, 10, 19, 6, 59, tzinfo=UTC), "Ben"),  # before it began
    ],
)
def test_a_turn_ends_at_the_same_time_of_day_over_daylight_saving(desk: Desk, at: datetime, who: str) -> None:
    desk.more = {"contacts": ANNA_AND_BEN}
    contacts = read_contacts(desk.sections, ())
    assert contacts["on-call"].person(at).name == who


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({"contacts": {"a": {"title": "A", "via": ["mial"]}}}, "'mial', which is no channel"),
        ({"contacts": {"a": {}}}, "contacts.a lacks the key 'title'"),
        ({"contacts": []}, "contacts must be a mapping of roles"),
        (
            {"contacts": {"a": {"title": "A", "schedule": {"start": "x", "time_zone": "UTC", "people": []}}}},
            "nobody",
        ),
        (
            {
                "contacts": {
                    "a": {
                        "title": "A",
                        "schedule": {"start": "x", "time_zone": "UTC", "people": [{"name": "B"}]},
                    }
                }
            },
            "start must be a time",
        ),
        (
            {
                "contacts": {
                    "a": {
                        "title": "A",
                        "schedule": {
                            "start": "2026-01-01",
                            "time_zone": "Mars/Olympus",
                            "people": [{"name": "B"}],
                        },
                    }
                }
            },
            "time_zone must be one such as Europe/Berlin",
        ),
        ({"escalation": {"steps": [{"to": "team-led", "after_minutes": 1}]}}, "did you mean 'team-lead'"),
        ({"escalation": {"steps": [{"to": "team-lead", "after_minutes": "1"}]}}, "must be a number"),
        (
            {
                "escalation": {
                    "steps": [{"to": "on-call", "after_minutes": 2}, {"to": "team-lead", "after_minutes": 1}]
                }
            },
            "must be in the order of after_minutes",
        ),
    ],
)
def test_what_cannot_be_right_is_said_with_its_place(
    desk: Desk, section: dict[str, Any], sentence: str
) -> None:
    desk.more = section
    with pytest.raises(UsageError, match=r"policy\.yml") as raised:
        read_escalation(desk.sections, desk.post().contacts)
    assert sentence in str(raised.value)


def test_a_room_is_told_of_each_step_once(desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", SECRET)
    server = serve(receiver)
    desk.channels["room"] = {
        "kind": "webhook",
        "audience": "room",
        "url": server.url,
        "secret": {"env": "HOOK"},
    }
    breaks(desk, "sev2")
    minutes(desk, 46)
    told = [asked.json for asked in server.asked if asked.json["what"] == "escalated"]
    assert [one["text"].partition(":")[0] for one in told] == [
        "escalated to On-call",
        "escalated to Team Lead",
        "escalated to Engineering Manager",
    ]
