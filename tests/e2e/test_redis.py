"""Redis: its plan, its check and its record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab, Remediate, Watch

REPOSITORY = Path(__file__).resolve().parents[2]
COLLECTION = REPOSITORY / "collections/ansible_collections/saveit/remediation"
DEFAULT_POLICY = COLLECTION / "roles/ladder/files/policy.yml"


def test_a_check_says_what_it_would_do_and_touches_nothing(
    lab: Lab, remediate: Remediate, watch: Callable[[], Watch]
) -> None:
    lab.break_("redis-stopped")
    with watch() as seen:
        done = remediate("--incident", "redis", "--yes", "--json", "--check")
    assert (done.code, done.report["outcome"]) == (0, "planned")
    assert seen.touched == []
    planned = [action for action in done.report["actions"] if action["result"] == "planned"]
    assert planned[0]["remedy"] == "start"
    assert planned[0]["diff"]


def test_without_a_terminal_and_without_yes_it_only_plans(
    lab: Lab, remediate: Remediate, watch: Callable[[], Watch]
) -> None:
    lab.break_("redis-paused")
    with watch() as seen:
        as_json = remediate("--incident", "redis", "--json")
        as_lines = remediate("--incident", "redis")
    assert (as_json.code, as_json.report["outcome"]) == (0, "planned")
    assert as_lines.code == 0
    assert "planned" in as_lines.stdout
    assert "\x1b" not in as_lines.stdout
    assert seen.touched == []


def test_unattended_a_remedy_of_low_risk_runs_by_the_default_policy(lab: Lab, remediate: Remediate) -> None:
    """The clone has a policy of its own, which lets nothing run unattended."""
    lab.break_("redis-paused")
    report = remediate("--incident", "redis", "--json", env={"SAVEIT_POLICY": str(DEFAULT_POLICY)}).report
    assert report["outcome"] == "recovered", report["sentence"]
    assert {each["needs"] for each in report["actions"] if each["result"] == "helped"} == {"nothing"}


def test_the_record_tells_the_whole_story(lab: Lab, remediate: Remediate) -> None:
    lab.break_("redis-stopped")
    report = remediate("--incident", "redis", "--yes", "--json").report
    record = remediate("show", report["incident_id"], "--json").report
    kinds = [event["kind"] for event in record["events"]]
    assert record["outcome"] == "recovered"
    assert record["chain_intact"]
    assert (kinds[0], kinds[-1]) == ("opened", "closed")
    steps = [
        kind
        for kind in kinds
        if kind in ("assessed", "planned", "remedy-started", "remedy-finished", "judged")
    ]
    assert steps == ["assessed", "planned", "remedy-started", "remedy-finished", "judged"]
    listed = remediate("incidents", "--json")
    assert [row["incident_id"] for row in json.loads(listed.stdout)] == [report["incident_id"]]
