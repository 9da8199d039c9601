"""The interlock of a namespace: one Lease object, met by the command and by whoever else is at work."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from standin.cluster import Cluster, Done

HOLD = ("-e", "ladder_hold_seconds=0.1")


@pytest.fixture
def tell(cluster: Cluster) -> Callable[..., Any]:
    """Speak to the interlock, as the module does; each time by a connection of its own."""
    from ansible_collections.saveit.remediation.plugins.module_utils import _interlock
    from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, ConnectOnce

    def run(ahead: float = 0, **parameters: Any) -> Any:
        usual = {name: spec.get("default") for name, spec in _interlock.ARGUMENTS.items()}
        target = {
            "platform": "kubernetes",
            "namespace": cluster.namespace,
            "kubeconfig": str(cluster.kubeconfig),
        }
        connection = ConnectOnce()
        carrier = Carrier(
            no_command, lambda: time.time() + ahead, time.sleep, host="cluster", cluster=connection
        )
        try:
            return _interlock.run({**usual, **target, **parameters}, carrier)
        finally:
            connection.close()

    return run


def no_command(command: Any, _stdin: str) -> Any:
    raise AssertionError(f"a cluster is asked by its API, not by {command}")


def begin(number: int = 1, **more: Any) -> dict[str, Any]:
    remedy = {"step": "begin", "services": ["redis"], "remedy": "redis.start"}
    return {**remedy, "holder": f"alice@ops{number}", "incident": f"redis-{number}", **more}


def remediate(cluster: Cluster, *more: str) -> Done:
    return cluster.command("--incident", "redis", "--yes", "--json", *HOLD, *more)


def lease(cluster: Cluster) -> Any:
    return cluster.get("leases", "saveit-remediate")


def test_a_lease_says_for_kubectl_who_is_at_work(cluster: Cluster, tell: Callable[..., Any]) -> None:
    claim = tell(**begin(duration_seconds=60.0)).returned["claim"]
    spec = lease(cluster)["spec"]
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"]) == ("alice@ops1", 60)
    first = spec["renewTime"]
    tell(step="renew", claim=claim, services=["redis"], holder="alice@ops1", duration_seconds=60.0)
    spec = lease(cluster)["spec"]
    assert spec["renewTime"] >= first >= spec["acquireTime"]
    tell(step="release", claim=claim, results={"redis.start": "helped"})
    assert not lease(cluster)["spec"].get("holderIdentity")


def test_controllers_whose_clocks_disagree_meet_the_same_lease(tell: Callable[..., Any]) -> None:
    from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError

    claim = tell(**begin()).returned["claim"]
    for wrong in (3600.0, -3600.0):
        with pytest.raises(ObstacleError, match="is being remediated by alice@ops1"):
            tell(ahead=wrong, **begin(2))
    tell(step="release", claim=claim)


def test_of_ten_who_begin_at_the_same_time_exactly_one_acts(tell: Callable[..., Any]) -> None:
    from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError

    def race(number: int) -> str:
        try:
            return str(tell(**begin(number)).verdict)
        except ObstacleError as error:
            return error.id

    with ThreadPoolExecutor(10) as pool:
        said = sorted(pool.map(race, range(10)))
    assert said == ["begun", *["lease-held"] * 9]


@pytest.mark.long
def test_the_command_is_refused_while_somebody_else_is_at_work(
    cluster: Cluster, tell: Callable[..., Any]
) -> None:
    cluster.need("faults")
    cluster.behave("redis")
    cluster.patch("statefulsets", "redis-master", {"spec": {"replicas": 0}})
    cluster.wait(lambda: not cluster.pods("redis-master"), "redis-master has no pods")
    tell(**begin())
    done = remediate(cluster)
    assert (done.code, done.report["outcome"]) == (4, "refused"), done.stdout
    assert "/redis on cluster is being remediated by alice@ops1 (incident redis-1)" in done.report["sentence"]
    done = remediate(cluster, "--break-lease", "alice has gone to bed")
    assert (done.code, done.report["outcome"]) == (0, "recovered"), done.stdout
    shown = cluster.command("show", "last")
    assert "lease-broken: broke a lease (alice has gone to bed)" in shown.stdout
    assert not lease(cluster)["spec"].get("holderIdentity")


@pytest.mark.long
def test_the_command_is_refused_while_automation_is_paused(cluster: Cluster) -> None:
    cluster.behave("redis")
    cluster.patch("statefulsets", "redis-master", {"spec": {"replicas": 0}})
    cluster.wait(lambda: not cluster.pods("redis-master"), "redis-master has no pods")
    paused = cluster.command("pause", "cluster", "--reason", "database move", "--until", "1h")
    assert paused.code == 0, paused.stderr
    for more in ((), ("--check",)):
        done = remediate(cluster, *more)
        assert done.code == 4, done.stdout
        assert "database move" in done.report["sentence"]
    assert "database move" in cluster.command("status").stdout
    assert cluster.command("resume-automation", "cluster").code == 0
    assert remediate(cluster).code == 0


def test_a_lease_of_this_name_that_is_not_ours_is_left_alone(
    cluster: Cluster, tell: Callable[..., Any]
) -> None:
    from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError

    foreign = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"holderIdentity": "x"}}
    cluster.apply({**foreign, "metadata": {"name": "saveit-remediate", "namespace": cluster.namespace}})
    with pytest.raises(ObstacleError, match="is no JSON"):
        tell(**begin())
    assert lease(cluster)["spec"]["holderIdentity"] == "x"
