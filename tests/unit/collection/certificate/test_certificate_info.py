"""certificate_info: handshakes with a real server on loopback, and files in a folder."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._certificate_info import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    FailedError,
    ObstacleError,
    Result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._tls import parse_endpoint

if TYPE_CHECKING:
    from tests.unit.collection.certificate.conftest import Host, Issue, Issued

Serve = Callable[..., str]
Look = Callable[..., Result]


@pytest.fixture
def look(host: Host, ca_file: str) -> Look:
    def look(**given: Any) -> Result:
        defaults = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
        target = {"platform": "compose", "project": "saveit", "service_names": {}}
        target["docker_command"] = ["docker"]
        asked = {"ca_file": ca_file, "server_name": "localhost", "timeout_seconds": 2.0}
        result = run({**defaults, **target, **asked, **given}, host.carrier())
        assert not {"cp", "mv", "rm", "tee"} & set(host.ran)
        return result

    return look


@pytest.fixture
def stored(host: Host) -> Callable[..., dict[str, str]]:
    """Puts a certificate and a key where the server would read them."""

    def store(certificate: Issued | str, key: Issued | str = "") -> dict[str, str]:
        pem = certificate if isinstance(certificate, str) else certificate.pem
        key_pem = key if isinstance(key, str) else key.key_pem
        (host.folder / "tls.crt").write_text(pem, "utf-8")
        if key_pem:
            (host.folder / "tls.key").write_text(key_pem, "utf-8")
        return {
            "certificate_file": str(host.folder / "tls.crt"),
            "key_file": str(host.folder / "tls.key") if key_pem else "",
        }

    return store


def ids(result: Result) -> list[str]:
    return [each.id for each in result.findings]


def evidence(result: Result) -> dict[str, Any]:
    return {each.name.removeprefix("nginx."): each.value for each in result.evidence}


def test_a_good_certificate_gets_no_finding(
    good: Issued, serve: Serve, look: Look, stored: Callable[..., dict[str, str]]
) -> None:
    endpoint = serve(good)
    result = look(endpoint=endpoint, names=["127.0.0.1"], **stored(good, good))
    assert (result.verdict, ids(result)) == ("healthy", [])
    assert result.sentence == (
        f"nginx at {endpoint} (as localhost): the certificate is good for 90.0 days more"
    )
    assert evidence(result) == {
        "certificate": "healthy",
        "trusted": True,
        "name_matches": True,
        "days_left": 90.0,
        "file": "healthy",
        "key_matches": True,
        "serves_file": True,
    }


def test_what_is_not_asked_for_is_no_data(good: Issued, serve: Serve, look: Look, stored: Any) -> None:
    served = evidence(look(endpoint=serve(good)))
    assert (served["file"], served["key_matches"], served["serves_file"]) == (None, None, None)
    file = evidence(look(server_name="", names=["localhost"], **stored(good)))
    assert {name for name, value in file.items() if value is None} == {
        *("certificate", "trusted", "name_matches", "days_left", "key_matches", "serves_file")
    }
    assert file["file"] == "healthy"


def test_without_anything_to_look_at_it_says_which_options_are_missing(look: Look) -> None:
    with pytest.raises(ObstacleError, match="neither an endpoint nor a file is given"):
        look()


def test_a_number_out_of_its_range_names_the_setting(look: Look) -> None:
    with pytest.raises(FailedError, match=r"timeout_seconds 0: .* \(certificate_timeout_seconds, in the"):
        look(endpoint="127.0.0.1:1", timeout_seconds=0.0)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"ends": -1, "begins": -9}, ["certificate-expired"]),
        ({"ends": 10}, ["certificate-expiring"]),
        ({"begins": 2}, ["certificate-not-yet-valid"]),
        ({"names": ["other.lab"]}, ["certificate-wrong-name"]),
        ({"names": ["other.lab"], "ends": 3}, ["certificate-wrong-name", "certificate-expiring"]),
        ({"by": None}, ["certificate-untrusted"]),
        ({"by": None, "ends": -1, "begins": -9}, ["certificate-expired", "certificate-untrusted"]),
    ],
)
def test_what_is_served_is_judged(
    make: Issue, authority: Issued, serve: Serve, look: Look, given: dict[str, Any], found: list[str]
) -> None:
    issued = make("localhost", **{"by": authority, "names": ["localhost"], **given})
    result = look(endpoint=serve(issued))
    assert ids(result) == found
    assert result.verdict == found[0].removeprefix("certificate-")
    assert evidence(result)["trusted"] is ("certificate-untrusted" not in found)
    assert evidence(result)["name_matches"] is ("certificate-wrong-name" not in found)


def test_a_chain_without_its_intermediate_is_not_trusted(
    make: Issue, intermediate: Issued, serve: Serve, look: Look
) -> None:
    issued = make("localhost", intermediate, ["localhost"])
    assert ids(look(endpoint=serve(issued))) == ["certificate-untrusted"]
    whole = look(endpoint=serve(issued, intermediate))
    assert (ids(whole), whole.returned["chain"]) == ([], ["CN=localhost", "CN=Intermediate"])


def test_a_file_that_is_good_and_not_served_is_a_missed_reload(
    good: Issued, expired: Issued, serve: Serve, look: Look, stored: Any
) -> None:
    result = look(endpoint=serve(expired), **stored(good, good))
    assert ids(result) == ["certificate-not-reloaded", "certificate-expired"]
    assert evidence(result)["serves_file"] is False


def test_files_that_are_bad_and_not_served_are_no_missed_reload(
    good: Issued, expired: Issued, serve: Serve, look: Look, stored: Any
) -> None:
    result = look(endpoint=serve(good), **stored(expired, expired))
    assert ids(result) == ["certificate-expired"]
    assert result.findings[0].subject.endswith("tls.crt")
    mixed = look(endpoint=serve(good), **stored(good, expired))
    assert ids(mixed) == ["certificate-key-mismatch"]
    assert evidence(mixed)["key_matches"] is False


def test_the_same_fault_of_what_is_served_and_of_the_file_is_told_once(
    expired: Issued, serve: Serve, look: Look, stored: Any
) -> None:
    assert ids(look(endpoint=serve(expired), **stored(expired, expired))) == ["certificate-expired"]


@pytest.mark.parametrize("text", ["", "hello\n", "-----BEGIN CERTIFICATE-----\n"])
def test_a_file_that_is_no_certificate_is_a_finding(look: Look, stored: Any, text: str) -> None:
    result = look(**stored(text))
    assert ids(result) == ["certificate-unreadable"]
    assert result.sentence.endswith("holds no certificate in PEM form")


def test_a_file_that_is_missing_is_a_finding(look: Look, tmp_path: Path) -> None:
    result = look(certificate_file=str(tmp_path / "nothing.crt"))
    assert ids(result) == ["certificate-unreadable"]
    assert "cannot read" in result.sentence


def test_a_key_that_cannot_be_read_is_a_finding(good: Issued, look: Look, stored: Any) -> None:
    result = look(names=["localhost"], **stored(good, "no key"))
    assert ids(result) == ["certificate-key-mismatch"]
    assert "its key cannot be used: cannot read" in result.sentence


def test_a_container_that_does_not_run_gives_no_data_about_its_files(
    good: Issued, host: Host, serve: Serve, look: Look
) -> None:
    host.state = "exited"
    result = look(endpoint=serve(good), files_service="nginx", certificate_file="/tls.crt")
    assert (ids(result), evidence(result)["file"]) == ([], None)
    assert "cannot run commands in nginx" in result.evidence[4].sentence


def test_a_file_of_authorities_that_is_none_names_the_setting(serve: Serve, good: Issued, look: Look) -> None:
    with pytest.raises(FailedError, match="certificate_ca_file"):
        look(endpoint=serve(good), ca_file="/nowhere/ca.pem")


def refused() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_a_port_without_a_listener_is_refused(look: Look) -> None:
    result = look(endpoint=refused())
    assert (result.verdict, evidence(result)["certificate"]) == ("refused", "refused")
    assert evidence(result)["trusted"] is None
    assert result.sentence.endswith("Connection refused")


def closes(connection: socket.socket) -> None:
    connection.close()


def speaks_http(connection: socket.socket) -> None:
    connection.recv(1)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    connection.recv(5000)


@pytest.mark.parametrize(("behaviour", "verdict"), [(closes, "refused"), (speaks_http, "not-tls")])
def test_what_speaks_no_tls_is_told_apart(
    serve: Serve, look: Look, behaviour: Callable[[socket.socket], None], verdict: str
) -> None:
    assert look(endpoint=serve(behaviour)).verdict == verdict


def test_a_server_that_hangs_is_given_up_in_time(serve: Serve, look: Look) -> None:
    over = threading.Event()
    began = time.monotonic()
    result = look(endpoint=serve(lambda _connection: over.wait(20)), timeout_seconds=0.3)
    over.set()
    assert result.verdict == "timeout"
    assert result.sentence.endswith("it takes the connection, and no handshake within 0.3 s")
    assert time.monotonic() - began < 5


def test_a_name_that_cannot_be_resolved_is_said(look: Look) -> None:
    result = look(endpoint="nothing.invalid:443", server_name="")
    assert result.verdict == "unresolvable"
    assert "nothing.invalid cannot be resolved: " in result.sentence


@pytest.mark.parametrize("text", ["https://a.lab", "a.lab:0", "a.lab:http", "a.lab:70000", ":443", ""])
def test_an_endpoint_that_is_none_names_the_setting(text: str) -> None:
    with pytest.raises(FailedError, match="certificate_endpoint"):
        parse_endpoint(text, "")


@pytest.mark.parametrize(
    ("text", "host", "port"), [("a.lab", "a.lab", 443), ("a.lab:1", "a.lab", 1), ("[::1]:2", "::1", 2)]
)
def test_an_endpoint_is_read(text: str, host: str, port: int) -> None:
    endpoint = parse_endpoint(text, "")
    assert (endpoint.host, endpoint.port, endpoint.server_name) == (host, port, host)
