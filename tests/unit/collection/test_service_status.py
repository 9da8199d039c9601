"""One table of all services, out of three questions to the engine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._service_status import (
    ARGUMENTS,
    COLUMNS,
    run,
)

CONTAINERS = [
    {
        "Id": "1",
        "Name": "/saveit-backend",
        "State": {"Status": "running", "Health": {"Status": "healthy"}},
        "RestartCount": 2,
    },
    {"Id": "2", "Name": "/saveit-redis", "State": {"Status": "exited", "ExitCode": 137}},
]


def look(**more: Any) -> tuple[Any, list[str]]:
    asked: list[str] = []

    def execute(command: Sequence[str], stdin: str) -> Completed:
        words = list(command)[list(command).index("docker") :]
        asked.append(words[1])
        if words[1] == "ps":
            return Completed(0, "1\tapi\tFalse\n2\tredis\tFalse\n3\tapi\tTrue\n", "")
        if words[1] == "inspect":
            assert words[2:] == ["1", "2"]  # the one-off container is none of the service's
            return Completed(0, json.dumps(CONTAINERS), "")
        assert words[1] == "stats"
        assert words[-1] == "1"  # only what runs uses anything
        return Completed(0, '1\t{"MemUsage": "64MiB / 1GiB", "CPUPerc": "12.00%"}\n', "")

    given = {key: spec.get("default") for key, spec in ARGUMENTS.items()}
    given.update(platform="compose", service_names={"backend": "api"}, **more)
    result = run(given, Carrier(execute, lambda: 0.0, lambda _seconds: None, False))
    return result, asked


def rows(result: Any) -> list[dict[str, Any]]:
    (table,) = result.returned["tables"]
    return [dict(zip(COLUMNS, row, strict=True)) for row in table["rows"]]


def test_three_questions_and_a_row_for_each_container() -> None:
    result, asked = look()
    assert asked == ["ps", "inspect", "stats"]
    assert rows(result) == [
        {
            "service": "backend", "instance": "saveit-backend", "state": "running", "ready": "healthy",
            "restarts": 2, "cpu (cores)": 0.12, "memory (MiB)": 64, "limit (MiB)": 1024,
        },
        {
            "service": "redis", "instance": "saveit-redis", "state": "stopped", "ready": "no",
            "restarts": 0, "cpu (cores)": None, "memory (MiB)": None, "limit (MiB)": None,
        },
    ]  # fmt: skip
    assert (result.verdict, result.sentence) == ("sick", "2 services, redis not running")
    assert [each.id for each in result.findings] == ["service-stopped"]


def test_what_a_check_from_outside_said_is_believed_more_than_the_engine() -> None:
    result, _asked = look(ready={"backend": "failing"})
    assert rows(result)[0]["ready"] == "failing"
