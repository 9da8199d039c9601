"""http_check against a real server on loopback, which misbehaves as its path says."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._http_check import (
    ARGUMENTS,
    Answer,
    judge,
    run,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result

HEALTH = {"status": "ok", "components": {"redis": {"status": "fallback"}, "list": [1]}}


class Handler(BaseHTTPRequestHandler):
    """What is asked for decides how the server behaves."""

    ended = threading.Event()
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        behaviours: dict[str, Callable[[], object]] = {
            "/share": lambda: self.answer(503 if self.asked % 4 == 0 else 200),
            "/down": lambda: self.answer(500, b"down"),
            "/missing": lambda: self.answer(404, b"no"),
            "/hang": lambda: self.ended.wait(20),
            "/trickle": self.trickle,
            "/failing-trickle": lambda: self.trickle(503),
            "/garbage": lambda: self.wfile.write(b"-ERR unknown command 'GET'\r\n"),
            "/closed": lambda: None,
            "/cut": self.cut,
            "/huge": lambda: self.answer(200, b"x" * 5_000_000),
            "/moved": lambda: self.answer(302, location="/"),
            "/circle": lambda: self.answer(302, location="/circle"),
            "/health": lambda: self.answer(200, json.dumps(HEALTH).encode()),
        }
        behaviours.get(self.path, lambda: self.answer(200, b"hello"))()

    def answer(self, status: int, body: bytes = b"", location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def trickle(self, status: int = 200) -> None:
        self.send_response(status)
        self.end_headers()
        while not self.ended.wait(0.02):
            self.wfile.write(b".")
            self.wfile.flush()

    def cut(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"ff\r\nonly this")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """The test's output is not the place."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some of the tests want."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    Handler.ended.clear()
    Handler.asked = 0
    with Server(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        Handler.ended.set()
        running.shutdown()


def check(url: str, **more: Any) -> Result:
    defaults = {name: spec["default"] for name, spec in ARGUMENTS.items() if "default" in spec}
    given = {**defaults, "url": url, "subject": "backend", "probe": "limited", "samples": 1, **more}
    return run(given, Carrier(no_command, time.time, no_sleep))


def no_command(command: Any, stdin: str) -> Completed:
    raise AssertionError(command)


def no_sleep(seconds: float) -> None:
    raise AssertionError(seconds)


def values(result: Result) -> dict[str, Any]:
    return {each.name: each.value for each in result.evidence}


ANSWERS = [
    # path, verdict, status, what the sentence says
    ("/", "healthy", 200, "1 of 1 answers 200"),
    ("/missing", "healthy", 404, "1 of 1 answers 404"),
    ("/down", "failing", 500, "1 of 1 answers 500"),
    ("/moved", "healthy", 200, "1 of 1 answers 200"),
    ("/circle", "healthy", 302, "1 of 1 answers 302"),
    ("/huge", "healthy", 200, "1 of 1 answers 200"),
    ("/hang", "failing", 0, "1 of 1 answers missing after 1 s"),
    ("/trickle", "failing", 0, "1 of 1 answers missing after 1 s"),
    ("/failing-trickle", "failing", 0, "1 of 1 answers missing after 1 s"),
    ("/garbage", "failing", 0, "1 of 1 answers missing (-ERR unknown command 'GET')"),
    ("/closed", "failing", 0, "1 of 1 answers missing (Remote end closed connection without response)"),
    ("/cut", "failing", 0, "1 of 1 answers missing (IncompleteRead"),
]


@pytest.mark.parametrize(("path", "verdict", "status", "says"), ANSWERS, ids=[row[0] for row in ANSWERS])
def test_each_behaviour_of_a_server_has_its_word(
    server: str, path: str, verdict: str, status: int, says: str
) -> None:
    begun = time.monotonic()
    result = check(server + path, timeout_seconds=1.0)
    assert time.monotonic() - begun < 10, "a check is bounded whatever the server does"
    assert (result.verdict, result.returned["statuses"]) == (verdict, [status])
    assert says in result.sentence
    assert result.sentence.startswith(f"backend: {server}{path}: ")


def test_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        result = check(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert (result.verdict, result.returned["statuses"]) == ("failing", [0])
    assert "Connection refused" in result.sentence


def test_the_share_of_failures_is_a_finding_and_evidence(server: str) -> None:
    result = check(f"{server}/share", samples=8, parallel=1)
    assert [(each.id, each.subject) for each in result.findings] == [("http-failing", "backend")]
    assert "6 of 8 answers 200, 2 of 8 answers 503" in result.findings[0].sentence
    assert values(result)["backend.limited.failed_percent"] == 25.0


def test_a_check_changes_nothing_and_needs_no_check_mode(server: str) -> None:
    result = check(server)
    assert (result.changed, result.diff) == (False, None)


@pytest.mark.parametrize(
    "url", ["", "backend:8000", "file:///etc/passwd", "ftp://example.com/", "javascript:x"]
)
def test_only_http_is_asked(url: str) -> None:
    with pytest.raises(FailedError, match="is not an http or https URL"):
        check(url)


@pytest.mark.parametrize("url", ["http://", "http:///x", "http://127.0.0.1:port/", "http://[::1/"])
def test_a_url_that_nobody_can_ask_is_a_failure_with_a_sentence(url: str) -> None:
    assert check(url).verdict == "failing"


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"parallel": 0}, {"samples": -1}])
def test_at_least_one_request_is_sent(wrong: dict[str, int]) -> None:
    with pytest.raises(FailedError, match="must be 1 or more"):
        check("http://127.0.0.1:1/", **wrong)


def test_fields_of_the_answer_become_evidence(server: str) -> None:
    fields = {"redis": "components.redis.status", "status": "status", "absent": "components.mqtt.status"}
    fields |= {"too_deep": "status.more", "in_a_list": "components.list.0"}
    result = check(f"{server}/health", fields=fields)
    shown = values(result)
    assert shown["backend.limited.redis"] == "fallback"
    assert shown["backend.limited.status"] == "ok"
    assert [shown[f"backend.limited.{name}"] for name in ("absent", "too_deep", "in_a_list")] == [None] * 3


@pytest.mark.parametrize("path", ["/", "/down", "/hang"])
def test_an_answer_that_is_no_json_has_no_data(server: str, path: str) -> None:
    result = check(server + path, fields={"redis": "components.redis.status"}, timeout_seconds=0.1)
    assert values(result)["backend.limited.redis"] is None
    assert "no data" in result.evidence[-1].sentence


@pytest.mark.parametrize(("bad", "found"), [("fallback", ["redis-fallback"]), ("down", [])])
def test_a_bad_value_is_a_finding(server: str, bad: str, found: list[str]) -> None:
    fields = {"redis": "components.redis.status"}
    result = check(f"{server}/health", fields=fields, bad_values={"redis": bad})
    assert [each.id for each in result.findings] == found


@pytest.mark.parametrize(
    ("took", "verdict", "percent"),
    [
        ([1, 2, 3, 4], "healthy", 0),
        ([1, 2, 3, 1001], "slow", 25),
        ([1000, 1000], "healthy", 0),
        ([2000], "slow", 100),
    ],
)
def test_slow_is_a_share_too(took: list[float], verdict: str, percent: float) -> None:
    parameters = {
        "url": "u",
        "subject": "s",
        "probe": "p",
        "slow_milliseconds": 1000,
        "fields": {},
        "bad_values": {},
    }
    result = judge(parameters, [Answer(200, each) for each in took])
    assert (result.verdict, values(result)["s.p.slow_percent"]) == (verdict, percent)
