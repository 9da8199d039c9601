"""The life of an incident: what people and runs write, where it stands, and which moves are legal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from saveit_remediate.catalog.checks import Node, load_yaml
from saveit_remediate.catalog.policy import Sections
from saveit_remediate.catalog.policy_severities import read_severities
from saveit_remediate.errors import RefusedError
from saveit_remediate.incident import Request, Severity
from saveit_remediate.incident_life import AT_WORK, MOVES, STATES, Life, life_of, refusal, run_is_open
from saveit_remediate.journal import Event, Journal, open_journal
from saveit_remediate.journal.controller import this_controller
from saveit_remediate.report.history import summarize, unfinished, waits
from saveit_remediate.respond.opening import open_incident, open_or_join
from saveit_remediate.respond.people import NewIncident, open_by_hand, tell
from saveit_remediate.settings import Setting, Settings

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
SICK = ("assessed", {"severity": "sev2", "why": "a rule", "findings": [{"id": "dead"}], "hosts": ["alpha"]})
RUN = ("opened", {"incident": "redis", "inventory": "/hosts", "controller": this_controller(600)})
HAND = ("opened", {"incident": "redis", "inventory": "/hosts", "opened_by": "anna", "sentence": "slow"})
ACK = ("acknowledged", {"by": "anna"})
START, END = ("remedy-started", {"remedy": "restart"}), ("remedy-finished", {"remedy": "restart"})
WELL, SAD = ("closed", {"outcome": "recovered"}), ("closed", {"outcome": "unresolved"})
Told = tuple[str, dict[str, Any]]


def record(*told: Told) -> list[Event]:
    return [
        Event("one", n, (NOW + timedelta(minutes=n)).isoformat(), kind, payload, "", "")
        for n, (kind, payload) in enumerate(told)
    ]


def life(*told: Told) -> Life:
    return life_of(record(*told))


@pytest.mark.parametrize(
    ("told", "state", "is_open"),
    [
        ([HAND], "opened", True),
        ([HAND, ACK], "acknowledged", True),
        ([RUN], "opened", True),
        ([RUN, SICK], "assessing", True),
        ([HAND, ("joined", {}), SICK], "assessing", True),
        ([RUN, SICK, ACK], "assessing", True),
        ([RUN, SICK, START], "remediating", True),
        ([RUN, SICK, START, END], "monitoring", True),
        ([RUN, SICK, START, END, START], "remediating", True),
        ([RUN, SICK, START, END, WELL], "resolved", False),
        ([RUN, SICK, START, END, ("closed", {"outcome": "recovered", "baseline": "not-back"})],
         "monitoring", True),
        ([RUN, SICK, START, END, SAD], "monitoring", True),
        ([RUN, SICK, SAD], "assessing", True),
        ([RUN, SICK, ("closed", {"outcome": "planned"})], "assessing", True),
        ([RUN, ("closed", {"outcome": "refused"})], "assessing", True),
        ([RUN, ("assessed", {}), ("closed", {"outcome": "healthy"})], "resolved", False),
        ([RUN, ("closed", {"outcome": "error"})], "resolved", False),
        ([HAND, ("joined", {}), ("closed", {"outcome": "error"})], "opened", True),
        ([("opened", {"check": True}), SICK, ("closed", {"outcome": "planned"})], "assessing", False),
        ([HAND, ("resolved", {"by": "bo"})], "resolved", False),
        ([HAND, ("resolved", {"by": "bo"}), ("reviewed", {"by": "bo"})], "reviewed", False),
        ([RUN, SICK, WELL, ("reopened", {"by": "bo", "reason": "again"})], "opened", True),
        ([RUN, SICK, ("closed", {"outcome": "resumed", "resumed_as": "two"})], "resolved", False),
    ],
)  # fmt: skip
def test_where_it_stands_follows_from_its_record(told: list[Told], state: str, is_open: bool) -> None:
    assert (life(*told).state, life(*told).is_open) == (state, is_open)


def test_every_state_is_reached_and_every_move_leads_from_a_state_to_a_state() -> None:
    assert {to for moves in MOVES.values() for to in moves.values()} | {"opened"} == set(STATES)
    assert all(set(moves) <= set(STATES) for moves in MOVES.values())


OVER: list[Told] = [HAND, ("resolved", {"by": "bo"})]
REVIEWED: list[Told] = [*OVER, ("reviewed", {"by": "bo"})]


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        (OVER, "acknowledged", r"resolved since 2026-11-26 03:01:00 UTC \(by bo\).*first: .* reopen one"),
        (OVER, "assigned", "it is resolved since"),
        (OVER, "resolved", "it is resolved since"),
        (REVIEWED, "severity", "it is reviewed since"),
        ([HAND], "reopened", "cannot reopen one: it is opened since .* while it is resolved, reviewed"),
        ([HAND], "reviewed", "cannot review one: it is opened"),
        ([HAND, ACK], "acknowledged", "cannot acknowledge one: anna has acknowledged it"),
        ([("opened", {"check": True})], "note", "--check, and no incident"),
        ([RUN, ("closed", {"outcome": "resumed", "resumed_as": "two"})], "reopened", "two goes on with it"),
    ],
)  # fmt: skip
def test_an_illegal_move_is_refused_with_a_sentence(told: list[Told], kind: str, words: str) -> None:
    import re

    assert re.search(words, refusal(life(*told), kind, "bo"))


@pytest.mark.parametrize("kind", ["acknowledged", "assigned", "severity", "resolved", "note"])
def test_while_it_is_open_people_may_do_all_of_that(kind: str) -> None:
    for state in AT_WORK:
        assert state in MOVES[kind]
    assert refusal(life(RUN, SICK), kind, "bo") == ""


def test_an_illegal_move_that_is_in_the_record_moves_nothing() -> None:
    found = life(*OVER, ACK, ("severity", {"to": "sev1"}), ("assigned", {"to": "eve"}))
    assert (found.state, found.acknowledged_by, found.assignee) == ("resolved", "", "")


def test_what_a_person_says_of_the_severity_is_not_overruled_by_an_assessment() -> None:
    found = life(RUN, SICK, ("severity", {"to": "sev1", "reason": "all customers"}), SICK)
    assert (found.severity, found.why, found.customer_facing) == ("sev1", "all customers", True)
    assert (life(RUN, SICK).severity, life(HAND).severity) == ("sev2", "sev3")
    assert life(HAND, ("severity", {"to": "sev4"})).customer_facing is False


def test_who_reopens_begins_the_clock_and_the_acknowledgement_anew() -> None:
    found = life(RUN, SICK, ACK, SAD, ("resolved", {"by": "bo"}), ("reopened", {"by": "bo"}))
    assert (found.acknowledged_by, found.failed_at) == ("", None)
    assert found.opened_at == NOW + timedelta(minutes=5)


def test_the_end_of_a_run_is_known_also_where_people_write_after_it() -> None:
    assert run_is_open(record(RUN, ACK))
    assert not run_is_open(record(RUN, WELL, ("note", {})))
    assert run_is_open(record(RUN, SAD, ("joined", {})))
    assert not run_is_open(record(HAND, ACK))
    assert not run_is_open(record(RUN, SAD, ("joined", {"stopped": True})))
    assert waits(record(RUN, ("waiting", {}), ("note", {}), ("approved", {})))
    assert not waits(record(RUN, ("waiting", {}), ("resolved", {})))
    assert summarize(record(HAND, ACK)).outcome == "open"
    assert summarize(record(RUN, WELL, ("reopened", {"reason": "no"}))).outcome == "reopened"
    assert summarize(record(RUN, SAD, ("joined", {}))).outcome == "unfinished"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(tmp_path / "journal.db")
    yield opened
    opened.close()


def write(journal: Journal, incident_id: str, *told: Told) -> None:
    for kind, payload in told:
        journal.append(incident_id, kind, payload, NOW)


def test_of_two_who_acknowledge_at_once_one_wins_and_the_other_is_told(tmp_path: Path) -> None:
    path, said = tmp_path / "journal.db", dict[str, str]()
    with_one = open_journal(path)
    write(with_one, "one", HAND)
    gate = threading.Barrier(2)

    def acknowledge(name: str) -> None:
        own = open_journal(path)
        gate.wait(10)
        try:
            tell(own, "one", "acknowledged", {"by": name}, NOW)
            said[name] = "won"
        except RefusedError as error:
            said[name] = str(error)
        own.close()

    people = [threading.Thread(target=acknowledge, args=[name]) for name in ("anna", "bo")]
    for each in people:
        each.start()
    for each in people:
        each.join(20)
    winner = next(name for name, words in said.items() if words == "won")
    loser = {"anna": "bo", "bo": "anna"}[winner]
    assert said[loser] == f"cannot acknowledge one: {winner} has acknowledged it"
    assert [event.kind for event in with_one.events("one")] == ["opened", "acknowledged"]
    with_one.close()


def test_nobody_resolves_what_a_run_is_at_work_on(journal: Journal) -> None:
    write(journal, "one", RUN, SICK)
    with pytest.raises(RefusedError, match="a run is at work on it"):
        tell(journal, "one", "resolved", {"by": "bo"}, NOW)
    write(journal, "one", SAD)
    _event, before = tell(journal, "one", "resolved", {"by": "bo"}, NOW)
    assert before.state == "assessing"


def test_a_change_of_severity_says_what_it_was(journal: Journal) -> None:
    write(journal, "one", RUN, SICK)
    event, _before = tell(journal, "one", "severity", {"by": "bo", "to": "sev1"}, NOW)
    assert (event.payload["from"], event.payload["to"]) == ("sev2", "sev1")
    with pytest.raises(RefusedError, match="it is sev1 already"):
        tell(journal, "one", "severity", {"by": "anna", "to": "sev1"}, NOW)


REDIS = "20261126-030000-redis-0001"


@pytest.mark.parametrize(
    ("told", "asked", "found"),
    [
        ([HAND], ("redis", "/hosts", ""), REDIS),
        ([RUN, SICK, SAD], ("redis", "/hosts", ""), REDIS),
        ([RUN, SICK], ("redis", "/hosts", ""), REDIS),
        ([RUN, SICK, WELL], ("redis", "/hosts", ""), None),
        ([RUN, SICK, SAD], ("redis", "/others", ""), None),
        ([RUN, SICK, SAD], ("redis", "/hosts", "alpha"), None),
        ([RUN, SICK, SAD], ("database", "/hosts", ""), None),
        ([("opened", {**RUN[1], "controller": {**this_controller(600), "pid": 2**22 + 1}})],
         ("redis", "/hosts", ""), None),
    ],
)  # fmt: skip
def test_which_incident_a_second_alert_joins(
    journal: Journal, told: list[Told], asked: tuple[str, str, str], found: str | None
) -> None:
    write(journal, REDIS, *told)
    seen = open_incident(journal, *asked, NOW)  # type: ignore[arg-type]
    assert (seen and seen.incident_id) == found


def test_an_incident_opened_by_hand_is_open_once_and_never_unfinished(journal: Journal) -> None:
    policy = Path(__file__).parents[3] / (
        "collections/ansible_collections/saveit/remediation/roles/ladder/files/policy.yml"
    )
    node = Node(load_yaml(policy), policy)
    known = read_severities(Sections(node, node))
    new = NewIncident("redis", "it is slow", "anna", "/hosts", severity="sev1")
    event = open_by_hand(journal, new, known, NOW, "0001")
    assert event.payload["respond_by"] == "2026-11-26T03:15:00+00:00"
    with pytest.raises(RefusedError, match=f"{REDIS} is opened; saveit-remediate note"):
        open_by_hand(journal, new, known, NOW, "0002")
    assert journal.incidents() == [REDIS]
    assert unfinished(journal, NOW + timedelta(days=3)) == []


def case_of(journal: Journal, **asked: Any) -> Any:
    return SimpleNamespace(
        record=SimpleNamespace(incident_id="new", now=lambda: NOW, journal=journal, write=None),
        request=Request("redis", "/hosts", **asked),
        settings=Settings({"inventory": Setting("inventory", "/hosts", "by default")} | TIMEOUT),
        runbook=SimpleNamespace(id="redis", title="Redis"),
        world=SimpleNamespace(user="bo", screen=SimpleNamespace(warning=lambda _: None)),
        variables={},
    )


TIMEOUT = {"timeout": Setting("timeout", 600, "by default")}


def test_a_run_beside_one_that_is_at_work_is_refused_and_that_it_came_is_recorded(journal: Journal) -> None:
    write(journal, REDIS, RUN, SICK)
    with pytest.raises(RefusedError, match=f"process .* is at work on {REDIS}.*joined it, and nothing was"):
        open_or_join(case_of(journal))
    last = journal.events(REDIS)[-1]
    assert (last.kind, last.payload["user"]) == ("joined", "bo")
    assert life_of(journal.events(REDIS)).running, "the first run goes on"


def test_a_run_that_joins_has_the_severity_that_a_person_said(journal: Journal) -> None:
    write(journal, REDIS, RUN, SICK, SAD, ("severity", {"to": "sev1", "reason": "all customers"}))
    case = case_of(journal)
    open_or_join(case)
    assert (case.record.incident_id, case.request.severity) == (REDIS, "sev1")
    assert case.request.severity_why == "said by a person: all customers"
    write(journal, REDIS, SAD)
    given = case_of(journal, severity=Severity.SEV3)
    open_or_join(given)
    assert (given.request.severity, given.request.severity_why) == ("sev3", "")


def test_a_run_opens_its_own_incident_where_none_is_open(journal: Journal) -> None:
    case = case_of(journal)
    open_or_join(case)
    assert (case.record.incident_id, journal.events("new")[0].kind) == ("new", "opened")
