"""What the severities mean is data; the next business day is one of the site's own clock and calendar."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from saveit_remediate.catalog.checks import Node, load_yaml
from saveit_remediate.catalog.policy import Sections
from saveit_remediate.catalog.policy_severities import Severities, read_severities
from saveit_remediate.cli.command import cli
from saveit_remediate.errors import UsageError

SHIPPED = Path(__file__).parents[3] / (
    "collections/ansible_collections/saveit/remediation/roles/ladder/files/policy.yml"
)


def read(**changed: Any) -> Severities:
    shipped = load_yaml(SHIPPED)
    site = {"severities": {**copy.deepcopy(shipped["severities"]), **changed}}
    return read_severities(Sections(Node(site, Path("policy.yml")), Node(shipped, SHIPPED)))


@pytest.mark.parametrize(
    ("severity", "zone", "at", "due"),
    [
        ("sev1", "UTC", "2026-11-28T03:00+00:00", "2026-11-28T03:15+00:00"),
        ("sev3", "UTC", "2026-11-27T23:00+00:00", "2026-11-28T01:00+00:00"),
        ("sev4", "UTC", "2026-11-26T03:00+00:00", "2026-11-27T17:00+00:00"),
        # Friday evening, and Saturday: Monday.
        ("sev4", "UTC", "2026-11-27T20:00+00:00", "2026-11-30T17:00+00:00"),
        ("sev4", "UTC", "2026-11-28T20:00+00:00", "2026-11-30T17:00+00:00"),
        # It is Thursday in Auckland already.
        ("sev4", "Pacific/Auckland", "2026-11-25T12:00+00:00", "2026-11-27T04:00+00:00"),
        # The clocks are set forward on 29 March, and back on 25 October: 17:00 is not the same UTC.
        ("sev4", "Europe/Berlin", "2026-03-27T12:00+00:00", "2026-03-30T15:00+00:00"),
        ("sev4", "Europe/Berlin", "2026-03-26T12:00+00:00", "2026-03-27T16:00+00:00"),
        ("sev4", "Europe/Berlin", "2026-10-23T12:00+00:00", "2026-10-26T16:00+00:00"),
        # Two hours are two hours, also over the hour that there is twice.
        ("sev3", "Europe/Berlin", "2026-10-25T00:30+00:00", "2026-10-25T02:30+00:00"),
        ("sev9", "UTC", "2026-11-26T03:00+00:00", None),
    ],
)
def test_when_somebody_has_to_have_responded(severity: str, zone: str, at: str, due: str | None) -> None:
    found = read(time_zone=zone).respond_by(severity, datetime.fromisoformat(at))
    assert found == (due and datetime.fromisoformat(due))


def test_a_holiday_is_no_business_day() -> None:
    known = read(holidays=[datetime(2026, 12, 25).date()], working_days=["friday"])
    due = known.respond_by("sev4", datetime(2026, 12, 21, tzinfo=UTC))
    assert due == datetime(2027, 1, 1, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"time_zone": "Europe/Nowhere"}, "time_zone is 'Europe/Nowhere', which is no time zone"),
        ({"time_zone": "../etc/passwd"}, "no time zone"),
        ({"working_days": ["someday"]}, r"working_days\[0\] must be one of monday"),
        ({"working_days": []}, "must have a day"),
        ({"working_hours": ["09:00", 1020]}, 'must be a time in quotes such as "17:00", not 1020'),
        ({"working_hours": ["17:00", "09:00"]}, "must be two times in order"),
        ({"holidays": ["soon"]}, r"holidays\[0\] must be a date"),
        ({"levels": {}}, "lacks the key 'sev1'"),
    ],
)
def test_what_cannot_be_right_is_said_with_its_place(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(**changed)


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ({"definition": "x", "respond_within": "soon"}, "must be a time such as 15m, 2h or 1d"),
        ({"definition": "x", "respond_within": "15m", "when": {"down_percent": 101}}, "at most 100"),
        ({"definition": "x"}, "levels.sev1 lacks the key 'respond_within'"),
    ],
)
def test_a_level_is_read_strictly(level: dict[str, Any], words: str) -> None:
    levels = {**load_yaml(SHIPPED)["severities"]["levels"], "sev1": level}
    with pytest.raises(UsageError, match=words):
        read(levels=levels)


def test_a_policy_without_the_section_has_the_shipped_one() -> None:
    site = Node({"schema": 1}, Path("policy.yml"))
    known = read_severities(Sections(site, Node(load_yaml(SHIPPED), SHIPPED)))
    assert [one.response for one in known.levels.values()] == ["15 min", "30 min", "2 h", "next business day"]


def test_the_table_of_the_runbook_is_printed() -> None:
    done = CliRunner().invoke(cli, ["severities"], catch_exceptions=False, standalone_mode=False)
    assert "sev1\tComplete service outage\t15 min\tAll users unable to access platform" in done.output
