"""Every fault of the lab: broken for real, found among all incident types, remedied or given to a person.

`make faults` tries them all. Without FAULTS=all it is a sample, as molecule has one fault recovered of each
incident type, and the other tests here have more. INCIDENT=auto lets the command find out which it is.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab, Remediate, Watch

REPOSITORY = Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("ROUNDS", "1"))
WANTED = os.environ.get("FAULTS", "sample")
NAMED = os.environ.get("INCIDENT", "")
SAMPLE = ("redis-wrong-password",)
EXIT_CODES = {"recovered": 0, "unresolved": 3}
# What happens to a container by itself while a fault is in force, whoever looks.
BY_ITSELF = {
    "application-crash-loop": {"die saveit-backend", "start saveit-backend"},
    "certificate-key-crash": {"die saveit-nginx", "start saveit-nginx"},
    "memory-oom-loop": {"oom saveit-backend"},
}
# Over by themselves within seconds, which a busy machine needs to look: broken anew before each command.
PASSES = {"redis-loading"}

Fault = dict[str, Any]


def faults() -> list[Fault]:
    listed = subprocess.run(
        [REPOSITORY / "lab" / "lab", "faults", "--json"], capture_output=True, text=True, check=True
    )
    found: list[Fault] = json.loads(listed.stdout)
    if WANTED == "all":
        return found
    if WANTED != "sample":
        return [fault for fault in found if WANTED in (fault["name"], fault["incident"])]
    return [fault for fault in found if fault["name"] in SAMPLE]


def incidents() -> list[str]:
    roles = REPOSITORY / "collections/ansible_collections/saveit/remediation/roles"
    return sorted(path.parents[1].name for path in roles.glob("*/meta/runbook.yml"))


def own_name(container: str) -> str:
    """While compose makes a container anew, the old one has its id in front of its name."""
    return re.sub(r"^[0-9a-f]{12}_", "", container)


def findings(report: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in report["findings"]]


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault["name"])
@pytest.mark.parametrize("turn", range(1, ROUNDS + 1))
def test_a_fault_is_found_and_ends_as_the_runbook_says(
    lab: Lab, fault: Fault, turn: int, remediate: Remediate, watch: Callable[[], Watch],
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    if lab.profile not in fault["profiles"]:
        pytest.skip(f"{fault['name']} exists on profile {' and '.join(fault['profiles'])} only")
    incident, by_itself = fault["incident"], BY_ITSELF.get(fault["name"], set())
    lab.break_(fault["name"])

    with watch() as seen:
        found = remediate("diagnose", "--json").report
    assert set(seen.touched) <= by_itself
    if fault["name"] in PASSES:
        lab.break_(fault["name"])
    with watch() as seen:
        checked = remediate("--incident", incident, "--json", "--check")
    ranked = [(one["incident"], one["follows_from"]) for one in found["suspects"]]
    assert found["incident"] == incident, ranked
    assert found["suspects"][0]["incident"] == incident, ranked
    assert checked.report["outcome"] == "planned"
    assert set(seen.touched) <= by_itself

    if fault["name"] in PASSES:
        lab.break_(fault["name"])
    with watch() as seen:
        done = remediate("--incident", NAMED or incident, "--yes", "--json")
    report = done.report
    helped = [action["remedy"] for action in report["actions"] if action["result"] == "helped"]
    for name, value in (
        ("profile", lab.profile), ("fault", fault["name"]), ("outcome", report["outcome"]),
        ("found as", findings(report)[0]), ("remedy that helped", ", ".join(helped) or "-"),
        ("seconds", f"{report['seconds']:.1f}"),
    ):  # fmt: skip
        record_property(name, value)

    assert (report["incident"], report["outcome"]) == (incident, fault["expected"]), report["sentence"]
    assert fault["finding"] in findings(report)
    assert done.code == EXIT_CODES[fault["expected"]]
    if fault["expected"] == "recovered":
        assert helped
        assert {own_name(event.split()[1]) for event in seen.touched} <= {f"saveit-{fault['service']}"}
        assert report["verification"]["verdict"] == "recovered"
        assert lab.is_healthy() or fault["incident"] == "cpu"  # a cap that was raised is not as it was made
    else:
        assert set(seen.touched) <= by_itself or any(each["result"] == "failed" for each in report["actions"])
        cause = next(item for item in report["findings"] if item["id"] == fault["finding"])
        assert cause["next"], "a person must be told what to do"


@pytest.mark.parametrize("incident", incidents())
@pytest.mark.parametrize("turn", range(1, 4 * ROUNDS + 1) if WANTED != "sample" else [1])
def test_a_healthy_service_gets_no_action(
    healthy: Lab, incident: str, turn: int, remediate: Remediate, watch: Callable[[], Watch]
) -> None:
    with watch() as seen:
        done = remediate("--incident", incident, "--yes", "--json")
    assert (done.code, done.report["outcome"]) == (0, "healthy"), done.report["sentence"]
    assert done.report["actions"] == []
    assert seen.touched == []
