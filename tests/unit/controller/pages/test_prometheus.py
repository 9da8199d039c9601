"""Prometheus as it can be: down, slow, empty, NaN, with warnings, and something else altogether."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from saveit_remediate.report.prometheus import Answer, query_range

Send = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(send: Send) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            send(self)

        def log_message(self, *_args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def answer(status: int, body: bytes, **headers: str) -> Send:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def matrix(*series: list[list[Any]], **more: Any) -> bytes:
    result = [{"metric": {}, "values": values} for values in series]
    return json.dumps(
        {"status": "success", "data": {"resultType": "matrix", "result": result}, **more}
    ).encode()


def ask(send: Send, seconds: float = 5.0) -> Answer:
    with serving(send) as place:
        return query_range(f"http://{place}", "up", 0.0, 60.0, 5.0, seconds)


def test_several_series_are_one_sum_and_nan_is_a_gap() -> None:
    body = matrix(
        [[0, "1.5"], [5, "NaN"], [10, "2"]], [[0, "2"], [10, "+Inf"]], warnings=["PromQL warning: x"]
    )
    found = ask(answer(200, body))
    assert found.points == ((0.0, 3.5), (5.0, None), (10.0, 2.0))
    assert found.warnings == ("PromQL warning: x",)


@pytest.mark.parametrize(
    ("status", "body", "why", "away"),
    [
        (200, matrix(), "no such series (an empty result)", False),
        (200, matrix([[0, "NaN"]]), "no such series (only NaN)", False),
        (
            400,
            b'{"status":"error","errorType":"bad_data","error":"parse error"}',
            "bad_data: parse error",
            False,
        ),
        (422, b'{"status":"error","errorType":"execution","error":"too many"}', "execution: too many", False),
        (503, b'{"status":"error","errorType":"timeout","error":"expired"}', "timeout: expired", False),
        (200, b"<!doctype html><title>Save-It.AI</title>", "answers 200 with something else", True),
        (302, b"", "answers 302 with something else", True),
        (401, b"who are you?", "answers 401 with something else than Prometheus does: who are you?", True),
        (200, b'{"status":"success","data":[1]}', "data of an unknown form", False),
        (200, b'{"status":"success","data":{"result":[{"values":[[1]]}]}}', "data of an unknown form", False),
        (200, b"[" * 100_000, "something else", True),
    ],
)
def test_what_is_no_data_is_a_sentence(status: int, body: bytes, why: str, away: bool) -> None:
    found = ask(answer(status, body, Location="http://127.0.0.1:1/"))
    assert found.points == ()
    assert why in found.why
    assert found.away is away


def test_nobody_there_is_said_at_once() -> None:
    with serving(answer(200, b"")) as place:
        pass
    found = query_range(f"http://anna:secret@{place}", "up", 0, 60, 5)
    assert found.away
    assert "Connection refused" in found.why
    assert "secret" not in found.why


@pytest.mark.parametrize("drip", [False, True], ids=["silent", "dripping"])
def test_a_slow_one_is_left_after_its_time(drip: bool) -> None:
    over = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        if drip:
            handler.send_response(200)
            handler.end_headers()
        while not over.wait(0.05):
            if drip:
                handler.wfile.write(b" ")
                handler.wfile.flush()

    began = time.monotonic()
    with serving(slow) as place:
        found = query_range(f"http://{place}", "up", 0, 60, 5, seconds=0.3)
        over.set()
    assert found.away
    assert time.monotonic() - began < 3


def test_what_is_asked_and_by_whom() -> None:
    seen: dict[str, Any] = {}

    def note(handler: BaseHTTPRequestHandler) -> None:
        seen.update(parse_qs(urlsplit(handler.path).query), path=urlsplit(handler.path).path)
        seen["authorization"] = handler.headers["Authorization"]
        answer(200, matrix([[0, "1"]]))(handler)

    with serving(note) as place:
        query_range(f"http://anna:a%40b@{place}/prometheus/", "sum(up)", 1.5, 61.5, 5.0)
    assert seen["path"] == "/prometheus/api/v1/query_range"
    assert (seen["query"], seen["start"], seen["step"]) == (["sum(up)"], ["1.500"], ["5"])
    assert seen["authorization"] == "Basic YW5uYTphQGI="


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://[::1", "http://127.0.0.1:99999"])
def test_a_url_that_is_none_is_a_sentence(url: str) -> None:
    assert "does not answer" in query_range(url, "up", 0, 60, 5).why
