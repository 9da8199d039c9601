"""The TLS edge: what its faults need beside test_faults.py."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab, Remediate, Watch

REPOSITORY = Path(__file__).resolve().parents[2]
CERTIFICATES = REPOSITORY / ".lab" / "certificates"


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


def test_a_check_leaves_every_file_as_it_is(
    lab: Lab, remediate: Remediate, watch: Callable[[], Watch]
) -> None:
    lab.break_("certificate-expired")
    before = files()
    with watch() as seen:
        checked = remediate("--incident", "certificate", "--json", "--check")
    assert (checked.code, checked.report["outcome"], seen.touched) == (0, "planned", [])
    assert files() == before


@pytest.mark.long
def test_the_issuer_is_not_asked_twice_and_a_temporary_certificate_has_to_be_approved(
    lab: Lab, remediate: Remediate
) -> None:
    lab.break_("certificate-renewal-fails")
    first = remediate("--incident", "certificate", "--yes", "--json").report
    assert {each["remedy"]: each["result"] for each in first["actions"]}["renew"] == "failed"
    assert "expired" in complaint()

    approved = remediate("--incident", "certificate", "--yes", "--json", "--approved-by", "tests")
    tried = {each["remedy"]: each for each in approved.report["actions"]}
    assert "the issuer is not asked again before" in tried["renew"]["sentence"]
    assert tried["self-signed"]["result"] == "no_help"
    assert "of which browsers warn" in tried["self-signed"]["sentence"]
    assert (approved.code, approved.report["outcome"]) == (3, "unresolved")
    assert "self-signed" in complaint() or "self signed" in complaint()
