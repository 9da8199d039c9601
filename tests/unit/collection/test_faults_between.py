"""Between us and each kind of server the network fails in all its ways: a sentence, in time, no action."""

from __future__ import annotations

import importlib
import json
import socket
import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._attempt import attempt
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

LIMIT = 0.3  # seconds that each check is given
LONGEST = 6.0  # in which it has to end: libpq waits two seconds at least
HALF = {
    "redis": b"*2\r\n$10\r\n17954",
    "mqtt": b"\x20\x02",
    "postgres": b"N",
    "http": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf",
    "tls": b"\x16\x03\x03\x40\x00\x02",
    "kubernetes": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
}


def no_command(command: Sequence[str], stdin: str) -> Completed:
    raise AssertionError(f"nothing is done, and not {command}")


def ask(kind: str, port: int, folder: Path) -> tuple[str, str]:
    """The verdict and the sentence; the outcome of an obstacle where there is one."""
    host = "127.0.0.1"
    kubeconfig = folder / "kubeconfig"
    cluster = {"server": f"http://{host}:{port}"}
    kubeconfig.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "x",
        "clusters": [{"name": "x", "cluster": cluster}], "users": [{"name": "x", "user": {"token": "x"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    }))  # fmt: skip
    kubeconfig.chmod(0o600)
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "redis": ("redis_check", {"host": host, "port": port}),
        "mqtt": ("mqtt_check", {"host": host, "port": port, "samples": 1}),
        "postgres": ("postgres_info", {"login_host": host, "login_port": port}),
        "http": ("http_check", {"url": f"http://{host}:{port}/", "samples": 1}),
        "tls": ("certificate_info", {"endpoint": f"{host}:{port}"}),
        "kubernetes": ("service_info", {"platform": "kubernetes", "kubeconfig": str(kubeconfig)}),
    }  # fmt: skip
    name, given = asked[kind]
    module = importlib.import_module(f"ansible_collections.saveit.remediation.plugins.module_utils._{name}")
    usual = {key: spec.get("default") for key, spec in module.ARGUMENTS.items()}
    limits = {"timeout_seconds": LIMIT, "api_timeout_seconds": LIMIT}
    usual |= {"platform": "compose", "subject": "x", "probe": "y", **limits, **given}
    usual["service"] = usual.get("service") or "backend"
    try:
        result = attempt(module.run, usual, Carrier(no_command, time.time, time.sleep))
    except FailedError as error:
        return str(getattr(error, "outcome", "failed")), str(error)
    return result.verdict, result.sentence


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close() says RST


def black_hole(client: socket.socket) -> None:
    while client.recv(65536):
        pass


def slow(byte: bytes) -> Callable[[socket.socket], None]:
    """A byte now and then, and never the end: no limit on a single wait ends that."""

    def talk(client: socket.socket) -> None:
        ends = time.monotonic() + 2 * LONGEST
        client.settimeout(0.05)
        while time.monotonic() < ends:
            try:
                if not client.recv(65536):
                    return
            except TimeoutError:
                client.sendall(byte)

    return talk


def half(answer: bytes) -> Callable[[socket.socket], None]:
    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(answer)

    return talk


VERDICTS = {
    # how it fails: redis, mqtt, postgres, http, tls, kubernetes
    "refused": ("refused", "refused", "refused", "failing", "refused", "unreachable"),
    "reset": ("refused", "closed", "error", "failing", "refused", "unreachable"),
    "black hole": ("timeout", "timeout", "timeout", "failing", "timeout", "unreachable"),
    "slow": ("timeout", "timeout", "error", "failing", "not-tls", "unreachable"),
    "half an answer": ("refused", "protocol", "error", "failing", "refused", "unreachable"),
}
KINDS = ("redis", "mqtt", "postgres", "http", "tls", "kubernetes")
ROWS = [
    (kind, fault, verdict)
    for fault, row in VERDICTS.items()
    for kind, verdict in zip(KINDS, row, strict=True)
]


@pytest.mark.parametrize(("kind", "fault", "verdict"), ROWS)
def test_each_fault_has_its_verdict_in_time(
    loopback: Callable[[Any], int], tmp_path: Path, kind: str, fault: str, verdict: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]  # and nobody listens there once it is closed
    byte = {"redis": b"+", "mqtt": b"\x20", "postgres": b"N", "tls": b"\x16"}.get(kind, b"H")
    talk = {
        "reset": reset, "black hole": black_hole, "slow": slow(byte), "half an answer": half(HALF[kind]),
    }.get(fault)  # fmt: skip
    began = time.monotonic()
    said, sentence = ask(kind, loopback(talk) if talk else free, tmp_path)
    assert time.monotonic() - began < LONGEST, sentence
    assert said == verdict, sentence
    assert "\n" not in sentence
    assert "127.0.0.1" in sentence
    assert "cannot make sense" not in sentence
