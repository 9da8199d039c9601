"""Certificates made for the tests, a TLS server that serves them, and a host whose files are in a folder."""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed

TARGET: dict[str, Any] = {
    "platform": "compose",
    "project": "saveit",
    "service_names": {},
    "docker_command": ["docker"],
}


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()


Issue = Callable[..., Issued]


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def make(
    subject: str,
    by: Issued | None = None,
    names: Sequence[str] = (),
    begins: float = -1,
    ends: float = 90,
    authority: bool = False,
) -> Issued:
    """Valid from `begins` to `ends`, in days from now; self-signed without `by`."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(by.certificate.subject if by else name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=begins))
        .not_valid_after(now + timedelta(days=ends))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([general_name(each) for each in names])
        builder = builder.add_extension(alternatives, critical=False)
    return Issued(builder.sign(by.key if by else key, hashes.SHA256()), key)


@pytest.fixture(scope="session", name="make")
def make_fixture() -> Issue:
    return make


@pytest.fixture(scope="session")
def authority() -> Issued:
    return make("Root", authority=True, begins=-400, ends=400)


@pytest.fixture(scope="session")
def intermediate(authority: Issued) -> Issued:
    return make("Intermediate", authority, authority=True, begins=-400, ends=400)


@pytest.fixture(scope="session")
def good(authority: Issued) -> Issued:
    return make("localhost", authority, ["localhost", "127.0.0.1"])


@pytest.fixture(scope="session")
def expired(authority: Issued) -> Issued:
    return make("localhost", authority, ["localhost", "127.0.0.1"], begins=-91, ends=-1)


@pytest.fixture
def ca_file(authority: Issued, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    path.write_text(authority.pem, "utf-8")
    return str(path)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Serve a certificate on loopback; gives HOST:PORT."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(issued: Issued, *chain: Issued) -> str:
        (tmp_path / "served.pem").write_text("".join(each.pem for each in (issued, *chain)), "utf-8")
        (tmp_path / "served.key").write_text(issued.key_pem, "utf-8")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "served.pem", tmp_path / "served.key")

        def answer(connection: socket.socket) -> None:
            with connection, context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(1)

        return listen(answer)

    def listen(answer: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                try:
                    answer(connection)
                except OSError:
                    connection.close()

        threads.append(threading.Thread(target=accept, daemon=True))
        threads[-1].start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    def either(*what: Any) -> str:
        return listen(what[0]) if callable(what[0]) else start(*what)

    yield either
    for each in listeners:
        each.shutdown(
            socket.SHUT_RDWR
        )  # wakes accept; closed alone, its number could be the next test's listener
        each.close()
    for thread in threads:
        thread.join(5)


@dataclass
class Host:
    """Runs the commands of the host for real, on files of a test, and plays the engine.

    `ran` is what was run: of `docker` the verb, of the others the command.
    """

    folder: Path
    validation: Completed = field(default_factory=lambda: Completed(0, "", ""))
    state: str = "running"
    later: str = ""  # the state at every look but the first
    ran: list[str] = field(default_factory=list)
    ahead: float = 0  # seconds that this clock is ahead; sleeping takes no time

    def carrier(self, check_mode: bool = False) -> Carrier:
        return Carrier(self._execute, lambda: self.time, self._sleep, check_mode)

    @property
    def time(self) -> float:
        return time.time() + self.ahead

    @property
    def signals(self) -> int:
        return self.ran.count("kill")

    def file(self, path: str) -> str:
        return (self.folder / path).read_text("utf-8")

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text("utf-8") for path in self.folder.iterdir()}

    def _sleep(self, seconds: float) -> None:
        self.ahead += seconds

    def _execute(self, command: Sequence[str], stdin: str) -> Completed:
        assert list(command[:3]) == ["timeout", "-k", "1"], "every command has a time limit"
        if command[4] == "docker":
            return self._docker(command[5])
        self.ran.append(command[4])
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        return Completed(done.returncode, done.stdout, done.stderr)

    def _docker(self, verb: str) -> Completed:
        looks = self.ran.count("inspect")
        self.ran.append(verb)
        if verb == "ps":
            return Completed(0, "1\tnginx\tFalse\n", "")
        if verb == "inspect":
            state = self.later if looks and self.later else self.state
            inspected = [{"Id": "1", "Name": "/saveit-nginx", "State": {"Status": state}}]
            return Completed(0, json.dumps(inspected), "")
        return self.validation if verb == "exec" else Completed(0, "", "")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    folder = tmp_path / "host"
    folder.mkdir()
    return Host(folder)
