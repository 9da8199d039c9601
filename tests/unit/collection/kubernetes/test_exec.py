"""A command in a container over a websocket: input, both streams, exit code, time, and an older protocol."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Completed
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import (
    ApiError,
    Cluster,
    connect,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
SUCCESS = {"metadata": {}, "status": "Success"}
EXIT_3 = {
    "metadata": {},
    "status": "Failure",
    "message": "command terminated with non-zero exit code",
    "reason": "NonZeroExitCode",
    "details": {"causes": [{"reason": "ExitCode", "message": "3"}]},
}
NOT_FOUND = {
    "metadata": {},
    "status": "Failure",
    "message": 'exec: "psql": executable file not found in $PATH: unknown',
    "reason": "InternalError",
    "code": 500,
}
Frames = Sequence[tuple[int, bytes]]


class Exec:
    """The exec endpoint of an API server: speaks one version of the protocol, and says what it is told to."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.speaks = [V5, V4]
        self.refuses = b""
        self.frames: Frames = [(3, json.dumps(SUCCESS).encode())]
        self.stays = False
        self.asked: list[tuple[str, list[tuple[str, str]], dict[str, str]]] = []
        self.stdin = b""
        self.ended = threading.Event()  # the end of the input was said
        self.closing = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def _serve(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            with connection:
                self._talk(connection, connection.makefile("rb"))

    def _talk(self, connection: socket.socket, lines: Any) -> None:
        path = lines.readline().split()[1].decode()
        headers = {}
        for line in iter(lines.readline, b"\r\n"):
            name, _colon, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        self.asked.append((urlsplit(path).path, parse_qsl(urlsplit(path).query), headers))
        offered = headers["sec-websocket-protocol"].split(",")
        chosen = next((each for each in offered if each in self.speaks), "")
        if self.refuses or not chosen:
            connection.sendall(self.refuses or b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455
        accepted = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()  # noqa: S324
        connection.sendall(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accepted}\r\nSec-WebSocket-Protocol: {chosen}\r\n\r\n".encode()
        )
        wants_input = ("stdin", "true") in self.asked[-1][1]
        if wants_input:
            self._read_input(lines, chosen)
        for channel, data in self.frames:
            self._send(connection, bytes([channel]) + data)
        if self.stays:
            self.closing.wait(60)
        else:
            connection.sendall(b"\x88\x00")

    def _read_input(self, lines: Any, protocol: str) -> None:
        """Until its end is said; the older protocol has none, so until as much has come as `head` reads."""
        length = next((int(value) for name, value in self.asked[-1][1] if value.isdigit()), 0)
        while True:
            message = self._receive(lines)
            if message[:2] == bytes([255, 0]):
                assert protocol == V5
                self.ended.set()
                return
            assert message[0] == 0
            self.stdin += message[1:]
            if protocol == V4 and len(self.stdin) >= length:
                return

    @staticmethod
    def _receive(lines: Any) -> bytes:
        _kind, size = lines.read(2)
        size &= 127
        if size > 125:
            size = struct.unpack(">H" if size == 126 else ">Q", lines.read(2 if size == 126 else 8))[0]
        mask = lines.read(4)
        return bytes(byte ^ mask[index % 4] for index, byte in enumerate(lines.read(size)))

    @staticmethod
    def _send(connection: socket.socket, message: bytes) -> None:
        size = len(message)
        length = bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size)
        connection.sendall(b"\x82" + length + message)


@pytest.fixture
def server() -> Iterator[Exec]:
    made = Exec()
    yield made
    made.closing.set()
    made.listener.close()


@pytest.fixture
def inside(server: Exec, kubeconfig: Any, target: Any) -> Iterator[Callable[..., Completed]]:
    """Run a command in the container `backend` of the pod `a`."""
    cluster: Cluster = connect(target(kubeconfig(server.url)))

    def run(*command: str, stdin: str = "", timeout: float = 10) -> Completed:
        return cluster.execute("a", "backend", command, stdin, timeout)

    yield run
    cluster.close()


def test_the_streams_and_the_success_of_a_command(server: Exec, inside: Any) -> None:
    server.frames = [(1, b"out "), (2, b"err"), (1, "✗".encode()), (3, json.dumps(SUCCESS).encode())]
    assert inside("printf", "%s", "a b&c=d") == Completed(0, "out ✗", "err")
    path, query, headers = server.asked[0]
    assert path == "/api/v1/namespaces/rec/pods/a/exec"
    assert query == [
        ("container", "backend"),
        ("command", "printf"),
        ("command", "%s"),
        ("command", "a b&c=d"),
        ("stdout", "true"),
        ("stderr", "true"),
    ]
    assert headers["authorization"] == "Bearer secret"


@pytest.mark.parametrize(("status", "rc"), [(SUCCESS, 0), (EXIT_3, 3), (NOT_FOUND, 127)])
def test_the_exit_code_comes_from_the_status(status: Any, rc: int, server: Exec, inside: Any) -> None:
    server.frames = [(3, json.dumps(status).encode())]
    done = inside("psql")
    assert done.rc == rc
    assert done.stderr == (NOT_FOUND["message"] if rc == 127 else "")


def test_a_command_that_cannot_be_run_for_another_reason(server: Exec, inside: Any) -> None:
    broken = {"status": "Failure", "message": "container is not running", "reason": "InternalError"}
    server.frames = [(3, json.dumps(broken).encode())]
    assert inside("psql") == Completed(126, "", "container is not running")


@pytest.mark.parametrize("size", [1, 200, 100_000])
def test_the_input_arrives_whole_and_its_end_is_said(size: int, server: Exec, inside: Any) -> None:
    assert inside("psql", stdin="x" * size).rc == 0
    assert server.stdin == b"x" * size
    assert server.ended.is_set()
    assert len(server.asked) == 1


def test_an_older_server_cannot_be_told_the_end_so_the_command_gets_its_length(
    server: Exec, inside: Any
) -> None:
    server.speaks = [V4]
    assert inside("psql", "-c", "it's", stdin="select 1 -- ✗").rc == 0
    assert server.stdin == "select 1 -- ✗".encode()
    assert len(server.asked) == 2, "the first connection was refused, and ran nothing"
    command = [value for name, value in server.asked[1][1] if name == "command"]
    assert command == ["sh", "-c", 'n=$1; shift; head -c "$n" | "$@"', "sh", "15", "psql", "-c", "it's"]


def test_an_older_server_without_input_is_asked_once(server: Exec, inside: Any) -> None:
    server.speaks = [V4]
    assert inside("id").rc == 0
    assert len(server.asked) == 1


def test_a_command_that_does_not_end_is_left_with_what_it_said(server: Exec, inside: Any) -> None:
    server.frames, server.stays = [(1, b"so far")], True
    assert inside("sleep", "60", timeout=0.3) == Completed(124, "so far", "")


def test_a_connection_that_is_closed_before_the_end(server: Exec, inside: Any) -> None:
    server.frames = [(1, b"so far")]
    with pytest.raises(
        FailedError, match="cannot run psql in pods/a, container backend: the connection was closed"
    ):
        inside("psql")


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("exec-forbidden", ObstacleError, '{apiGroups: [""], resources: [pods/exec], verbs: [create, get]}'),
        ("exec-pod-missing", ApiError, 'pods "no-such" not found'),
        ("exec-container-missing", ApiError, "container nothing is not valid"),
    ],
)
@pytest.mark.parametrize("stdin", ["", "x"])
def test_a_refusal_comes_instead_of_the_websocket(
    name: str, kind: type[FailedError], words: str, stdin: str, server: Exec, inside: Any, recorded: Any
) -> None:
    told = recorded(name)
    body = json.dumps(told["response"]).encode()
    server.refuses = (
        f"HTTP/1.1 {told['status']} No\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    with pytest.raises(kind) as caught:
        inside("id", stdin=stdin)
    assert words in str(caught.value)
    assert len(server.asked) == 1


def test_a_server_that_is_not_there(kubeconfig: Any, target: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    cluster = connect(target(kubeconfig(f"http://127.0.0.1:{port}")))
    with pytest.raises(ObstacleError) as caught:
        cluster.execute("a", "", ["id"], "", 5)
    cluster.close()
    assert caught.value.id == "cluster-unreachable"
    assert "cannot reach the cluster staging" in str(caught.value)


def test_a_server_that_says_nothing(kubeconfig: Any, target: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cluster = connect(target(kubeconfig(f"http://127.0.0.1:{silent.getsockname()[1]}")))
        with pytest.raises(ObstacleError) as caught:
            cluster.execute("a", "", ["id"], "", 0.3)
        cluster.close()
    assert caught.value.id == "cluster-timeout"
