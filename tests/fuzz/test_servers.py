"""Servers that answer with any bytes, on a socket of loopback: Redis, MQTT, PostgreSQL, HTTP, Kubernetes."""

from __future__ import annotations

import importlib
import json
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.saveit.remediation.plugins.module_utils._attempt import attempt
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

SECONDS = 0.5  # the limit of each check; nothing here needs it, as each server hangs up
PIECES: dict[str, list[bytes]] = {
    "redis": [
        b"+PONG\r\n",
        b"-ERR x\r\n",
        b"-LOADING x\r\n",
        b":1\r\n",
        b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"$99999999999\r\n",
        b"*1000000\r\n",
        b"$4\r\nrole\r\n",
        b"%1\r\n",
        b"_\r\n",
        b"*1\r\n" * 50,
        b"$12\r\nused_memory:\r\n",
        b"\r\n",
    ],
    "mqtt": [
        b"\x20\x02\x00\x00",
        b"\x20\x02\x00\x05",
        b"\x20\x03\x00\x00\x00",
        b"\x90\x03\x00\x01\x00",
        b"\x30\x05\x00\x01aXX",
        b"\x20\xff\xff\xff\x7f",
        b"\x30\x00",
        b"\xe0\x00",
        b"\x40\x02\x00\x01",
        b"\x30\x04\x00\xffab",
        b"\xf0\x00",
        b"\x16\x03\x03",
    ],
    "postgres": [
        b"N",
        b"S",
        b"E",
        b"R\x00\x00\x00\x08\x00\x00\x00\x00",
        b"R\x00\x00\x00\x08\x00\x00\x00\x05",
        b"R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00",
        b"Z\x00\x00\x00\x05I",
        b"S\x00\x00\x00\x08a\x00b\x00",
        b"E\x00\x00\x00\x0cSFATAL\x00\x00",
        b"K\x00\x00\x00\x0c" + b"\x00" * 8,
        b"T\x00\x00\x00\x06\x00\x00",
        b"D\x00\x00\x00\x0a\x00\x01\xff\xff\xff\xff",
        b"C\x00\x00\x00\x08SET\x00",
        b"T\x00\x00\x00\x1d\x00\x01a\x00" + b"\x00" * 18,
        b"Z\x7f\xff\xff\xffI",
    ],
    "web": [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 999 \xff\r\n",
        b"HTTP/9.9 abc\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 99\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"\r\n",
        b"Location: //[::1\r\n",
        b"Location: file:///etc/passwd\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Content-Type: application/json\r\n",
        b"zz\r\n",
        b"ffffffff\r\n",
        b'{"items": [{}]}',
        b"Date: x\r\n",
        b'{"data": {"result": [{"value": [1, "x"]}]}}',
        b"Retry-After: 1e9\r\n",
        b"A" * 70000 + b"\r\n",
    ],
}
Bytes = st.SearchStrategy[list[bytes]]


def answers(of: str) -> Bytes:
    """What is sent after each thing that is heard: pieces of the protocol in any order, and any bytes."""
    piece = st.sampled_from(PIECES[of]) | st.binary(max_size=30)
    return st.lists(st.lists(piece, min_size=1, max_size=6).map(b"".join), max_size=8)


class Speaker:
    """Says the next of its answers to each thing that it hears, and hangs up in the end."""

    def __init__(self) -> None:
        self.answers: Sequence[bytes] = ()

    def talk(self, client: socket.socket) -> None:
        client.settimeout(0.05)  # who has nothing to say waits for us, and gets the end
        for answer in list(self.answers):
            if not client.recv(65536):
                return
            client.sendall(answer)


@pytest.fixture(scope="module")
def speaker(loopback: Callable[[Any], int]) -> tuple[Speaker, int]:
    speaks = Speaker()
    return speaks, loopback(speaks.talk)


def no_command(command: Sequence[str], stdin: str) -> Completed:
    raise AssertionError(f"nothing is done because of what a server says, and not {command}")


def check(name: str, **given_: Any) -> None:
    """The check ends in time, with a sentence of one line."""
    module = importlib.import_module(f"ansible_collections.saveit.remediation.plugins.module_utils._{name}")
    usual = {key: spec.get("default") for key, spec in module.ARGUMENTS.items()}
    usual |= {"platform": "compose", "subject": "x", "probe": "y", **given_}
    began = time.monotonic()
    try:
        told = attempt(module.run, usual, Carrier(no_command, time.time, time.sleep)).as_return()
    except FailedError as error:
        told = error.as_return()
    assert time.monotonic() - began < 8, "it hangs"
    assert told["sentence"]
    assert "cannot make sense" not in told["sentence"], "a defect of ours"
    assert "\n" not in told["sentence"]
    json.dumps(told)


@given(said=answers("redis"))
def test_redis(case: Callable[[], None], speaker: tuple[Speaker, int], said: list[bytes]) -> None:
    case()
    speaker[0].answers = said
    check(
        "redis_check", host="127.0.0.1", port=speaker[1], timeout_seconds=SECONDS, password="x", writes=True
    )


@given(said=answers("mqtt"), version=st.sampled_from(["3.1.1", "5"]))
def test_mqtt(
    case: Callable[[], None], speaker: tuple[Speaker, int], said: list[bytes], version: str
) -> None:
    case()
    speaker[0].answers = said
    more = {"version": version, "timeout_seconds": SECONDS, "samples": 1}
    check("mqtt_check", host="127.0.0.1", port=speaker[1], **more)


@given(said=answers("postgres"))
def test_postgres(case: Callable[[], None], speaker: tuple[Speaker, int], said: list[bytes]) -> None:
    case()
    speaker[0].answers = said
    login = {"login_host": "127.0.0.1", "login_port": speaker[1], "login_password": "x"}
    check("postgres_info", timeout_seconds=SECONDS, **login)


@given(said=answers("web"))
def test_http(case: Callable[[], None], speaker: tuple[Speaker, int], said: list[bytes]) -> None:
    case()
    speaker[0].answers = said
    check("http_check", url=f"http://127.0.0.1:{speaker[1]}/", samples=1, timeout_seconds=SECONDS)


@given(said=answers("web"))
def test_prometheus(case: Callable[[], None], speaker: tuple[Speaker, int], said: list[bytes]) -> None:
    case()
    speaker[0].answers = said
    check("prometheus_query", url=f"http://127.0.0.1:{speaker[1]}", query="up", timeout_seconds=SECONDS)


@pytest.fixture(scope="module")
def cluster(speaker: tuple[Speaker, int], tmp_path_factory: pytest.TempPathFactory) -> Any:
    from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import connect

    path = tmp_path_factory.mktemp("cluster") / "kubeconfig"
    path.write_text(json.dumps(kubeconfig(speaker[1])))
    path.chmod(0o600)
    return connect({"kubeconfig": str(path), "namespace": "saveit"}, timeout=SECONDS)


def kubeconfig(port: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "x", "user": {"token": "x"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    }  # fmt: skip


@given(said=answers("web"))
def test_kubernetes(
    case: Callable[[], None], speaker: tuple[Speaker, int], cluster: Any, said: list[bytes]
) -> None:
    case()
    speaker[0].answers = said
    began, told = time.monotonic(), ""
    try:
        assert isinstance(cluster.list("pods"), list)
    except FailedError as error:
        told = str(error)
    assert "\n" not in told
    assert time.monotonic() - began < 5, "it hangs"
