"""Every fault of the TLS edge in the lab: broken for real, found, remedied or given to a person; proved."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab, Remediate, Watch

REPOSITORY = Path(__file__).resolve().parents[2]
CERTIFICATES = REPOSITORY / ".lab" / "certificates"
ROUNDS = int(os.environ.get("ROUNDS", "1"))
EXIT_CODES = {"recovered": 0, "unresolved": 3}
BY_ITSELF = {f"{event} saveit-nginx" for event in ("die", "start", "restart")}  # a container in a crash loop


def faults() -> list[dict[str, str]]:
    listed = subprocess.run(
        [REPOSITORY / "lab" / "lab", "faults", "--json"], capture_output=True, text=True, check=True
    )
    return [fault for fault in json.loads(listed.stdout) if fault["incident"] == "certificate"]


def findings(report: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in report["findings"]]


def files() -> dict[str, bytes]:
    """All that the edge, the client and the issuer keep."""
    return {str(path): path.read_bytes() for path in CERTIFICATES.rglob("*") if path.is_file()}


def complaint() -> str:
    """What a client in the lab has against the edge, or nothing."""
    context = ssl.create_default_context(cafile=str(CERTIFICATES / "trusted.crt"))
    try:
        with (
            socket.create_connection(("127.0.0.1", 8443), timeout=5) as connection,
            context.wrap_socket(connection, server_hostname="localhost"),
        ):
            return ""
    except OSError as error:
        return str(error)


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault["name"])
@pytest.mark.parametrize("turn", range(1, ROUNDS + 1))
def test_a_check_touches_nothing_and_then_the_fault_ends_as_the_runbook_says(
    lab: Lab, fault: dict[str, str], turn: int, remediate: Remediate, watch: Callable[[], Watch],
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    lab.break_(fault["name"])
    before = files()
    with watch() as seen:
        checked = remediate("--incident", "certificate", "--json", "--check")
    assert (checked.code, checked.report["outcome"]) == (0, "planned")
    assert not set(seen.touched) - (BY_ITSELF if "crash" in fault["name"] else set())
    assert files() == before

    with watch() as seen:
        done = remediate("--incident", "certificate", "--yes", "--json")
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
        assert complaint() == ""
    else:
        assert seen.touched == []
        cause = next(item for item in report["findings"] if item["id"] == fault["finding"])
        assert cause["next"], "a person must be told what to do"


@pytest.mark.parametrize("turn", range(1, 4 * ROUNDS + 1))
def test_a_healthy_edge_gets_no_action(
    healthy: Lab, turn: int, remediate: Remediate, watch: Callable[[], Watch]
) -> None:
    with watch() as seen:
        done = remediate("--incident", "certificate", "--yes", "--json")
    assert (done.code, done.report["outcome"]) == (0, "healthy"), done.report["sentence"]
    assert (done.report["actions"], seen.touched) == ([], [])


def test_the_issuer_is_not_asked_twice_and_a_temporary_certificate_has_to_be_approved(
    lab: Lab, remediate: Remediate
) -> None:
    lab.break_("certificate-renewal-fails")
    first = remediate("--incident", "certificate", "--yes", "--json").report
    assert {each["remedy"]: each["result"] for each in first["actions"]}["renew"] == "failed"
    assert "expired" in complaint()

    approved = remediate("--incident", "certificate", "--yes", "--json", "-e", "ladder_max_risk=high")
    tried = {each["remedy"]: each for each in approved.report["actions"]}
    assert "the issuer is not asked again before" in tried["renew"]["sentence"]
    assert tried["self-signed"]["result"] == "no_help"
    assert "of which browsers warn" in tried["self-signed"]["sentence"]
    assert (approved.code, approved.report["outcome"]) == (3, "unresolved")
    assert "self-signed" in complaint() or "self signed" in complaint()
