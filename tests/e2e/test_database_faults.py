"""Every fault of the database in the lab: broken for real, found, remedied or given to a person; proved."""

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
# The server's processes with their start times: a session that ended is one less.
SESSIONS = (
    "for each in /proc/[0-9]*; do tr '\\0' ' ' < $each/cmdline | grep -q '^postgres: .*saveit saveit' && "
    'echo $each $(sed "s/.*) //" $each/stat | cut -d" " -f20); done; exit 0'
)


def faults() -> list[dict[str, str]]:
    listed = subprocess.run(
        [REPOSITORY / "lab" / "lab", "faults", "--json"], capture_output=True, text=True, check=True
    )
    return [fault for fault in json.loads(listed.stdout) if fault["incident"] == "database"]


def findings(report: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in report["findings"]]


def sessions() -> set[str]:
    """Of the server, where its container can be looked into."""
    inside = ["docker", "exec", "saveit-postgres", "sh", "-c", SESSIONS]
    return set(subprocess.run(inside, capture_output=True, text=True, check=False).stdout.splitlines())


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault["name"])
@pytest.mark.parametrize("turn", range(1, ROUNDS + 1))
def test_a_check_touches_nothing_and_then_the_fault_ends_as_the_runbook_says(
    lab: Lab, fault: dict[str, str], turn: int, remediate: Remediate, watch: Callable[[], Watch],
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    lab.break_(fault["name"])
    before = sessions()
    with watch() as seen:
        checked = remediate("--incident", "database", "--json", "--check")
    assert (checked.code, seen.touched) == (0, [])
    # A pool gives up sessions by itself; whom the check named is there.
    named = {
        f"/proc/{session.split()[1]}"
        for action in checked.report["actions"] if action["result"] == "planned"
        for diff in action["diff"]
        for session in diff["before"].splitlines() if session.startswith(("session", "process"))
    }  # fmt: skip
    assert named <= {each.split()[0] for each in before & sessions()}

    with watch() as seen:
        done = remediate("--incident", "database", "--yes", "--json")
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
    else:
        assert seen.touched == []
        cause = next(item for item in report["findings"] if item["id"] == fault["finding"])
        assert cause["next"], "a person must be told what to do"


@pytest.mark.parametrize("turn", range(1, 4 * ROUNDS + 1))
def test_a_healthy_database_gets_no_action(
    healthy: Lab, turn: int, remediate: Remediate, watch: Callable[[], Watch]
) -> None:
    with watch() as seen:
        done = remediate("--incident", "database", "--yes", "--json")
    assert (done.code, done.report["outcome"]) == (0, "healthy"), done.report["sentence"]
    assert (done.report["actions"], seen.touched) == ([], [])


def test_a_restart_of_the_database_has_to_be_approved(lab: Lab, remediate: Remediate) -> None:
    lab.break_("database-hung")
    report = remediate("--incident", "database", "--yes", "--json", "-e", "ladder_max_risk=high").report
    assert report["outcome"] == "recovered", report["sentence"]
    assert [each["remedy"] for each in report["actions"] if each["result"] == "helped"] == [
        "restart-database"
    ]
