"""`status`, `errors` and `db`: the first questions of the runbook."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab, Remediate, Watch


def table(report: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return next(one["rows"] for one in report["tables"] if one["name"] == name)


def test_status_shows_every_service(lab: Lab, remediate: Remediate, watch: Callable[[], Watch]) -> None:
    lab.break_("redis-stopped")
    with watch() as seen:
        report = remediate("status", "--json").report
    services = {row["service"]: row for row in table(report, "services")}
    assert (services["redis"]["state"], services["redis"]["ready"]) == ("stopped", "no")
    assert services["backend"]["state"] == "running"
    assert services["backend"]["memory (MiB)"] > 0
    assert seen.touched == []
    lines = remediate("status").stdout
    assert "redis\tsaveit-redis\tstopped" in lines


def test_errors_are_counted_by_message(lab: Lab, remediate: Remediate) -> None:
    lab.break_("database-stopped")
    for _ in range(3):
        remediate("status", "--json")  # asks whether the backend is ready, which it logs
    rows = table(remediate("errors", "--since", "5m", "--json").report, "errors")
    assert any(row["service"] == "backend" and "[503]" in row["message"] and row["count"] > 3 for row in rows)


def test_db_shows_the_connections(healthy: Lab, remediate: Remediate) -> None:
    report = remediate("db", "--json").report
    (slots,) = table(report, "slots")
    assert 0 < slots["used"] < slots["of"]
    connections = table(report, "connections")
    assert "idle" in {row["state"] for row in connections}
    assert sum(row["count"] for row in connections) > 0
    assert table(report, "waiting for locks") == []


def test_db_of_a_stopped_database_says_so(lab: Lab, remediate: Remediate) -> None:
    lab.break_("database-stopped")
    report = remediate("db", "--json").report
    assert report["tables"] == []
    assert "saveit-postgres is stopped" in str(report["findings"])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["errors", "--since", "yesterday"], 2, "--since must be a time such as 90s"),
        (["status", "-l", "nosuch"], 2, "the limit 'nosuch' matches no host"),
        (["db", "-i", "nowhere"], 2, "cannot find the inventory"),
    ],
)
def test_bad_input_is_a_sentence(remediate: Remediate, arguments: list[str], code: int, said: str) -> None:
    done = remediate(*arguments)
    assert (done.code, done.stderr.count("\n")) == (code, 1)
    assert said in done.stderr


def test_without_an_engine_it_says_so(lab: Lab, remediate: Remediate) -> None:
    done = remediate("status", env={"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    assert done.code == 5
    assert "no Docker engine runs" in done.stdout
