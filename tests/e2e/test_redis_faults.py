"""Every fault of Redis in the lab: broken for real, found, remedied or handed to a person, and proved."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab, Remediate, Watch

REPOSITORY = Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("ROUNDS", "1"))
EXIT_CODES = {"healthy": 0, "planned": 0, "recovered": 0, "unresolved": 3}


def faults() -> list[dict[str, str]]:
    listed = subprocess.run(
        [REPOSITORY / "lab" / "lab", "faults", "--json"], capture_output=True, text=True, check=True
    )
    return [fault for fault in json.loads(listed.stdout) if fault["incident"] == "redis"]


def findings(report: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in report["findings"]]


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault["name"])
@pytest.mark.parametrize("turn", range(1, ROUNDS + 1))
def test_a_fault_ends_as_the_runbook_says(
    lab: Lab, fault: dict[str, str], turn: int, remediate: Remediate, watch: Callable[[], Watch],
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    lab.break_(fault["name"])
    with watch() as seen:
        done = remediate("--incident", "redis", "--yes", "--json")
    report = done.report
    helped = [action["remedy"] for action in report["actions"] if action["result"] == "helped"]
    for name, value in (
        ("profile", lab.profile), ("fault", fault["name"]), ("outcome", report["outcome"]),
        ("found as", findings(report)[0]), ("remedy that helped", ", ".join(helped) or "-"),
        ("seconds", f"{report['seconds']:.1f}"),
    ):  # fmt: skip
        record_property(name, value)

    assert report["outcome"] == fault["expected"], report["sentence"]
    assert fault["finding"] in findings(report)
    assert done.code == EXIT_CODES[fault["expected"]]
    if fault["expected"] == "recovered":
        assert helped
        assert report["verification"]["verdict"] == "recovered"
        assert lab.says_pong()
        assert lab.is_healthy()
    else:
        assert seen.touched == []
        cause = next(item for item in report["findings"] if item["id"] == fault["finding"])
        assert cause["next"], "a person must be told what to do"


@pytest.mark.parametrize("turn", range(1, 4 * ROUNDS + 1))
def test_a_healthy_service_gets_no_action(
    healthy: Lab, turn: int, remediate: Remediate, watch: Callable[[], Watch]
) -> None:
    with watch() as seen:
        done = remediate("--incident", "redis", "--yes", "--json")
    assert (done.code, done.report["outcome"]) == (0, "healthy"), done.report["sentence"]
    assert done.report["actions"] == []
    assert seen.touched == []


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
