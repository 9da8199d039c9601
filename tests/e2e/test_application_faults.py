"""Every fault of the application in the lab: broken for real, found, remedied or given to a person."""

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
EXIT_CODES = {"recovered": 0, "unresolved": 3}
# Of the database, in which the ready endpoint fails too; in the others it goes on answering 200.
DATABASE_FAULTS = ("database-stopped", "database-paused", "database-slots-exhausted")
CRASHES = {"die saveit-backend", "start saveit-backend"}  # by the engine's restart policy, all the time


def faults() -> list[dict[str, str]]:
    listed = subprocess.run(
        [REPOSITORY / "lab" / "lab", "faults", "--json"], capture_output=True, text=True, check=True
    )
    return [fault for fault in json.loads(listed.stdout) if fault["incident"] == "application"]


def findings(report: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in report["findings"]]


def touched(seen: Watch, fault: str) -> list[str]:
    return [each for each in seen.touched if fault != "application-crash-loop" or each not in CRASHES]


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault["name"])
@pytest.mark.parametrize("turn", range(1, ROUNDS + 1))
def test_a_check_touches_nothing_and_then_the_fault_ends_as_the_runbook_says(
    lab: Lab, fault: dict[str, str], turn: int, remediate: Remediate, watch: Callable[[], Watch],
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    lab.break_(fault["name"])
    with watch() as seen:
        checked = remediate("--incident", "application", "--json", "--check")
    assert touched(seen, fault["name"]) == []
    planned = [each for each in checked.report["actions"] if each["result"] == "planned"]
    assert bool(planned) is (fault["expected"] == "recovered")

    with watch() as seen:
        done = remediate("--incident", "application", "--yes", "--json")
    report = done.report
    helped = [action["remedy"] for action in report["actions"] if action["result"] == "helped"]
    for name, value in (
        ("profile", lab.profile), ("fault", fault["name"]), ("outcome", report["outcome"]),
        ("found as", findings(report)[0]), ("remedy that helped", ", ".join(helped) or "-"),
        ("seconds", f"{report['seconds']:.1f}"),
    ):  # fmt: skip
        record_property(name, value)

    assert report["outcome"] == fault["expected"], report["sentence"]
    assert findings(report)[0] == fault["finding"]
    assert done.code == EXIT_CODES[fault["expected"]]
    if fault["expected"] == "recovered":
        assert helped
        assert report["verification"]["verdict"] == "recovered"
        assert lab.is_healthy()
    else:
        assert touched(seen, fault["name"]) == []
        assert report["findings"][0]["next"], "a person must be told what to do"


@pytest.mark.parametrize("fault", DATABASE_FAULTS)
def test_a_backend_whose_database_is_at_fault_is_left_alone_and_the_database_is_named(
    lab: Lab, fault: str, remediate: Remediate, watch: Callable[[], Watch]
) -> None:
    """With the slots full, a restart would make some failing answers all of them."""
    lab.break_(fault)
    with watch() as seen:
        report = remediate("--incident", "application", "--yes", "--json").report
    assert report["outcome"] == "unresolved", report["sentence"]
    assert findings(report) == ["application-database"]
    assert "--incident database" in report["findings"][0]["next"]
    assert seen.touched == []


def test_the_diagnostics_are_kept_before_the_first_remedy(lab: Lab, remediate: Remediate) -> None:
    lab.break_("application-503")
    report = remediate("--incident", "application", "--yes", "--json").report
    events = remediate("show", report["incident_id"], "--json").report["events"]
    kinds = [event["kind"] for event in events]
    assert kinds.index("assessed") < kinds.index("remedy-started")
    (assessed,) = (event for event in events if event["kind"] == "assessed")
    kept = {each["name"]: each["value"] for each in assessed["payload"]["evidence"]}
    assert 0 < len(kept["application.log"]) <= 100
    assert any("a start-up task has not ended" in line for line in kept["application.log"])
    assert (kept["application.state"], kept["application.restarts"]) == ("running", 0)
    assert "application.exit_code" in kept


@pytest.mark.parametrize("turn", range(1, 4 * ROUNDS + 1))
def test_a_healthy_application_gets_no_action(
    healthy: Lab, turn: int, remediate: Remediate, watch: Callable[[], Watch]
) -> None:
    with watch() as seen:
        done = remediate("--incident", "application", "--yes", "--json")
    assert (done.code, done.report["outcome"]) == (0, "healthy"), done.report["sentence"]
    assert (done.report["actions"], seen.touched) == ([], [])
