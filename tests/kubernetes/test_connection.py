"""The connection to a cluster: what it reads, writes and runs there, and the sentence when it cannot."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, ConnectOnce
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import (
    JSON_PATCH,
    ApiError,
    Cluster,
    connect,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_snapshot import snapshot
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError
from standin import command
from standin.played import StandIn

if TYPE_CHECKING:
    from standin.cluster import Cluster as TestCluster
    from standin.tls import Authority

READER = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
Connect = Callable[..., Cluster]


def options(cluster: TestCluster, **more: Any) -> dict[str, Any]:
    return {
        "kubeconfig": str(cluster.kubeconfig),
        "context": cluster.context,
        "namespace": cluster.namespace,
        "api_timeout_seconds": 10,
        **more,
    }


@pytest.fixture
def connected(cluster: TestCluster) -> Iterator[Connect]:
    made = []

    def to(**more: Any) -> Cluster:
        made.append(connect(options(cluster, **more)))
        return made[-1]

    yield to
    for each in made:
        each.close()


def lease(name: str) -> dict[str, Any]:
    spec = {"holderIdentity": "a test", "leaseDurationSeconds": 60}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec}


def test_an_object_is_made_changed_and_removed_and_a_stale_change_is_a_conflict(connected: Connect) -> None:
    there = connected()
    made = there.create("leases", lease("api-test"))
    assert [each["metadata"]["name"] for each in there.list("leases")] == ["api-test"]
    assert there.list("leases")[0]["kind"] == "Lease"
    there.patch("leases", "api-test", {"spec": {"holderIdentity": "dry"}}, dry_run=True)
    there.patch("leases", "api-test", {"spec": {"holderIdentity": "another"}})
    assert there.get("leases", "api-test")["spec"]["holderIdentity"] == "another"
    with pytest.raises(ApiError, match="somebody else changed it") as stale:
        there.replace("leases", "api-test", {**made, "spec": {"holderIdentity": "late"}})
    assert (stale.value.status, stale.value.reason) == (409, "Conflict")
    wrong = [{"op": "test", "path": "/spec/holderIdentity", "value": "x"}]
    with pytest.raises(ApiError) as untrue:
        there.patch("leases", "api-test", wrong, JSON_PATCH)
    assert untrue.value.status == 422
    there.delete("leases", "api-test")
    with pytest.raises(ApiError, match="not found") as gone:
        there.get("leases", "api-test")
    assert gone.value.status == 404


def test_commands_run_in_a_container_with_input_exit_code_and_a_limit(
    cluster: TestCluster, connected: Connect
) -> None:
    cluster.behave("backend", "healthy")
    there = connected()
    pod = cluster.pods("saveit-backend")[0]["metadata"]["name"]
    assert there.execute(pod, "backend", ["echo", "a b"]).stdout == "a b\n"
    assert there.execute(pod, "backend", ["cat"], "of the input").stdout == "of the input"
    assert there.execute(pod, "backend", ["sh", "-c", "exit 3"]).rc == 3
    assert there.execute(pod, "backend", ["no-such-command"]).rc == 127
    began = time.monotonic()
    assert there.execute(pod, "backend", ["sleep", "30"], timeout=1).rc == 124
    assert time.monotonic() - began < 10
    with pytest.raises(ApiError, match="cannot run id in pods/no-such") as gone:
        there.execute("no-such", "backend", ["id"])
    assert gone.value.status == 404


def test_a_log_is_read(cluster: TestCluster, connected: Connect) -> None:
    cluster.behave("backend", "healthy")
    pod = cluster.pods("saveit-backend")[0]["metadata"]["name"]
    assert connected().log(pod, "backend", tail=1, timestamps=True).startswith("20")


def test_who_may_only_list_pods_is_told_what_is_missing(cluster: TestCluster, connected: Connect) -> None:
    there = connected(kubeconfig=str(cluster.user("api-reader", READER)), context="api-reader")
    assert there.may("list", "pods")[0]
    assert not there.may("patch", "deployments", name="saveit-backend")[0]
    assert there.list("pods") == []
    for call, rule in (
        (lambda: there.list("deployments"), "{apiGroups: [apps], resources: [deployments], verbs: [list]}"),
        (lambda: there.list("nodes"), '{apiGroups: [""], resources: [nodes], verbs: [list]}'),
        (lambda: there.log("a"), '{apiGroups: [""], resources: [pods/log], verbs: [get]}'),
        (
            lambda: there.execute("a", "", ["id"]),
            '{apiGroups: [""], resources: [pods/exec], verbs: [create, get]}',
        ),
    ):
        with pytest.raises(ObstacleError) as denied:
            call()
        assert denied.value.id == "cluster-forbidden"
        assert rule in str(denied.value)


def test_a_snapshot_tells_an_absent_namespace_from_an_empty_one(cluster: TestCluster, tmp_path: Path) -> None:
    connection = ConnectOnce()
    carrier = Carrier(lambda *_: pytest.fail("no command"), time.time, time.sleep, cluster=connection)
    assert snapshot(options(cluster), carrier, ["pods"]) == {"pods": []}
    connection.close()
    with pytest.raises(ObstacleError, match="it has no namespace no-such-namespace") as absent:
        snapshot(options(cluster, namespace="no-such-namespace"), carrier, ["pods"])
    connection.close()
    assert absent.value.id == "no-namespace"


def test_credentials_that_are_none(cluster: TestCluster, connected: Connect) -> None:
    nobody = cluster.write_kubeconfig("nobody", {"token": "of-nobody"})
    with pytest.raises(
        ObstacleError, match=r"does not take our credentials, those of the user nobody"
    ) as caught:
        connected(kubeconfig=str(nobody), context="nobody").list("pods")
    assert (caught.value.id, caught.value.outcome) == ("cluster-credentials", "unreachable")


@pytest.mark.parametrize("kind", ["429", "500", "503", "half", "reset"])
def test_a_server_in_trouble_is_asked_again(kind: str, standin: StandIn) -> None:
    standin.fault(kind, times=2)
    there = connect(options(standin), sleep=lambda _seconds: None)
    assert there.list("pods") == []
    assert there.calls == 3
    there.close()


@pytest.mark.parametrize(
    ("kind", "id_"),
    [("500", "cluster-unreachable"), ("html", "cluster-unreachable"), ("hang", "cluster-timeout")],
)
def test_a_server_that_stays_in_trouble_is_named(kind: str, id_: str, standin: StandIn) -> None:
    standin.fault(kind, times=9)
    there = connect(options(standin), timeout=1, sleep=lambda _seconds: None)
    with pytest.raises(ObstacleError, match="the cluster standin") as caught:
        there.list("pods")
    assert (caught.value.id, caught.value.outcome) == (id_, "unreachable")
    there.close()


def test_a_server_that_is_restarted_between_two_requests_is_not_noticed(standin: StandIn) -> None:
    there = connect(options(standin))
    assert there.list("pods") == []
    standin.restart()
    there.create("leases", lease("after"))
    assert len(there.list("leases")) == 1
    there.close()


# what is wrong, exit code, words of the sentence
WRONG: list[tuple[str, Callable[[StandIn], Any], int, str]] = [
    ("unknown context", lambda it: it.variables.update(kubernetes_context="prod"), 4, "it has standin"),
    (
        "no kubeconfig",
        lambda it: it.variables.update(kubernetes_kubeconfig="/no/such/file"),
        4,
        "cannot read the kubeconfig /no/such/file (kubernetes_kubeconfig, in the inventory)",
    ),
    (
        "absent namespace",
        lambda it: it.variables.update(kubernetes_namespace="no-such"),
        4,
        "it has no namespace no-such (kubernetes_namespace, in the inventory)",
    ),
    ("API down", lambda it: it.stop(), 5, "is the API server up, and the address right?"),
]


@pytest.mark.parametrize(("_what", "break_it", "code", "words"), WRONG, ids=[each[0] for each in WRONG])
def test_the_command_says_what_is_wrong_and_changes_nothing(
    _what: str, break_it: Callable[[StandIn], Any], code: int, words: str, standin: StandIn
) -> None:
    break_it(standin)
    done = standin.command("--incident", "application", "--check")
    said = " ".join((done.stdout + done.stderr).split())
    assert words in said
    assert done.code == code
    assert standin.writes == []


def test_several_clusters_are_several_hosts(standin: StandIn, authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "west").mkdir()
    west = StandIn(authority, tmp_path / "west", namespace="saveit-west")
    try:
        for each in (standin, west):
            each.behave("backend")
        inventory = tmp_path / "two.yml"
        command.write_inventory(inventory, standin.variables, west=west.variables)
        done = command.run(inventory, tmp_path / "state", ("status", "--json"), {})
    finally:
        west.close()
    assert done.code == 0, done.stdout + done.stderr
    assert {each["target"] for each in done.report["tables"]} == {"cluster", "west"}
    for each in (standin, west):
        paths = {request.path for request in each.requests}
        assert f"/api/v1/namespaces/{each.namespace}/pods" in paths
