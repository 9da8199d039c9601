"""The application incident on a cluster: what is wrong with pods and rollouts, and what is done about it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import connect
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_revision import RESTARTED_AT
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

if TYPE_CHECKING:
    from standin.cluster import Cluster, Done
    from standin.played import StandIn

# The lab's pods are ready within seconds; nobody need wait longer for them than that.
QUICK = ("-e", "application_start_seconds=5", "-e", "application_samples=4", "-e", "ladder_hold_seconds=2")
HIGH = ("--approved-by", "tests")
STATES = [
    # behaviour of pods that never were well, what it is called, words of its sentence
    ("crash-loop", "service-crash-loop", "exit code 1"),
    ("oom", "service-oom", "killed for lack of memory"),
    ("image-missing", "service-image", "ImagePull"),
    ("config-missing", "service-config", "not found"),
    ("unschedulable", "service-unschedulable", "Insufficient cpu"),
    ("liveness", "service-liveness", "iveness probe"),
]


def incident(cluster: Cluster, *arguments: str) -> Done:
    """The backend alone: a namespace of a test has no frontend."""
    backend_only = ("-e", "application_frontend_service=", "-e", "application_database_service=")
    return cluster.command("--incident", "application", "--json", "--yes", *QUICK, *backend_only, *arguments)


def findings(report: dict[str, Any]) -> dict[str, str]:
    return {each["id"]: each["sentence"] for each in report["findings"]}


def actions(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["remedy"]: each for each in report["actions"]}


def names(cluster: Cluster) -> set[str]:
    pods = cluster.pods("saveit-backend")
    return {each["metadata"]["name"] for each in pods if not each["metadata"].get("deletionTimestamp")}


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def make_unready(cluster: Cluster, pods: Iterable[str] = ()) -> None:
    """Pods that were well turn unready, as those that hang do: these, or all."""
    target = {"kubeconfig": str(cluster.kubeconfig), "context": cluster.context}
    api = connect({**target, "namespace": cluster.namespace})
    chosen = set(pods) or names(cluster)
    # Times are whole seconds, and what turns unready in the second of its start has never been seen ready.
    cluster.wait(lambda: time.time() - newest_start(cluster) > 2, "its pods have run for two seconds")
    for name in chosen:
        assert api.execute(name, "backend", ["touch", "/tmp/saveit-not-ready"], "", 10).rc == 0  # noqa: S108
    api.close()
    cluster.wait(
        lambda: not any(is_ready(each) for each in cluster.pods("saveit-backend") if name_of(each) in chosen),
        "they are not ready",
    )


def name_of(pod: dict[str, Any]) -> str:
    return str(pod["metadata"]["name"])


def newest_start(cluster: Cluster) -> float:
    runs = [
        each["state"]["running"]
        for pod in cluster.pods("saveit-backend")
        for each in pod["status"]["containerStatuses"]
    ]
    return max(parse_time(each["startedAt"]) or 0.0 for each in runs)


def template(cluster: Cluster) -> dict[str, Any]:
    found: dict[str, Any] = cluster.get("deployments", "saveit-backend")["spec"]["template"]
    return found


def test_a_healthy_application_is_left_alone(cluster: Cluster) -> None:
    cluster.behave("backend")
    cluster.behave("frontend")
    cluster.serve("backend")
    with cluster.unchanged():
        done = cluster.command("--incident", "application", "--json", "--yes", *QUICK)
    assert done.code == 0, done.stderr
    assert done.report["outcome"] == "healthy"


@pytest.mark.parametrize(("behaviour", "finding", "said"), STATES)
def test_each_state_of_pods_is_its_own_finding_and_none_of_these_is_restarted(
    cluster: Cluster, behaviour: str, finding: str, said: str
) -> None:
    cluster.behave("backend", behaviour)
    with cluster.unchanged():
        done = incident(cluster)
    assert said in findings(done.report)[finding]
    acted = actions(done.report)
    assert acted["restart"]["result"] == "skipped"
    assert finding in acted["restart"]["sentence"]
    assert done.code != 0


def test_a_quota_that_leaves_no_room_is_named_and_a_restart_is_not_tried(cluster: Cluster) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "team"},
        "spec": {"hard": {"pods": "1"}},
    }
    cluster.apply(quota)
    cluster.wait(
        lambda: cluster.get("resourcequotas", "team").get("status", {}).get("hard"), "the quota is counted"
    )
    cluster.apply(*cluster.manifests("backend"))
    cluster.wait(
        lambda: "ReplicaFailure" in str(cluster.get("deployments", "saveit-backend").get("status")),
        "a pod is refused",
    )
    with cluster.unchanged():
        done = incident(cluster)
    assert "exceeded quota: team" in findings(done.report)["service-quota"]
    assert "1 of 2 pods cannot be made" in findings(done.report)["service-quota"]
    assert "service-quota" in actions(done.report)["restart"]["sentence"]


def test_a_node_that_is_lost_is_named(cluster: Cluster) -> None:
    cluster.need("faults")
    cluster.behave("backend")
    cluster.lose_node()  # type: ignore[attr-defined]
    cluster.wait(lambda: not any(map(is_ready, cluster.pods("saveit-backend"))), "its pods are not ready")
    done = incident(cluster, "--check")
    assert "its node node-1 is not ready" in findings(done.report)["service-node"]
    assert "application-down" in findings(done.report)


def test_pods_that_hang_are_replaced_by_a_rollout(cluster: Cluster) -> None:
    cluster.behave("backend")
    cluster.serve("backend")
    before = names(cluster)
    make_unready(cluster)
    done = incident(cluster)
    assert done.code == 0, done.stderr
    assert "is not ready: Readiness probe failed" in findings(done.report)["service-not-ready"]
    acted = actions(done.report)
    assert acted["restart"]["result"] == "helped"
    assert "a rollout of Deployment saveit-backend" in acted["restart"]["sentence"]
    assert names(cluster).isdisjoint(before)
    assert RESTARTED_AT in template(cluster)["metadata"]["annotations"]


@pytest.mark.long
def test_a_check_says_what_a_restart_would_change_and_writes_nothing(cluster: Cluster) -> None:
    cluster.behave("backend")
    make_unready(cluster)
    with cluster.unchanged():
        done = incident(cluster, "--check")
    acted = actions(done.report)
    assert acted["restart"]["result"] == "planned"
    assert RESTARTED_AT in acted["restart"]["diff"][0]["after"]


@pytest.mark.long
def test_a_rollout_that_fails_is_undone_when_high_risk_is_approved(cluster: Cluster) -> None:
    cluster.behave("backend")
    good = template(cluster)
    cluster.behave("backend", "crash-loop")
    with cluster.unchanged():
        refused = incident(cluster)
    assert refused.code != 0
    assert "exit code 1" in findings(refused.report)["service-rollout-failing"]
    assert "--approved-by NAME" in refused.report["sentence"]
    done = incident(cluster, *HIGH)
    assert done.code == 0, done.stderr
    assert actions(done.report)["undo"]["result"] == "helped"
    assert template(cluster)["spec"] == good["spec"]
    assert cluster.is_complete(cluster.get("deployments", "saveit-backend"))


def test_a_paused_rollout_is_not_restarted(cluster: Cluster) -> None:
    cluster.behave("backend")
    make_unready(cluster)
    cluster.patch("deployments", "saveit-backend", {"spec": {"paused": True}})
    with cluster.unchanged():
        done = incident(cluster)
    assert done.code != 0
    assert "service-paused-rollout" in actions(done.report)["restart"]["sentence"]
    assert "paused" in findings(done.report)["service-paused-rollout"]


def test_a_disruption_budget_in_the_way_is_respected(cluster: Cluster) -> None:
    """One pod hangs, the other serves alone, and the rollout of this strategy would take it away first."""
    cluster.behave("backend")
    rolling = {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    cluster.patch("deployments", "saveit-backend", {"spec": {"strategy": rolling}})
    cluster.patch("poddisruptionbudgets", "saveit-backend-pdb", {"spec": {"minAvailable": 2}})
    cluster.wait(
        lambda: (
            cluster.get("poddisruptionbudgets", "saveit-backend-pdb")["status"].get("disruptionsAllowed") == 0
            and cluster.get("poddisruptionbudgets", "saveit-backend-pdb")["status"].get("desiredHealthy") == 2
        ),
        "no pod may be evicted",
    )
    make_unready(cluster, sorted(names(cluster))[:1])
    with cluster.unchanged():
        done = incident(cluster)
    assert done.code != 0
    assert (
        "the PodDisruptionBudget saveit-backend-pdb allows 0" in actions(done.report)["restart"]["sentence"]
    )


def test_two_workloads_of_one_name_are_told_and_none_is_touched(cluster: Cluster) -> None:
    cluster.behave("backend")
    twin = next(each for each in cluster.manifests("backend") if each["kind"] == "Deployment")
    twin["metadata"]["name"] = "saveit-backend-blue"
    cluster.apply(twin)
    cluster.variables["service_names"] = {}
    with cluster.unchanged():
        done = incident(cluster, "-e", "application_service=saveit-backend")
    assert done.code != 0
    told = str(done.report)
    assert "Deployment saveit-backend and Deployment saveit-backend-blue" in told
    assert "service_names" in told


def test_a_workload_at_zero_is_started_again(cluster: Cluster) -> None:
    cluster.behave("backend")
    cluster.patch("deployments", "saveit-backend", {"spec": {"replicas": 0}})
    cluster.wait(lambda: not cluster.pods("saveit-backend"), "the backend has no pods")
    done = incident(cluster)
    assert done.code == 0, done.stderr
    assert "scaled to zero" in findings(done.report)["service-scaled-to-zero"]
    assert actions(done.report)["start"]["result"] == "helped"
    assert cluster.get("deployments", "saveit-backend")["spec"]["replicas"] == 2


@pytest.mark.long
def test_an_api_server_that_restarts_during_the_rollout_is_waited_for(cluster: Cluster) -> None:
    cluster.need("faults")
    cluster.behave("backend")
    make_unready(cluster)
    for kind in ("reset", "500", "429"):
        cluster.fault(kind, times=2, path="/deployments/saveit-backend", method="GET")  # type: ignore[attr-defined]
    done = incident(cluster)
    assert done.code == 0, done.stderr
    assert actions(done.report)["restart"]["result"] == "helped"


@pytest.mark.long
def test_an_api_server_that_is_down_for_a_while_during_the_rollout_is_waited_for(standin: StandIn) -> None:
    standin.behave("backend")
    make_unready(standin)
    take, down = standin.server.faults.take, threading.Event()

    def restart() -> None:
        standin.stop()
        threading.Event().wait(2)  # the API server is away so long
        standin.server.start()

    def when_it_was_told(request: Any) -> Any:
        asks = "/deployments/saveit-backend" in request.path and request.method == "GET"
        if asks and patched(standin) and not down.is_set():
            down.set()
            threading.Thread(target=restart, daemon=True).start()
        return take(request)

    standin.server.faults.take = when_it_was_told  # type: ignore[method-assign]
    done = incident(standin)
    assert down.is_set()
    assert done.code == 0, done.stdout + done.stderr
    assert len(patched(standin)) == 1


def patched(standin: StandIn) -> list[str]:
    return [each for each in standin.writes if each.startswith("PATCH") and "/deployments/" in each]


@pytest.mark.long
def test_a_restart_whose_answer_is_lost_is_not_made_twice(cluster: Cluster) -> None:
    cluster.need("faults")
    cluster.behave("backend")
    make_unready(cluster)
    cluster.fault("half", path="/deployments/saveit-backend", method="PATCH")  # type: ignore[attr-defined]
    done = incident(cluster)
    assert done.code == 0, done.stderr
    assert actions(done.report)["restart"]["result"] == "helped"
    patches = [each for each in cluster.writes if each.startswith("PATCH")]  # type: ignore[attr-defined]
    assert len(patches) == 1


@pytest.mark.long
def test_a_start_that_takes_its_time_is_waited_for(cluster: Cluster) -> None:
    seconds = "20" if cluster.is_real else "160"  # the stand-in's run quickly
    objects = cluster.manifests("backend", "slow-start")
    (container,) = next(each for each in objects if each["kind"] == "Deployment")["spec"]["template"]["spec"][
        "containers"
    ]
    container["env"].append({"name": "SAVEIT_START_SECONDS", "value": seconds})
    cluster.apply(*objects)
    cluster.wait(
        lambda: [each for each in cluster.pods("saveit-backend") if each["status"]["phase"] == "Running"],
        "it starts",
    )
    before = names(cluster)
    done = incident(cluster, "-e", "application_start_seconds=60")
    assert done.code == 0, done.stdout + done.stderr
    assert "application-starting" in findings(done.report)
    assert actions(done.report)["wait"]["result"] == "helped"
    assert names(cluster) == before
