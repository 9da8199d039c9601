"""The database: what its faults need beside test_faults.py."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab, Remediate, Watch

# The server's processes with their start times: a session that ended is one less.
SESSIONS = (
    "for each in /proc/[0-9]*; do tr '\\0' ' ' < $each/cmdline | grep -q '^postgres: .*saveit saveit' && "
    'echo $each $(sed "s/.*) //" $each/stat | cut -d" " -f20); done; exit 0'
)


def sessions() -> set[str]:
    """Of the server, where its container can be looked into."""
    inside = ["docker", "exec", "saveit-postgres", "sh", "-c", SESSIONS]
    return set(subprocess.run(inside, capture_output=True, text=True, check=False).stdout.splitlines())


@pytest.mark.parametrize(
    "fault",
    ["database-slots-exhausted", "database-idle-in-transaction"],
)
@pytest.mark.long
def test_a_check_names_sessions_that_are_there_and_ends_none(
    lab: Lab, fault: str, remediate: Remediate, watch: Callable[[], Watch]
) -> None:
    lab.break_(fault)
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
    assert named
    assert named <= {each.split()[0] for each in before & sessions()}


@pytest.mark.long
def test_a_restart_of_the_database_has_to_be_approved(lab: Lab, remediate: Remediate) -> None:
    lab.break_("database-hung")
    report = remediate("--incident", "database", "--yes", "--json", "--approved-by", "tests").report
    assert report["outcome"] == "recovered", report["sentence"]
    assert [each["remedy"] for each in report["actions"] if each["result"] == "helped"] == [
        "restart-database"
    ]
