"""The application: what its faults need beside test_faults.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab, Remediate, Watch

# Of the database, in which the ready endpoint fails too; in the others it goes on answering 200.
DATABASE_FAULTS = (pytest.param("database-paused", marks=pytest.mark.long), "database-slots-exhausted")


def findings(report: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in report["findings"]]


def test_the_diagnostics_are_kept_before_the_first_remedy(lab: Lab, remediate: Remediate) -> None:
    lab.break_("application-503")
    report = remediate("--incident", "application", "--yes", "--json").report
    assert report["outcome"] == "recovered", report["sentence"]
    events = remediate("show", report["incident_id"], "--json").report["events"]
    kinds = [event["kind"] for event in events]
    assert kinds.index("assessed") < kinds.index("remedy-started")
    (assessed,) = (event for event in events if event["kind"] == "assessed")
    kept = {each["name"]: each["value"] for each in assessed["payload"]["evidence"]}
    assert 0 < len(kept["application.log"]) <= 100
    assert any("a start-up task has not ended" in line for line in kept["application.log"])
    assert kept["application.state"] == "running"
    assert {"application.restarts", "application.exit_code", "application.health"} <= set(kept)


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
