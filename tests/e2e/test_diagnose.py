"""`diagnose` and `--incident auto`: which incident is it? And a healthy service has none."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab, Remediate, Watch

ROUNDS = int(os.environ.get("ROUNDS", "1"))


@pytest.mark.parametrize("turn", range(1, 4 * ROUNDS + 1) if ROUNDS > 1 else [1])
def test_a_healthy_lab_has_no_incident(
    healthy: Lab, turn: int, remediate: Remediate, watch: Callable[[], Watch]
) -> None:
    with watch() as seen:
        done = remediate("diagnose", "--json")
    assert (done.code, done.report["suspects"], done.report["unseen"]) == (0, [], [])
    assert done.report["outcome"] == "healthy"
    assert seen.touched == []


def test_auto_leaves_a_healthy_lab_alone_and_records_it(healthy: Lab, remediate: Remediate) -> None:
    report = remediate("--incident", "auto", "--yes", "--json").report
    assert (report["outcome"], report["actions"]) == ("healthy", [])
    listed = json.loads(remediate("incidents", "--json").stdout)
    assert [row["incident_id"] for row in listed] == [report["incident_id"]]


def test_auto_goes_on_with_the_cause(lab: Lab, remediate: Remediate) -> None:
    lab.break_("redis-stopped")
    found = remediate("diagnose", "--json").report
    assert (found["incident"], found["outcome"]) == ("redis", "planned")
    assert found["suspects"][0]["command"] == "saveit-remediate --incident redis"
    report = remediate("--incident", "auto", "--yes", "--json").report
    assert (report["incident"], report["outcome"]) == ("redis", "recovered"), report["sentence"]
    record = remediate("show", report["incident_id"], "--json").report
    assert "found by diagnosis: redis on lab" in record["events"][0]["payload"]["sentence"]


def test_diagnose_without_an_engine_says_so(lab: Lab, remediate: Remediate) -> None:
    done = remediate("diagnose", "--json", env={"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    assert done.code == 5
    assert {one["id"] for one in done.report["unseen"]} == {"no-engine"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-l", "nosuch"], "the limit 'nosuch' matches no host"),
        (["-i", "nowhere.yml"], "cannot find the inventory"),
        (["-e", "redis_prot=1"], "did you mean 'redis_port'?"),
        (["-l", ""], "--limit is empty"),
    ],
)
def test_bad_input_is_a_sentence(remediate: Remediate, arguments: list[str], said: str) -> None:
    done = remediate("diagnose", *arguments)
    assert (done.code, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
