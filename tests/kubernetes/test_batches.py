"""Several clusters are several hosts of one run: all looked at side by side, then remedied in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from standin import command
from standin.played import StandIn

if TYPE_CHECKING:
    from standin.command import Done
    from standin.tls import Authority

HOLD = ("-e", "ladder_hold_seconds=0.1")
NAMES = ("east", "north", "west")


@pytest.fixture
def clusters(authority: Authority, tmp_path: Path) -> Iterator[dict[str, StandIn]]:
    """Three stand-ins, each with a Redis."""
    made: dict[str, StandIn] = {}
    try:
        for name in NAMES:
            (tmp_path / name).mkdir()
            made[name] = StandIn(authority, tmp_path / name)
            made[name].behave("redis")
        yield made
    finally:
        for each in made.values():
            each.close()


@pytest.fixture
def remediate(clusters: dict[str, StandIn], tmp_path: Path) -> Callable[..., Done]:
    inventory = tmp_path / "clusters.yml"
    command.write_hosts(inventory, {name: each.variables for name, each in clusters.items()})

    def run(*more: str) -> Done:
        arguments = ("--incident", "redis", "--yes", "--json", *HOLD, *more)
        return command.run(inventory, tmp_path / "state", arguments, {})

    return run


def break_redis(cluster: StandIn) -> None:
    cluster.patch("statefulsets", "redis-master", {"spec": {"replicas": 0}})
    cluster.wait(lambda: not cluster.pods("redis-master"), "redis-master has no pods")


def outcomes(done: Done) -> dict[str, str]:
    return {each["target"]: each["outcome"] for each in done.report["targets"]}


@pytest.mark.long
def test_a_cluster_that_is_away_keeps_nobody_from_help(
    clusters: dict[str, StandIn], remediate: Callable[..., Done]
) -> None:
    break_redis(clusters["west"])
    clusters["north"].stop()
    done = remediate("-e", "kubernetes_api_timeout_seconds=1")
    assert outcomes(done) == {"east": "healthy", "north": "unreachable", "west": "recovered"}, done.stdout
    assert (done.code, done.report["outcome"]) == (5, "unreachable")
    assert clusters["east"].writes == []


@pytest.mark.long
def test_when_most_are_sick_none_is_touched_unless_the_site_wants_it_one_by_one(
    clusters: dict[str, StandIn], remediate: Callable[..., Done]
) -> None:
    for name in ("east", "west"):
        break_redis(clusters[name])
    done = remediate()
    assert (done.code, done.report["outcome"]) == (4, "refused"), done.stdout
    assert "2 of 3 targets are sick at once (east, west)" in done.report["sentence"]
    assert "Escalate: " in done.report["sentence"]
    assert outcomes(done) == {"east": "refused", "north": "healthy", "west": "refused"}
    assert [each.writes for each in clusters.values()] == [[], [], []]
    done = remediate("-e", "ladder_max_unhealthy_percent=80", "-e", "ladder_serial=1")
    assert (done.code, set(outcomes(done).values())) == (0, {"recovered", "healthy"}), done.stdout
    done_at = {
        each["target"]: (each["started"], each["finished"])
        for each in done.report["actions"]
        if each["started"]
    }
    assert done_at["east"][1] < done_at["west"][0], "the second begins when the first has recovered"
