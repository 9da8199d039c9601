"""`--check`: diagnosis, plan, what is not allowed and diffs, and not one write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from test_access import FAULTS

if TYPE_CHECKING:
    from standin.cluster import Cluster, Done

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
APPS = ["deployments", "statefulsets", "daemonsets", "replicasets"]
SEE = (
    {"apiGroups": ["apps"], "resources": APPS, "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["pods", "events"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["list"]},
    {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": ["list"]},
)


def scaled_to_zero(cluster: Cluster) -> None:
    """Without the autoscaler, which would have a say."""
    cluster.behave("backend")
    cluster.delete("horizontalpodautoscalers", "saveit-backend-hpa")
    cluster.patch("deployments", "saveit-backend", {"spec": {"replicas": 0}})
    cluster.wait(lambda: not cluster.pods("saveit-backend"), "the backend has no pods")


def check(cluster: Cluster, *more: str) -> Done:
    return cluster.command("--incident", "application", "--check", *more)


def asked(cluster: Cluster) -> set[str]:
    """What the product sent, but for reads; a real cluster tells nobody."""
    if cluster.is_real:
        return set()
    requests: Any = cluster.requests  # type: ignore[attr-defined]
    return {f"{each.method} {each.path}" for each in requests if each.method != "GET"}


def test_a_check_shows_diagnosis_plan_and_diff_and_writes_nothing(cluster: Cluster) -> None:
    scaled_to_zero(cluster)
    with cluster.unchanged():
        done = check(cluster)
    assert done.code == 0, done.stdout + done.stderr
    assert "finding: cluster: service-scaled-to-zero: " in done.stdout
    assert "plan: cluster: would try start" in done.stdout
    assert "diff: cluster: start: " in done.stdout
    assert "planned: would try start on cluster; nothing was touched, as this was a check" in done.stdout
    assert asked(cluster) <= {f"POST {REVIEWS}"}


def test_what_is_not_allowed_is_shown_as_the_rule_to_add_and_is_not_in_the_plan(cluster: Cluster) -> None:
    scaled_to_zero(cluster)
    user = cluster.user("viewer", *SEE)
    with cluster.unchanged():
        done = check(cluster, "-e", f"kubernetes_kubeconfig={user}")
    assert done.code == 0, done.stdout + done.stderr
    assert "plan: cluster: will not try start" in done.stdout
    assert "our account may not " in done.stdout
    assert "get deployments, patch deployments in " in done.stdout
    assert (
        "- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create, get, update]}"
        in done.stdout
    )
    assert "- {apiGroups: [apps], resources: [deployments], verbs: [get, patch]}" in done.stdout
    assert "would try start" not in done.stdout
    assert asked(cluster) <= {f"POST {REVIEWS}"}


@pytest.mark.long
def test_each_right_is_asked_for_once_over_one_connection(cluster: Cluster) -> None:
    cluster.need("faults")  # only the stand-in tells its requests
    scaled_to_zero(cluster)
    check(cluster)
    bodies = [each.body for each in cluster.requests if each.path == REVIEWS]  # type: ignore[attr-defined]
    assert bodies
    assert len(bodies) == len(set(bodies))


def test_nothing_is_asked_when_nothing_is_wrong(cluster: Cluster) -> None:
    cluster.behave("backend")
    with cluster.unchanged():
        done = check(cluster)
    assert (done.code, done.stdout.partition("\nhealthy: ")[1]) == (0, "\nhealthy: "), done.stdout
    assert asked(cluster) == set()


@pytest.mark.parametrize(
    "behaviour",
    [
        "crash-loop",
        *(
            pytest.param(each, marks=pytest.mark.long)
            for each in ("image-missing", "config-missing", "unschedulable")
        ),
    ],
)
def test_what_no_restart_helps_against_gets_no_plan(cluster: Cluster, behaviour: str) -> None:
    cluster.behave("backend", behaviour)
    with cluster.unchanged():
        done = check(cluster)
    assert "finding: cluster: service-" in done.stdout
    assert "plan: cluster: would try restart" not in done.stdout
    assert asked(cluster) <= {f"POST {REVIEWS}"}


def test_plain_ansible_playbook_rehearses_too(cluster: Cluster, ansible_playbook: Any) -> None:
    scaled_to_zero(cluster)
    user = cluster.user("viewer", *SEE)
    with cluster.unchanged():
        done = ansible_playbook("application", f"kubernetes_kubeconfig={user}")
    assert done.returncode != 0
    assert "no remedy may be tried (start: our account may not " in done.stdout
    assert "get deployments, patch deployments" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize("type_", sorted(FAULTS))
def test_a_check_of_any_incident_type_only_reads(cluster: Cluster, type_: str) -> None:
    """That of the runbook certificate is in test_certificate."""
    FAULTS[type_](cluster)
    if cluster.find("horizontalpodautoscalers", "saveit-backend-hpa"):  # it would scale meanwhile, by itself
        cluster.delete("horizontalpodautoscalers", "saveit-backend-hpa")
    with cluster.unchanged():
        done = cluster.command("--incident", type_, "--check", "--json")
    assert done.report["outcome"] == "planned", done.stdout
    assert asked(cluster) <= {f"POST {REVIEWS}"}
