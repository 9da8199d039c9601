"""prometheus_query: what the answers of Prometheus mean. The bodies are those of Prometheus 2.42."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _prometheus_query
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result


def vector(*values: str) -> bytes:
    result = [
        {"metric": {"__name__": "up", "instance": f"i{number}"}, "value": [1795436000.1, value]}
        for number, value in enumerate(values)
    ]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


EMPTY = b'{"status":"success","data":{"resultType":"vector","result":[]}}'
SCALAR = b'{"status":"success","data":{"resultType":"scalar","result":[1795436000.1,"3"]}}'
MATRIX = (
    b'{"status":"success","data":{"resultType":"matrix","result":'
    b'[{"metric":{},"values":[[1,"7"],[2,"9"]]},{"metric":{},"values":[]}]}}'
)
HISTOGRAM = vector("NaN").replace(b'"value": [1795436000.1, "NaN"]', b'"histogram": [1, {"count": "2"}]')
PARSE_ERROR = (
    b'{"status":"error","errorType":"bad_data",'
    b'"error":"invalid parameter \\"query\\": 1:4: parse error: unclosed left parenthesis"}'
)
TIMEOUT = b'{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}'
EXECUTION = b'{"status":"error","errorType":"execution","error":"many-to-many matching not allowed"}'
WARNED = EMPTY[:-1] + b',"warnings":["could not reach a peer"]}'


def parameters(**more: Any) -> dict[str, Any]:
    defaults = {name: spec.get("default") for name, spec in _prometheus_query.ARGUMENTS.items()}
    given = {"url": "http://prometheus:9090/", "query": "up", "subject": "backend", "probe": "up"}
    return {**defaults, **given, **more}


def answered(body: bytes, status: int = 200, **more: Any) -> Result:
    def get(_parameters: Mapping[str, Any], _url: str) -> tuple[int, bytes]:
        return status, body

    given = parameters(**more)
    return _prometheus_query.judge(given, _prometheus_query.ask(given, get))


def number(result: Result) -> Any:
    (evidence,) = result.evidence
    assert evidence.name == "backend.up"
    assert evidence.value == result.returned["value"]
    return evidence.value


NUMBERS = [
    # body, which of several, verdict, number, what the sentence says
    (EMPTY, "max", "no-data", None, "no data (the answer is empty)"),
    (EMPTY, "sum", "no-data", None, "no data (the answer is empty)"),
    (vector("NaN"), "sum", "no-data", None, "no data (1 series, all of them NaN)"),
    (HISTOGRAM, "max", "no-data", None, "all of them NaN"),
    (vector("0"), "max", "within", 0, "up: 0"),
    (vector("1.5"), "max", "within", 1.5, "up: 1.5"),
    (vector("1", "5", "NaN"), "max", "within", 5, "5, the max of 3 series"),
    (vector("1", "5", "NaN"), "min", "within", 1, "1, the min of 3 series"),
    (vector("1", "5", "NaN"), "sum", "within", 6, "6, the sum of 3 series"),
    (vector("+Inf"), "max", "within", "+Inf", "inf"),
    (vector("+Inf", "-Inf"), "sum", "no-data", None, "no data"),
    (SCALAR, "max", "within", 3, "up: 3"),
    (MATRIX, "max", "within", 9, "up: 9"),
]


@pytest.mark.parametrize(("body", "series", "verdict", "value", "says"), NUMBERS)
def test_an_empty_answer_is_no_data_and_not_zero(
    body: bytes, series: str, verdict: str, value: Any, says: str
) -> None:
    result = answered(body, series=series)
    assert (result.verdict, number(result)) == (verdict, value), result.sentence
    assert says in result.sentence
    assert (result.findings, result.changed) == ([], False)
    json.dumps(result.as_return(), allow_nan=False)


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ({"at_most": 5.0}, "within"),
        ({"at_most": 4.9}, "outside"),
        ({"at_least": 5.0}, "within"),
        ({"at_least": 5.1}, "outside"),
        ({"at_least": 1.0, "at_most": 9.0}, "within"),
    ],
)
def test_a_number_outside_its_limits_is_a_finding(limits: dict[str, Any], verdict: str) -> None:
    result = answered(vector("5"), finding="too-many", **limits)
    assert result.verdict == verdict
    assert [each.id for each in result.findings] == ["too-many"] * (verdict == "outside")
    assert answered(vector("5"), **limits).findings == []


def test_no_data_is_outside_of_no_limit() -> None:
    result = answered(EMPTY, finding="too-few", at_least=1.0)
    assert (result.verdict, result.findings) == ("no-data", [])


ENDINGS = [
    (PARSE_ERROR, 400, "refused", "does not understand the query: bad_data: invalid parameter"),
    (EXECUTION, 422, "refused", "cannot execute the query: execution: many-to-many matching not allowed"),
    (TIMEOUT, 503, "unavailable", "answers 503, timeout: query timed out"),
    (b"<html>the application</html>", 200, "unavailable", "something else than Prometheus does: '<html>"),
    (b"", 502, "unavailable", "answers 502 with something else than Prometheus does: nothing"),
    (b'{"status":"ready"}', 200, "unavailable", "something else than Prometheus does"),
    (b"[]", 200, "unavailable", "something else than Prometheus does"),
    (b'{"status":"success"}', 200, "unavailable", "with data of an unknown form"),
    (b'{"status":"success","data":[]}', 200, "unavailable", "with data of an unknown form"),
]


@pytest.mark.parametrize(("body", "status", "verdict", "says"), ENDINGS)
def test_what_is_no_answer_is_no_data_with_the_reason(
    body: bytes, status: int, verdict: str, says: str
) -> None:
    result = answered(body, status)
    assert (result.verdict, number(result), says in result.sentence) == (verdict, None, True), result.sentence
    assert "no data, Prometheus at http://prometheus:9090/ " in result.sentence


def test_warnings_of_prometheus_are_told() -> None:
    result = answered(WARNED)
    assert result.returned["prometheus_warnings"] == ["could not reach a peer"]
    assert result.sentence.endswith("(Prometheus warns: could not reach a peer)")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"url": "prometheus:9090"}, "it is not an http or https URL"),
        ({"query": " "}, "the query is empty"),
        ({"timeout_seconds": 0}, "timeout_seconds must be more than 0"),
        ({"timeout_seconds": float("inf")}, "timeout_seconds must be more than 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], says: str) -> None:
    nothing: Any = None
    with pytest.raises(FailedError, match=f"^cannot query .* for backend: {says}"):
        _prometheus_query.run(parameters(**given), Carrier(nothing, nothing, nothing))


class Serving(BaseHTTPRequestHandler):
    """A Prometheus on paper; it writes down what it was asked."""

    over = Event()
    asked: tuple[str, dict[str, list[str]], str | None]

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        type(self).asked = (url.path, parse_qs(url.query), self.headers.get("Authorization"))
        if url.path.startswith("/hangs"):
            self.over.wait(20)
            return
        self.send_response(400 if url.path.startswith("/refuses") else 200)
        self.end_headers()
        if url.path.startswith("/trickles"):
            for _ in range(200):
                self.wfile.write(b" ")
                if self.over.wait(0.05):
                    return
        self.wfile.write(PARSE_ERROR if url.path.startswith("/refuses") else vector("4"))

    def log_message(self, *_arguments: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def prometheus() -> Any:
    Serving.over.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Serving)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    Serving.over.set()
    server.shutdown()
    server.server_close()


def run(url: str, **more: Any) -> Result:
    nothing: Any = None
    return _prometheus_query.run(parameters(url=url, **more), Carrier(nothing, nothing, nothing))


def test_the_query_is_asked_as_it_is(prometheus: str) -> None:
    query = 'rate(http_requests_total{status=~"5.."}[5m]) > 0 & more'
    result = run(f"{prometheus}/sub/", query=query, token="s3cret")
    assert (result.verdict, number(result)) == ("within", 4)
    path, arguments, authorization = Serving.asked
    assert (path, arguments["query"]) == ("/sub/api/v1/query", [query])
    assert authorization == "Bearer s3cret"
    assert "s3cret" not in json.dumps(result.as_return())


def test_a_user_has_a_password(prometheus: str) -> None:
    result = run(prometheus, username="u", password="s3cret")
    assert (result.verdict, Serving.asked[2]) == ("within", "Basic dTpzM2NyZXQ=")


def test_a_refusal_over_http_keeps_its_words(prometheus: str) -> None:
    assert "parse error: unclosed left parenthesis" in run(f"{prometheus}/refuses").sentence


@pytest.mark.parametrize("path", ["hangs", "trickles"])
def test_it_never_hangs(prometheus: str, path: str) -> None:
    begun = time.monotonic()
    result = run(f"{prometheus}/{path}", timeout_seconds=0.3)
    assert (result.verdict, time.monotonic() - begun < 5) == ("unavailable", True)
    assert "does not answer within 0.3 s" in result.sentence


def test_nothing_listens_and_a_password_in_the_url_is_not_told() -> None:
    result = run("http://user:s3cret@127.0.0.1:1")
    assert (result.verdict, number(result)) == ("unavailable", None)
    assert "refused" in result.sentence
    assert "s3cret" not in json.dumps(result.as_return())
