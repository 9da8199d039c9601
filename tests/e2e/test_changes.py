"""A limit that was raised in the lab: recorded on the host, listed, expired, and put back by whom it may."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab, Remediate


def cap() -> float:
    """The CPU cap of the backend, in cores."""
    command = ["docker", "inspect", "--format", "{{json .HostConfig}}", "saveit-backend"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    host = json.loads(said)
    return float(host["NanoCpus"] / 1e9 or host["CpuQuota"] / (host["CpuPeriod"] or 100_000))


@pytest.mark.long
def test_a_raised_cap_is_recorded_listed_and_put_back(lab: Lab, remediate: Remediate) -> None:
    lab.break_("cpu-throttled")
    before = cap()
    report = remediate("--incident", "cpu", "--yes", "--json").report
    assert report["outcome"] == "recovered", report["sentence"]
    raised = cap()
    assert raised > before
    (told,) = report["changes"]
    assert (told["what"], told["incident"]) == ("CPU cap of saveit-backend", report["incident_id"])
    (listed,) = remediate("changes", "--json").report["changes"]
    assert (listed["id"], listed["before"], listed["expired"]) == (told["id"], f"{before:g} cores", False)

    early = remediate("revert", "--expired")
    assert (early.code, cap()) == (0, raised)
    assert "nothing to put back" in early.stdout
    assert remediate("pause", "all", "--reason", "database move", "--until", "1h").code == 0
    paused = remediate("revert", told["id"])
    assert (paused.code, cap()) == (4, raised)
    assert "database move" in paused.stdout
    assert remediate("resume-automation", "all").code == 0
    assert remediate("revert", told["id"], "--check").code == 0
    assert cap() == raised

    done = remediate("revert", told["id"])
    assert (done.code, cap()) == (0, before), done.stdout
    assert remediate("changes", "--json").report["changes"] == []
    assert remediate("show", report["incident_id"], "--json").report["changes"] == []
