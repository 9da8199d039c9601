"""An HTTP server on loopback that answers as it is told, or as a real API server did; and a kubeconfig."""

from __future__ import annotations

import base64
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import Cluster, connect

JSON = "application/json"


@dataclass(frozen=True)
class Asked:
    """A request that has arrived."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Reply:
    """An answer; `cut` sends so many bytes of it and closes, `slow` one each so many seconds, for ever."""

    body: Any = None
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    slow: float = 0

    @property
    def content(self) -> bytes:
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()


class ApiServer:
    """Answers with its replies in order, the last one for ever; without any, as for an unknown path."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: list[Reply] = []
        self.by_path: dict[str, Reply] = {}
        self.context: ssl.SSLContext | None = None
        self.closing = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client may hang up
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.server.server_port}"

    def reply(self, *replies: Reply) -> None:
        self.replies += replies

    def with_tls(self, certificate: Pem, ca: Pem | None = None) -> None:
        """From now on with TLS, and with `ca` only for those who have a certificate of it."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate.files[0], certificate.files[1])
        if ca:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(ca.files[0])
        self.server.socket = self.context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )

    def next_reply(self, path: str) -> Reply:
        if path in self.by_path:
            return self.by_path[path]
        if not self.replies:
            return Reply("404 page not found\n", 404, "text/plain; charset=utf-8")
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, api: ApiServer, *arguments: Any) -> None:
        self.api = api
        super().__init__(*arguments)

    def answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(
            self.command, parts.path, parse_qs(parts.query), headers, json.loads(body) if body else None
        )
        self.api.asked.append(asked)
        reply = self.api.next_reply(parts.path)
        if reply.slow:
            self._drip(reply)
            return
        self.send_response(reply.status)
        for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
            self.send_header(name, value)
        content = reply.content
        self.send_header("Content-Length", str(len(content)))
        if reply.cut is not None:
            self.close_connection = True
            if not reply.cut:
                return
        self.end_headers()
        self.wfile.write(content[: reply.cut])

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer  # noqa: N815

    def _drip(self, reply: Reply) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
        while not self.api.closing.wait(reply.slow):
            try:
                self.wfile.write(b" ")
            except OSError:
                return

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def api_server() -> Iterator[ApiServer]:
    server = ApiServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def reply() -> type[Reply]:
    return Reply


@pytest.fixture(scope="session")
def recorded(fixtures: Path) -> Callable[[str], Any]:
    """A conversation with a real API server, by its name."""
    text = (fixtures / "kubernetes-1.36/http/conversations.json").read_text("utf-8")
    known = {each["name"]: each for each in json.loads(text)}
    return known.__getitem__


@pytest.fixture(scope="session")
def replay(recorded: Callable[[str], Any]) -> Callable[[str], Reply]:
    """The reply of a recorded conversation."""

    def of(name: str) -> Reply:
        told = recorded(name)
        headers = dict(told["headers"])
        content_type = headers.pop("content-type", JSON)
        return Reply(told["response"], told["status"], content_type, headers)

    return of


Kubeconfig = Callable[..., str]


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Kubeconfig:
    """Write a kubeconfig with one context, `staging`; gives its path."""

    def write(server: str, user: Mapping[str, Any] | None = None, **cluster: Any) -> str:
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "staging",
            "contexts": [{"name": "staging", "context": {"cluster": "eu-1", "user": "sre"}}],
            "clusters": [{"name": "eu-1", "cluster": {"server": server, **cluster}}],
            "users": [{"name": "sre", "user": dict({"token": "secret"} if user is None else user)}],
        }
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(content), "utf-8")
        return str(path)

    return write


Target = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def target() -> Target:
    """The options of the group `target` for a kubeconfig."""

    def of(kubeconfig: str, **more: Any) -> dict[str, Any]:
        return {
            "platform": "kubernetes",
            "service_names": {},
            "namespace": "rec",
            "context": "",
            "kubeconfig": kubeconfig,
            "api_timeout_seconds": 10,
            "not_before": 0,
            **more,
        }

    return of


@pytest.fixture
def cluster(api_server: ApiServer, kubeconfig: Kubeconfig, target: Target, clock: Any) -> Iterator[Cluster]:
    """Connected to the server, by the clock of the test."""
    connected = connect(target(kubeconfig(api_server.url)), now=clock.now, sleep=clock.sleep)
    yield connected
    connected.close()


@dataclass(frozen=True)
class Pem:
    """A certificate and its key, as files and as a kubeconfig has them."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    files: tuple[Path, Path]

    @property
    def data(self) -> str:
        return base64.b64encode(self.files[0].read_bytes()).decode()

    @property
    def key_data(self) -> str:
        return base64.b64encode(self.files[1].read_bytes()).decode()


@pytest.fixture(scope="session")
def issue(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Pem]:
    """Issue a certificate for an address, `ends` days from now; a CA of its own without `by`."""

    def make(subject: str, by: Pem | None = None, address: str = "127.0.0.1", ends: float = 1) -> Pem:
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(by.certificate.subject if by else name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + timedelta(days=ends))
            .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        )
        if by:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(by.key if by else key, hashes.SHA256())
        folder = tmp_path_factory.mktemp("pem")
        files = (folder / "certificate.pem", folder / "key.pem")
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return Pem(certificate, key, files)

    return make
