"""A managed Redis, which a pod of the backend is asked to ask: the line of Python runs for real."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _redis_check, _redis_inside
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    FailedError,
    ObstacleError,
    Result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, Instance, Service


class Pods:
    """A platform with a backend whose commands run here, and no Redis."""

    def __init__(self, environment: Mapping[str, str], python: str = sys.executable) -> None:
        self.environment, self.python = environment, python

    def look(self, _given: Any, _carrier: Any, service: str, required: bool = True) -> Service:
        if service == "backend":
            return Service("backend", (Instance(id="1", name="saveit-backend-1", state=RUNNING),))
        if required:
            raise ObstacleError("no-service", f"cannot find the service {service!r}", "refused")
        return Service(service, ())

    def execute(
        self, _given: Any, _carrier: Any, _pod: Instance, command: Sequence[str], stdin: str, timeout: float
    ) -> Completed:
        assert command[0] == "python"
        if not self.python:
            return Completed(127, "", 'exec: "python": executable file not found in $PATH')
        done = subprocess.run(
            [self.python, *command[1:]],
            input=stdin,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Completed(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def port() -> Iterator[int]:
    """Of a real Redis that wants a password."""
    binary = shutil.which("redis-server")
    if not binary:
        pytest.skip("redis-server is not on PATH (Debian: apt-get install redis-server)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    options = ["--port", str(number), "--bind", "127.0.0.1", "--save", "", "--requirepass", "p@ss"]
    with subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL) as server:
        for _ in range(500):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", number)) == 0:
                    break
        yield number
        server.kill()


def check(monkeypatch: pytest.MonkeyPatch, pods: Pods, **more: Any) -> Result:
    monkeypatch.setattr(_redis_inside, "adapter", lambda _given: pods)
    defaults = {name: spec.get("default") for name, spec in _redis_check.ARGUMENTS.items()}
    client = {"name": "backend", "variable": "REDIS_URL"}
    carrier = Carrier(lambda *_: pytest.fail("no command"), time.time, time.sleep)
    return _redis_check.run({**defaults, "platform": "kubernetes", "client": client, **more}, carrier)


@pytest.mark.parametrize(
    ("login", "verdict"),
    [(":p%40ss@", "healthy"), ("default:p%40ss@", "healthy"), ("", "auth"), (":x@", "auth")],
)
def test_the_backend_asks_with_its_own_login(
    port: int, monkeypatch: pytest.MonkeyPatch, login: str, verdict: str
) -> None:
    pods = Pods({"REDIS_URL": f"redis://{login}127.0.0.1:{port}/0"})
    result = check(monkeypatch, pods, writes=True)
    assert (result.verdict, result.returned["roundtrip"]) == (verdict, verdict == "healthy")
    assert "redis (asked from saveit-backend-1, as nothing here runs it) answers" in result.sentence


def test_one_that_nobody_reaches_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    result = check(monkeypatch, Pods({"REDIS_URL": "redis://127.0.0.1:1/0"}))
    assert result.verdict == "refused"
    assert "Could not connect to Redis at 127.0.0.1:1" in result.sentence


def test_one_that_says_nothing_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        result = check(monkeypatch, Pods({"REDIS_URL": url}), timeout_seconds=0.2)
    assert (result.verdict, "no answer to TIME" in result.sentence) == ("timeout", True)


def test_an_address_that_nobody_knows_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ObstacleError, match="cannot find the service 'redis'"):
        check(monkeypatch, Pods({}))


@pytest.mark.parametrize("pods", [Pods({}, python=""), Pods({"REDIS_URL": "redis://:se/cret@host"})])
def test_a_backend_that_cannot_ask_is_said_without_its_password(
    monkeypatch: pytest.MonkeyPatch, pods: Pods
) -> None:
    with pytest.raises(FailedError, match="set redis_host to talk to the server directly") as failed:
        check(monkeypatch, pods)
    assert "'se'" not in str(failed.value)
