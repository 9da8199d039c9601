"""Error lines of all services: which lines count, and which are the same message."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._service_errors import (
    ARGUMENTS,
    message_of,
    run,
)

AT = "2026-11-23T02:48:10.123456789Z "


def look(logs: dict[str, str], **more: Any) -> Any:
    """A project with these services, whose containers are called as they are."""

    def execute(command: Sequence[str], stdin: str) -> Completed:
        words = list(command)[list(command).index("docker") :]
        if words[1] == "ps":
            return Completed(0, "".join(f"{name}\t{name}\tFalse\n" for name in logs), "")
        if words[1] == "inspect":
            told = [{"Id": name, "Name": f"/{name}", "State": {"Status": "running"}} for name in words[2:]]
            return Completed(0, json.dumps(told), "")
        assert words[1] == "logs", words
        assert "--since=300s" in words
        return Completed(0, logs[words[-1]], "")

    given = {key: spec.get("default") for key, spec in ARGUMENTS.items()}
    carrier = Carrier(execute, lambda: 0.0, lambda _seconds: None, False)
    return run({**given, "platform": "compose", **more}, carrier)


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-23 06:16:21,490 - ERROR - ✗ GET /path [503] 3.84ms IP:10.0.0.1",
        "FATAL:  sorry, too many clients already",
        "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection refused",
        "2026/11/23 02:48:10 [error] 29#29: *1 connect() failed",
        'level=error msg="no"',
        '127.0.0.1 - - "GET / HTTP/1.1" 502 157',
        "1795421651: mosquitto error: Success",
    ],
)
def test_these_lines_are_errors(line: str) -> None:
    assert look({"backend": f"{AT}{line}\n"}).verdict == "errors"


@pytest.mark.parametrize(
    "line",
    [
        '127.0.0.1 - - "GET /errors HTTP/1.1" 200 157',
        "2026-11-23 06:16:21,490 - INFO - GET /path [200] 3.84ms",
        "LOG:  database system is ready to accept connections",
        "loaded the terrorism module",
    ],
)
def test_these_are_not(line: str) -> None:
    assert look({"backend": f"{AT}{line}\n"}).verdict == "quiet"


def test_what_differs_each_time_is_one_message() -> None:
    said = "ERROR - ✗ GET /path [503] {ms}ms IP:10.0.0.{n} id 9b2c6d7e-1111-2222-3333-44445555666{n}"
    lines = [f"{AT}2026-11-23 06:16:2{n},490 - {said.format(ms=n + 0.84, n=n)}\n" for n in range(5)]
    result = look({"backend": "".join(lines), "redis": ""})
    (table,) = result.returned["tables"]
    assert table["rows"] == [
        ["backend", 5, "2026-11-23T02:48:10", "TIME - ERROR - ✗ GET /path [503] Nms IP:IP id UUID"]
    ]
    assert {each.name: each.value for each in result.evidence} == {
        "backend.error_lines": 5,
        "redis.error_lines": 0,
    }


def test_a_status_tells_messages_apart_and_a_process_id_does_not() -> None:
    assert message_of(f"{AT}ERROR [503]") != message_of(f"{AT}ERROR [500]")
    assert message_of(f"{AT}Child process [9] died: Error") == message_of(
        f"{AT}Child process [17] died: Error"
    )


def test_a_secret_is_taken_out() -> None:
    result = look({"backend": f"{AT}ERROR cannot reach postgresql://saveit:hunter2@db:5432/saveit\n"})
    assert "hunter2" not in json.dumps(result.returned)


def test_the_most_frequent_comes_first_and_no_more_than_wanted() -> None:
    text = f"{AT}ERROR rare\n" + f"{AT}ERROR often\n" * 3
    (table,) = look({"backend": text}, most=1).returned["tables"]
    assert [row[1:] for row in table["rows"]] == [[3, "2026-11-23T02:48:10", "ERROR often"]]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"since_seconds": 0}, "wanted more than 0 s"),
        ({"since_seconds": 8 * 86400}, "at most 7 days"),
        ({"pattern": "("}, "is no regular expression"),
    ],
)
def test_bad_input_is_a_sentence(more: dict[str, Any], said: str) -> None:
    with pytest.raises(FailedError, match=said):
        look({"backend": ""}, **more)
