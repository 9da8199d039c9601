"""The Role that `rbac` prints: every runbook works with exactly that, and not with one rule less."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from standin.cluster import Cluster
    from standin.command import Done

ACCOUNT = "remediate"
CLUSTER_WIDE = {"ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings"}


def printed(cluster: Cluster, *names: str) -> list[dict[str, Any]]:
    done = cluster.command("rbac", *names, "--service-account", ACCOUNT, "--name", ACCOUNT)
    assert done.code == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@contextmanager
def account(cluster: Cluster, objects: list[dict[str, Any]]) -> Iterator[Path]:
    """A kubeconfig of the service account that these objects bind; what is cluster-wide goes again."""
    kubeconfig = cluster.user(ACCOUNT)
    cluster.apply(*objects)
    try:
        yield kubeconfig
    finally:
        for each in objects:
            if each["kind"] in CLUSTER_WIDE:
                cluster.delete(CLUSTER_WIDE[each["kind"]], each["metadata"]["name"])


def zero(service: str, workload: str, kind: str = "statefulsets") -> Callable[[Cluster], None]:
    def break_it(cluster: Cluster) -> None:
        cluster.behave("backend")
        cluster.behave(service)
        if kind == "deployments" and service == "backend":
            cluster.delete("horizontalpodautoscalers", "saveit-backend-hpa")
        cluster.patch(kind, workload, {"spec": {"replicas": 0}})
        cluster.wait(lambda: not cluster.pods(workload), f"{workload} has no pods")

    return break_it


def used(behaviour: str, **amount: float) -> Callable[[Cluster], None]:
    """A backend that uses much, once its metrics show it: told on the stand-in, after a minute elsewhere."""

    def break_it(cluster: Cluster) -> None:
        cluster.need("metrics")
        cluster.variables["memory_threshold_percent"] = 70
        cluster.behave("backend", behaviour)
        if not cluster.is_real:
            cluster.use("saveit-backend", **amount)  # type: ignore[attr-defined]
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{cluster.namespace}/pods"
        names = {each["metadata"]["name"] for each in cluster.pods("saveit-backend")}

        def shown() -> bool:
            return names <= {each["metadata"]["name"] for each in cluster.client.call("GET", path)["items"]}

        cluster.wait(shown, "every pod has metrics", seconds=120)

    return break_it


FAULTS = {
    "application": zero("backend", "saveit-backend", "deployments"),
    "database": zero("postgres", "saveit-postgres"),
    "redis": zero("redis", "redis-master"),
    "mqtt": zero("mosquitto", "saveit-mosquitto", "deployments"),
    "memory": used("leak", memory=200 << 20),
    "cpu": used("busy", cpu=0.97),
}
# make test has a sample of them; what is the same for all, each of the others shows too.
EACH = [
    pytest.param(name, marks=() if name in ("application", "redis") else pytest.mark.long)
    for name in sorted(FAULTS)
]


def remediate(cluster: Cluster, incident: str, kubeconfig: Path) -> Done:
    quick = ["-e", "ladder_hold_seconds=0.1", "-e", f"kubernetes_kubeconfig={kubeconfig}"]
    if incident in ("memory", "cpu"):  # more pods; a restart is tried with the other incident types
        quick += ["-e", "ladder_max_risk=low", "-e", f"{incident}_metrics_seconds=1"]
    return cluster.command("--incident", incident, "--yes", "--json", *quick)


def refused(cluster: Cluster) -> list[str]:
    """What the server did not allow; a real one tells nobody, and then the report has to do."""
    if cluster.is_real:
        return []
    requests: Any = cluster.requests  # type: ignore[attr-defined]
    return [f"{each.method} {each.path}" for each in requests if each.status == 403]


@pytest.mark.parametrize("incident", EACH)
def test_a_runbook_works_with_exactly_its_role(cluster: Cluster, incident: str) -> None:
    FAULTS[incident](cluster)
    with account(cluster, printed(cluster, incident)) as kubeconfig:
        done = remediate(cluster, incident, kubeconfig)
    tried = {each["remedy"] for each in done.report["actions"] if each["changed"]}
    assert tried, done.stdout
    assert refused(cluster) == []
    assert "may not" not in done.stdout


@pytest.mark.parametrize("names", [(), ("status", "errors", "db")])
@pytest.mark.long
def test_the_commands_that_look_work_with_the_role(cluster: Cluster, names: tuple[str, ...]) -> None:
    cluster.behave("backend")
    cluster.behave("postgres")
    with account(cluster, printed(cluster, *names)) as kubeconfig:
        for command in ("status", "errors", "db") if names else ("status", "diagnose"):
            done = cluster.command(command, "--json", "-e", f"kubernetes_kubeconfig={kubeconfig}")
            assert done.code == 0, done.stdout + done.stderr
            assert "may not" not in done.stdout
    assert refused(cluster) == []


def without(objects: list[dict[str, Any]], resource: str, verb: str) -> list[dict[str, Any]]:
    """The Role without one right."""
    less = copy.deepcopy(objects)
    rules = [rule for each in less if each["kind"] == "Role" for rule in each["rules"]]
    for rule in rules:
        if resource in rule["resources"] and verb in rule["verbs"]:
            others = [name for name in rule["resources"] if name != resource]
            verbs = [name for name in rule["verbs"] if name != verb]
            role = next(each for each in less if each["kind"] == "Role")
            role["rules"].remove(rule)
            role["rules"] += [{**rule, "resources": others}] if others else []
            role["rules"] += [{**rule, "resources": [resource], "verbs": verbs}] if verbs else []
    return less


@pytest.mark.parametrize(
    ("resource", "verb", "code", "said"),
    [
        ("pods", "list", 4, '{apiGroups: [""], resources: [pods], verbs: [list]}'),
        ("deployments", "list", 4, "{apiGroups: [apps], resources: [deployments], verbs: [list]}"),
        ("leases", "create", 3, "- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]}"),
        ("deployments", "patch", 3, "- {apiGroups: [apps], resources: [deployments], verbs: [patch]}"),
        (
            "horizontalpodautoscalers",
            "list",
            3,
            "- {apiGroups: [autoscaling], resources: [horizontalpodautoscalers], verbs: [list]}",
        ),
    ],
)
def test_with_one_right_less_it_says_which(
    cluster: Cluster, resource: str, verb: str, code: int, said: str
) -> None:
    FAULTS["application"](cluster)
    with (
        account(cluster, without(printed(cluster, "application"), resource, verb)) as kubeconfig,
        cluster.unchanged(),
    ):
        done = remediate(cluster, "application", kubeconfig)
    assert done.code == code, done.stdout
    assert said in done.report["sentence"]


@pytest.mark.parametrize("incident", EACH)
@pytest.mark.long
def test_the_role_has_nothing_that_is_never_used(standin: Any, incident: str) -> None:
    """As far as one fault can show: each workload and the pods are listed by it."""
    FAULTS[incident](standin)
    objects = printed(standin, incident)
    with account(standin, objects) as kubeconfig:
        remediate(standin, incident, kubeconfig)
    used = {path_of(each) for each in standin.requests}
    assert {"create leases", "update saveit-remediate"} <= used
    for needed in ("list pods", "list deployments", "list statefulsets"):
        assert needed in used


def path_of(request: Any) -> str:
    parts = request.path.split("/")
    verb = {"GET": "list", "PATCH": "patch", "POST": "create", "PUT": "update"}[request.method]
    return f"{verb} {parts[-1]}"
