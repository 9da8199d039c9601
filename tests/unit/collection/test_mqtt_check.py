"""mqtt_check against a real broker on loopback, and against what only looks like one."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _mqtt_check, _mqtt_inside
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result
from ansible_collections.saveit.remediation.plugins.module_utils._service import Instance, Service

CONNACK = b"\x20\x02\x00\x00"


def check(check_mode: bool = False, **given: Any) -> Result:
    def no_command(command: Any, stdin: str) -> Any:
        raise AssertionError(command)

    defaults = {name: spec.get("default") for name, spec in _mqtt_check.ARGUMENTS.items()}
    carrier = Carrier(no_command, time.time, lambda _seconds: None, check_mode)
    return _mqtt_check.run({**defaults, "host": "127.0.0.1", **given}, carrier)


def values(result: Result) -> dict[str, Any]:
    return {each.name: each.value for each in result.evidence}


class Broker:
    """A real mosquitto in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "mosquitto.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    def start(self, *configuration: str) -> dict[str, Any]:
        binary = shutil.which("mosquitto")
        if not binary:
            pytest.skip("mosquitto is not on PATH (Debian: apt-get install mosquitto)")
        lines = [f"log_dest file {self.log}", "log_type all", "user root", f"listener {self.port} 127.0.0.1"]
        (self.folder / "conf").write_text("\n".join([*lines, *configuration, ""]), "utf-8")
        self.process = subprocess.Popen([binary, "-c", str(self.folder / "conf")])
        _until_it_listens(self.port)
        return {"port": self.port}


def _until_it_listens(port: int) -> None:
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            threading.Event().wait(0.02)
        else:
            return
    raise AssertionError("mosquitto did not start")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    yield made
    if hasattr(made, "process"):
        made.process.kill()
        made.process.wait()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key and a certificate, its own authority, of the address 127.0.0.1 only."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not on PATH (Debian: apt-get install openssl)")
    folder = tmp_path_factory.mktemp("certificate")
    subject = ["-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "crt")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def listener(certificate: Path) -> list[str]:
    return ["allow_anonymous true", f"certfile {certificate / 'crt'}", f"keyfile {certificate / 'key'}"]


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_real_broker_is_healthy_and_keeps_nothing(broker: Broker, version: str) -> None:
    result = check(**broker.start("allow_anonymous true"), version=version, samples=3)
    assert (result.verdict, result.findings, result.changed) == ("healthy", [], False), result.sentence
    assert values(result)["mqtt.roundtrip"] is True
    assert all(took is not None for took in result.returned["milliseconds"].values())
    log = broker.log.read_text("utf-8")
    published = [line for line in log.splitlines() if "Received PUBLISH from" in line]
    assert len(published) == 3
    assert all(", q1, r0, " in line for line in published), "a retained message would stay"
    assert log.count("c1, k60") == 3, "a session that is not clean would stay"


def test_check_mode_publishes_nothing(broker: Broker) -> None:
    result = check(check_mode=True, **broker.start("allow_anonymous true"))
    assert (result.verdict, values(result)["mqtt.roundtrip"]) == ("healthy", None)
    log = broker.log.read_text("utf-8")
    assert "Sending CONNACK" in log
    assert "PUBLISH" not in log
    assert "SUBSCRIBE" not in log


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({}, "auth"),
        ({"username": "device", "password": "wr0ng-word"}, "auth"),
        ({"username": "nobody", "password": "r1ght-word"}, "auth"),
        ({"username": "device", "password": "r1ght-word"}, "healthy"),
    ],
)
def test_user_and_password_are_used_and_told_nobody(
    broker: Broker, version: str, given: dict[str, Any], verdict: str
) -> None:
    users = broker.folder / "users"
    make = ["mosquitto_passwd", "-b", "-c", str(users), "device", "r1ght-word"]
    if not shutil.which(make[0]):
        pytest.skip("mosquitto_passwd is not on PATH")
    subprocess.run(make, check=True, capture_output=True)
    where = broker.start("allow_anonymous false", f"password_file {users}")
    result = check(**where, version=version, **given)
    assert result.verdict == verdict, result.sentence
    if verdict == "auth":
        assert "refuses CONNECT: " in result.sentence
        assert "not authorized" in result.returned["reason"]
    assert "-word" not in json.dumps(result.as_return())


ACCESS = [
    # the rights below the topic's prefix, version, verdict, what the sentence says
    ("readwrite", "3.1.1", "healthy", "our message came back"),
    ("write", "3.1.1", "silent", "our own message does not come back within 0.5 s"),
    ("write", "5", "silent", "our own message does not come back within 0.5 s"),
    ("read", "3.1.1", "silent", "our own message does not come back within 0.5 s"),
    ("read", "5", "auth", "but refuses PUBLISH of saveit-remediate/check/"),
]


@pytest.mark.parametrize(("rights", "version", "verdict", "says"), ACCESS)
def test_the_access_list_of_a_real_broker(
    broker: Broker, rights: str, version: str, verdict: str, says: str
) -> None:
    (broker.folder / "acl").write_text(f"topic {rights} saveit-remediate/#\n", "utf-8")
    where = broker.start("allow_anonymous true", f"acl_file {broker.folder / 'acl'}")
    result = check(**where, version=version, timeout_seconds=5 if verdict == "healthy" else 0.5)
    assert (result.verdict, says in result.sentence) == (verdict, True), result.sentence


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_tls_is_verified(broker: Broker, certificate: Path, version: str) -> None:
    where = {**broker.start(*listener(certificate)), "tls": True, "version": version}
    known = check(**where, ca_file=str(certificate / "crt"))
    unknown = check(**where)
    other_name = check(**{**where, "host": "localhost"}, ca_file=str(certificate / "crt"))
    assert known.verdict == "healthy", known.sentence
    assert (unknown.verdict, "self-signed certificate" in unknown.sentence) == ("tls", True), unknown.sentence
    assert (other_name.verdict, "Hostname mismatch" in other_name.sentence) == ("tls", True)


def test_plain_to_a_port_with_tls_is_said_and_so_is_tls_to_a_plain_one(
    broker: Broker, certificate: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    plain = check(**broker.start(*listener(certificate)))
    assert plain.verdict in ("protocol", "closed"), plain.sentence
    other = Broker(tmp_path_factory.mktemp("plain"))
    try:
        result = check(**other.start("allow_anonymous true"), tls=True)
    finally:
        other.process.kill()
        other.process.wait()
    assert result.verdict in ("tls", "closed"), result.sentence


def test_a_real_broker_that_is_stopped_does_not_answer_in_time(broker: Broker) -> None:
    where = broker.start("allow_anonymous true")
    broker.process.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    result = check(**where, timeout_seconds=0.3, samples=3)
    assert (result.verdict, "does not answer CONNECT within 0.3 s" in result.sentence) == ("timeout", True)
    assert time.monotonic() - begun < 5


def test_nothing_listens() -> None:
    result = check(port=1)
    assert (result.verdict, "refuses connections: Connection refused" in result.sentence) == ("refused", True)


def test_a_name_that_nobody_knows() -> None:
    result = check(host="broker.invalid", timeout_seconds=2)
    assert (result.verdict, "broker.invalid" in result.sentence) == ("unreachable", True), result.sentence


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("no certificate", "utf-8")
    with pytest.raises(FailedError, match=r"cannot use .*/ca as CA certificate: "):
        check(tls=True, ca_file=str(tmp_path / "ca"))
    with pytest.raises(FailedError, match=r"as CA certificate: .*No such file"):
        check(tls=True, ca_file=str(tmp_path / "absent"))


# The rest is no broker at all.

Turns = list[bytes]


@pytest.fixture
def pretender() -> Iterator[Callable[..., int]]:
    """Serves one client: says its next answer to each thing that it hears, then closes or keeps still."""
    listening = []
    over = threading.Event()

    def start(answers: Turns, then_closes: bool = True, pause: float = 0) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def serve() -> None:
            client, _address = server.accept()
            with client:
                for answer in answers:
                    client.recv(1000)
                    for byte in [answer] if not pause else [answer[i : i + 1] for i in range(len(answer))]:
                        over.wait(pause)
                        client.sendall(byte)
                if not then_closes:
                    over.wait(30)

        threading.Thread(target=_until_it_is_left, args=(serve,), daemon=True).start()
        return int(server.getsockname()[1])

    yield start
    over.set()
    for each in listening:
        each.close()


def _until_it_is_left(serve: Callable[[], None]) -> None:
    try:
        serve()
    except OSError:
        return


SUBACK = b"\x90\x03\x00\x01\x01"
PRETENDERS = [
    # what it says, whether it closes then, verdict, what the sentence says
    ([], True, "closed", "closes it without an answer"),
    ([], False, "timeout", "does not answer CONNECT within 0.5 s"),
    ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], True, "protocol", "it answers CONNECT with b'HTTP"),
    ([b"SSH-2.0-OpenSSH_9.2\r\n"], False, "protocol", "b'SSH-2.0"),
    ([b"\x15\x03\x01\x00\x02\x02\x46"], True, "protocol", "it speaks TLS on this port"),
    ([b"\x00\x00\x00\x00"], False, "protocol", "does not speak MQTT"),
    ([b"\x20\x02\x00\x01"], True, "protocol", "refuses CONNECT: unsupported protocol version (132)"),
    ([b"\x20\x02\x00\x02"], True, "auth", "refuses CONNECT: client identifier not valid (133)"),
    ([b"\x20\x02\x00\x03"], True, "unavailable", "refuses CONNECT: server unavailable (136)"),
    ([b"\x20\x02\x00\x04"], True, "auth", "refuses CONNECT: bad user name or password (134)"),
    ([b"\x20\x02\x00\x05"], False, "auth", "refuses CONNECT: not authorized (135)"),
    ([b"\x20\x02"], False, "timeout", "does not answer CONNECT within 0.5 s"),
    ([b"\x20\xff\xff\xff\xff\xff\xff"], False, "protocol", "it answers CONNECT with b' \\xff"),
    ([CONNACK], True, "silent", "accepts the connection, but closes it after SUBSCRIBE"),
    ([CONNACK], False, "silent", "SUBSCRIBE is not answered within 0.5 s"),
    ([CONNACK, b"\x90\x03\x00\x01\x80"], False, "auth", "but refuses SUBSCRIBE of "),
    ([CONNACK, SUBACK], False, "silent", "our own message does not come back within 0.5 s"),
    ([CONNACK, SUBACK], True, "silent", "closes it after PUBLISH"),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "closes", "verdict", "says"), PRETENDERS)
def test_what_is_no_broker_is_a_sentence_and_never_a_hang(
    pretender: Callable[..., int], answers: Turns, closes: bool, verdict: str, says: str
) -> None:
    begun = time.monotonic()
    result = check(port=pretender(answers, closes), timeout_seconds=0.5)
    assert (result.verdict, says in result.sentence) == (verdict, True), result.sentence
    assert time.monotonic() - begun < 5
    assert [each.id for each in result.findings] == [f"mqtt-{verdict}"]


def test_an_answer_that_trickles_does_not_hold_us(pretender: Callable[..., int]) -> None:
    port = pretender([CONNACK], then_closes=False, pause=0.2)
    begun = time.monotonic()
    result = check(port=port, timeout_seconds=0.3)
    assert (result.verdict, time.monotonic() - begun < 4) == ("timeout", True), result.sentence


@pytest.mark.parametrize("pause", [0, 0.2])
def test_a_handshake_that_never_ends_does_not_hold_us(pretender: Callable[..., int], pause: float) -> None:
    port = pretender([b"\x16\x03\x03\x40\x00" + b"\x00" * 500] if pause else [], False, pause)
    begun = time.monotonic()
    result = check(port=port, tls=True, timeout_seconds=0.3)
    assert (result.verdict, time.monotonic() - begun < 5) == ("timeout", True), result.sentence
    assert "does not answer the TLS handshake within 0.3 s" in result.sentence


@pytest.mark.parametrize("answer", [b"\x20\x02\x00\x01", b"\x20\x03\x00\x84\x00"])
def test_a_broker_that_does_not_know_version_5_says_so(pretender: Callable[..., int], answer: bytes) -> None:
    result = check(port=pretender([answer]), version="5", timeout_seconds=0.5)
    assert (result.verdict, "unsupported protocol version" in result.sentence) == ("protocol", True)


def inside(command: Any, stdin: str, timeout: float) -> Completed:
    """What the platform's exec does, here."""
    done = subprocess.run(
        [sys.executable if command[0] == "python" else command[0], *command[1:]],
        input=stdin, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    return Completed(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def exec_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform whose one instance, of any service, is this machine."""
    platform = SimpleNamespace(
        look=lambda _parameters, _carrier, name: Service(name, (Instance("1", "here", "running"),)),
        execute=lambda _parameters, _carrier, _instance, command, stdin, timeout: inside(
            command, stdin, timeout
        ),
    )
    monkeypatch.setattr(_mqtt_inside, "adapter", lambda _parameters: platform)


@pytest.mark.usefixtures("exec_here")
@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("home", ["mosquitto", "backend"])
def test_a_real_broker_is_asked_from_inside(broker: Broker, home: str, check_mode: bool) -> None:
    """By the clients of Mosquitto where it is its own service, by a line of Python where it is embedded."""
    if home == "mosquitto" and not shutil.which("mosquitto_rr"):
        pytest.skip("mosquitto_rr is not on PATH (Debian: apt-get install mosquitto-clients)")
    given = broker.start("allow_anonymous true")
    result = check(check_mode, **given, host="", runs_in=home)
    assert result.verdict == "healthy", result.sentence
    assert values(result)["mqtt.roundtrip"] is (None if check_mode else True)


@pytest.mark.usefixtures("exec_here")
def test_a_real_broker_says_from_inside_who_may_come_in(broker: Broker) -> None:
    given = broker.start("allow_anonymous false")
    assert check(**given, host="", runs_in="backend").verdict == "auth"


@pytest.mark.usefixtures("exec_here")
def test_nothing_listens_inside() -> None:
    assert check(host="", port=1, runs_in="backend").verdict == "refused"
