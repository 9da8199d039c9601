"""Every fault of MQTT in the lab: found, remedied where the broker runs and nowhere else, and proved."""

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


def faults() -> list[dict[str, Any]]:
    listed = subprocess.run(
        [REPOSITORY / "lab" / "lab", "faults", "--json"], capture_output=True, text=True, check=True
    )
    return [fault for fault in json.loads(listed.stdout) if fault["incident"] == "mqtt"]


def findings(report: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in report["findings"]]


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault["name"])
@pytest.mark.parametrize("turn", range(1, ROUNDS + 1))
def test_a_fault_ends_as_the_runbook_says(
    lab: Lab, fault: dict[str, Any], turn: int, remediate: Remediate, watch: Callable[[], Watch],
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    if lab.profile not in fault["profiles"]:
        pytest.skip(f"not a fault of profile {lab.profile}")
    lab.break_(fault["name"])
    with watch() as checked:
        assert remediate("--incident", "mqtt", "--yes", "--json", "--check").report["outcome"] in (
            "planned",
            "unresolved",
        )
    with watch() as seen:
        done = remediate("--incident", "mqtt", "--yes", "--json")
    report = done.report
    helped = [action["remedy"] for action in report["actions"] if action["result"] == "helped"]
    for name, value in (
        ("profile", lab.profile), ("fault", fault["name"]), ("outcome", report["outcome"]),
        ("found as", findings(report)[0]), ("remedy that helped", ", ".join(helped) or "-"),
        ("seconds", f"{report['seconds']:.1f}"),
    ):  # fmt: skip
        record_property(name, value)

    assert checked.touched == [], "a check touches nothing"
    assert report["outcome"] == fault["expected"], report["sentence"]
    assert findings(report)[0] == fault["finding"]
    assert done.code == EXIT_CODES[fault["expected"]]
    if fault["expected"] == "recovered":
        assert len(helped) == 1
        assert lab.is_healthy()
        home = "saveit-backend" if "embedded" in fault["name"] else "saveit-mosquitto"
        assert {event.split()[1] for event in seen.touched} == {home}
    else:
        assert seen.touched == []
        assert report["findings"][0]["next"], "a person must be told what to do"


@pytest.mark.parametrize("turn", range(1, 2 * ROUNDS + 1))
def test_a_healthy_broker_gets_no_action(
    healthy: Lab, turn: int, remediate: Remediate, watch: Callable[[], Watch]
) -> None:
    with watch() as seen:
        done = remediate("--incident", "mqtt", "--yes", "--json")
    assert (done.code, done.report["outcome"]) == (0, "healthy"), done.report["sentence"]
    assert (done.report["actions"], findings(done.report), seen.touched) == ([], [], [])
