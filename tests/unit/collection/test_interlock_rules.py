"""The interlock document: what speaks against a remedy, and when that is over. Tables."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _interlock_document as documents
from ansible_collections.saveit.remediation.plugins.module_utils import _interlock_rules as rules
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import iso
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

NOW = parse_time("2026-11-26T02:30:00Z") or 0.0
MINUTE = 60.0
HOUR = rules.Window(3, 60)
DAY = rules.Window(7, 1440)
LEASE = {"holder": "alice@ops1", "incident": "redis-1", "token": "a"}


def leased(at: float = NOW, duration: float = 600) -> documents.Document:
    return documents.with_lease(documents.empty(), ["backend"], LEASE, at, duration)


def tried(*attempts: tuple[float, str], remedy: str = "redis.restart") -> documents.Document:
    """Attempts so many minutes ago, with their results."""
    document = documents.empty()
    for minutes, result in attempts:
        made = {"service": "redis", "remedy": remedy, "incident": "i", "token": f"{minutes}"}
        document = documents.with_attempt(document, made, NOW - minutes * MINUTE)
        document = documents.with_results(document, f"{minutes}", {remedy: result})
    return document


@pytest.mark.parametrize(
    ("seconds_later", "is_over"),
    [(0, False), (599, False), (600, True), (86400, True), (-30, False), (-3600, True)],
)
def test_a_lease_lasts_its_duration_also_when_the_clock_was_set_back(
    seconds_later: float, is_over: bool
) -> None:
    lease = leased()["leases"]["backend"]
    assert documents.is_over(lease, NOW + seconds_later) is is_over


def test_whoever_comes_second_is_told_who_is_at_work_and_until_when() -> None:
    held = rules.why_held(leased(NOW - 1200, 1440), ["backend"], "b", "saveit on staging", NOW)
    assert held == (
        "saveit/backend on staging is being remediated by alice@ops1 (incident redis-1) since 02:10 UTC; "
        "its lease ends 02:34 UTC unless renewed"
    )
    assert rules.why_held(leased(), ["backend"], "a", "saveit on staging", NOW) == ""
    assert rules.why_held(leased(), ["redis"], "b", "saveit on staging", NOW) == ""


def test_a_renewed_lease_is_older_than_its_renewal() -> None:
    lease = documents.with_lease(leased(), ["backend"], LEASE, NOW + 300, 600)["leases"]["backend"]
    assert (lease["since"], lease["renewed"], lease["expires"]) == (iso(NOW), iso(NOW + 300), iso(NOW + 900))


@pytest.mark.parametrize(
    ("ago", "id_", "said"),
    [
        ([], "", ""),
        ([50, 40], "", ""),
        ([20, 10, 5], "cool-down", "Restart: done 3 times since 02:10 UTC; it does not hold"),
        ([20, 10, 5], "cool-down", "the next at 03:10 UTC"),
        ([61, 10, 5], "", ""),
        ([700, 600, 500, 400, 300, 200, 100], "breaker-open", "done 7 times since 14:50 UTC"),
        ([700, 600, 500, 400, 30, 20, 10], "breaker-open", "At most 7 in 1440 minutes"),
        ([1500, 600, 500, 400, 300, 200, 100], "", ""),
        ([-20, -10, 5], "cool-down", "done 3 times"),
    ],
)
def test_a_remedy_is_counted_in_several_windows_at_once(ago: list[float], id_: str, said: str) -> None:
    document = tried(*((minutes, "helped") for minutes in ago))
    found, sentence = rules.why_again(document, "redis.restart", "Restart", [HOUR, DAY], NOW)
    assert found == id_
    assert said in sentence
    assert rules.why_again(document, "redis.start", "Start", [HOUR, DAY], NOW) == ("", "")


@pytest.mark.parametrize(
    ("results", "in_a_row", "is_barred"),
    [
        ([], 2, False),
        (["no_help"], 2, False),
        (["no_help", "no_help"], 2, True),
        (["helped", "no_help", "failed"], 2, True),
        (["no_help", "worse"], 2, True),
        (["no_help", "helped"], 2, False),
        (["no_help", "helped", "no_help"], 2, False),
        (["no_help", "begun", "no_help", "begun"], 2, True),
        (["no_help", "begun"], 2, False),
        (["no_help", "no_help"], 3, False),
        (["no_help", "no_help"], 0, False),
    ],
)
def test_what_did_not_help_twice_in_a_row_is_not_tried_a_third_time(
    results: list[str], in_a_row: int, is_barred: bool
) -> None:
    document = tried(*((60.0 - turn, result) for turn, result in enumerate(results)))
    said = rules.why_no_help(document, "redis.restart", "Restart", in_a_row)
    assert bool(said) is is_barred


@pytest.mark.parametrize(
    ("later", "service", "token", "result", "wait"),
    [
        (10, "redis", "b", "", 20),
        (29.5, "redis", "", "", 0.5),
        (30, "redis", "b", "", 0),
        (10, "backend", "b", "", 0),  # another service
        (10, "redis", "a", "", 0),  # ours, and still at work
        (10, "redis", "b", "helped", 0),
        (-10, "redis", "b", "", 30),  # the clock was set back, a little
        (-3600, "redis", "b", "", 0),  # and by an hour
    ],
)
def test_a_remedy_that_was_cut_off_is_in_doubt_until_it_must_have_helped(
    later: float, service: str, token: str, result: str, wait: float
) -> None:
    made = {"service": "redis", "remedy": "redis.start", "incident": "redis-1", "token": "a"}
    document = documents.with_attempt(documents.empty(), made, NOW, 30)
    document = documents.with_results(document, "a", {"redis.start": result} if result else {})
    said, seconds = rules.in_doubt(document, [service], token, NOW + later)
    assert (bool(said), seconds) == (wait > 0, wait)
    if said:
        assert "redis.start was begun at 02:30 UTC (incident redis-1) and cut off; it may have been" in said


@pytest.mark.parametrize("known_by", [None, "", "soon", 7, {}])
def test_an_attempt_of_an_older_version_is_not_in_doubt(known_by: Any) -> None:
    made = {"service": "redis", "remedy": "redis.start", "incident": "redis-1", "token": "a"}
    document = documents.with_attempt(documents.empty(), made, NOW)
    document["attempts"][0]["known_by"] = known_by
    assert rules.in_doubt(documents.read(documents.write(document)), ["redis"], "b", NOW) == ("", 0)


def test_a_remedy_that_did_nothing_is_not_counted() -> None:
    assert tried((5, "skipped"))["attempts"] == []


def test_what_is_over_goes_and_temporary_changes_stay() -> None:
    document = {**tried((1441, "helped"), (10, "helped")), "changes": [{"id": "1"}]}
    document["leases"] = leased(NOW - 3600)["leases"]
    document["paused"] = {"by": "a", "reason": "r", "since": iso(NOW - 60), "until": iso(NOW - 1)}
    tidied = documents.tidy(document, NOW)
    assert (tidied["leases"], tidied["paused"], len(tidied["attempts"])) == ({}, None, 1)
    assert tidied["changes"] == [{"id": "1"}]


def test_the_document_is_bounded() -> None:
    many = tried(*((minutes, "helped") for minutes in range(1000)))
    assert len(documents.write(documents.tidy(many, NOW))) < 128 * 1024


def damaged(**changes: Any) -> str:
    return json.dumps({**leased(), **changes})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is no JSON"),
        ('{"schema": 1, "leases": {', "it is no JSON"),
        ("[" * 100000, "it is no JSON"),
        ("[]", "its schema is None"),
        (damaged(schema=2), "its schema is 2, and this version knows 1"),
        (damaged(leases=[]), "it has no leases"),
        (damaged(leases={"backend": {"holder": "a"}}), "its leases are damaged: no incident"),
        (
            damaged(leases={"b": {**LEASE, "since": "x", "renewed": "x", "expires": "x"}}),
            "its leases are damaged: since is no time",
        ),
        (damaged(attempts=[5]), "its attempts are damaged"),
        (damaged(paused="yes"), "its paused are damaged"),
        (damaged(changes=["x"]), "its changes are damaged"),
    ],
)
def test_what_is_no_document_is_never_taken_for_an_empty_one(text: str, said: str) -> None:
    with pytest.raises(documents.DamagedError, match=said):
        documents.read(text)


def test_a_document_survives_being_written() -> None:
    document = {**leased(), "attempts": tried((5, "helped"))["attempts"]}
    assert documents.read(documents.write(document)) == document


def test_an_approval_is_good_for_one_attempt_and_for_none_that_did_nothing() -> None:
    made = {"service": "redis", "remedy": "redis.rebuild", "incident": "i", "token": "t", "approval": "abc"}
    document = documents.with_attempt(documents.empty(), made, NOW)
    assert rules.why_used(document, "abc") == (
        "this approval was used at 2026-11-26 02:30 UTC (incident i), and is good for once; ask for another"
    )
    assert rules.why_used(document, "abd") == rules.why_used(document, "") == ""
    document = documents.with_results(document, "t", {"redis.rebuild": "skipped"})
    assert rules.why_used(document, "abc") == ""
