"""service_restart on Kubernetes: what it decides, what it writes, and how it waits."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _service_restart
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_restart import ChangedError
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_revision import RESTARTED_AT
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    FailedError,
    ObstacleError,
)
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

from .conftest import FakeCluster, conflict
from .recorded import state, stream


def run(scene: Any, method: str = "restart", check_mode: bool = False) -> Any:
    parameters = {**scene.parameters, "method": method, "grace_seconds": 3}
    return _service_restart.run(parameters, scene.carrier(check_mode))


def roll(cluster: FakeCluster) -> None:
    """From the next write on, each look shows the next second of the recorded rollout."""
    steps = iter(list(stream("rollout", state("healthy"))))

    def tick() -> None:
        if cluster.writes:
            for _time, deployment, world in steps:
                cluster.objects.update(
                    deployments=[deployment],
                    pods=[dict(each) for each in world.pods],
                    replicasets=[dict(each) for each in world.replicasets],
                )
                break

    cluster.tick = tick


def test_a_restart_writes_what_kubectl_writes_and_waits_until_it_is_done(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    version = it.cluster.objects["deployments"][0]["metadata"]["resourceVersion"]
    roll(it.cluster)
    result = run(it)
    ((what, name, body),) = it.cluster.writes
    assert (what, name) == ("patch deployments", "saveit-backend")
    stamp = "2026-11-23T06:50:07Z"
    assert body == {
        "metadata": {"resourceVersion": version},
        "spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: stamp}}}},
    }
    assert (result.verdict, result.changed) == ("restarted", True)
    assert "all 2 pods are of the newest revision" in result.sentence
    assert result.diff["after"].endswith(f": {stamp}\n")
    assert result.diff["before"].endswith(": (none)\n")
    names = [each["name"] for each in result.returned["service"]["instances"]]
    assert all("6df9b5bb88" in each for each in names), "the new pods, and not one that is being deleted"


def test_check_mode_reads_and_does_not_write(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    result = run(it, check_mode=True)
    assert it.cluster.writes == []
    assert all(each.startswith(("get ", "list ")) for each in it.cluster.asked)
    assert (result.verdict, result.changed) == ("planned", True)
    assert result.sentence.startswith("would restart backend: a rollout of Deployment saveit-backend, ")
    assert RESTARTED_AT in result.diff["after"]


REFUSED = [
    ("paused", 0, "restart", "its rollout is paused"),
    ("rollout-in-progress", 0, "restart", "another rollout is under way"),
    ("statefulset-rollout-in-progress", 0, "restart", "another rollout is under way"),
    ("rollout-failing", 0, "restart", "exit code 1"),
    ("progress-deadline-exceeded", 0, "restart", "its rollout fails"),
    ("image-pull-backoff", 0, "restart", "could not pull the image either"),
    ("create-container-config-error", 0, "restart", 'configmap "saveit-missing" not found'),
    ("unschedulable", 0, "restart", "no room for the new pods either"),
    ("quota-exceeded", 0, "restart", "exceeded quota: saveit-quota"),
    ("scaled-to-zero", 0, "restart", "there are no pods to restart"),
    ("healthy", 0, "unpause", "Kubernetes has no paused pods"),
    ("healthy", 0, "recreate", "a restart makes every pod anew"),
    ("healthy", 0, "start", "Kubernetes starts the pods of Deployment saveit-backend by itself"),
    ("healthy", 0, "undo", "only a rollout that fails is undone"),
    ("crash-loop", 0, "undo", "has no revision before this one"),
]


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(("name", "later", "method", "why"), REFUSED)
def test_what_cannot_help_is_not_tried(
    scene: Callable[..., Any], name: str, later: float, method: str, why: str, check_mode: bool
) -> None:
    it = scene(
        name,
        later,
        service_names={"backend": "saveit-postgres" if "statefulset" in name else "saveit-backend"},
    )
    result = run(it, method, check_mode)
    assert (result.verdict, result.changed) == ("unchanged", False)
    assert why in result.sentence
    assert it.cluster.writes == []


BUDGET: dict[str, Any] = {
    "metadata": {"name": "saveit-backend-pdb"},
    "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app.kubernetes.io/name": "saveit-backend"}}},
    "status": {"disruptionsAllowed": 0, "currentHealthy": 2, "expectedPods": 2},
}


@pytest.mark.parametrize(
    ("strategy", "allowed", "unready", "selector", "breaks"),
    [
        ({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}, 0, False, "saveit-backend", False),
        ({"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}, 0, False, "saveit-backend", True),
        ({"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}, 1, False, "saveit-backend", False),
        ({"rollingUpdate": {"maxUnavailable": 2, "maxSurge": 1}}, 1, False, "saveit-backend", True),
        ({"type": "Recreate"}, 1, False, "saveit-backend", True),
        ({"type": "Recreate"}, 2, False, "saveit-backend", False),
        ({"type": "Recreate"}, 0, True, "saveit-backend", False),  # none is well, so none is protected
        ({"type": "Recreate"}, 0, False, "saveit-frontend", False),  # a budget of others
    ],
)
def test_a_restart_does_not_break_a_disruption_budget(
    scene: Callable[..., Any],
    strategy: dict[str, Any],
    allowed: int,
    unready: bool,
    selector: str,
    breaks: bool,
) -> None:
    it = scene("healthy")
    it.cluster.objects["deployments"][0]["spec"]["strategy"] = strategy
    budget = copy.deepcopy(BUDGET)
    budget["status"]["disruptionsAllowed"] = allowed
    budget["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] = selector
    it.cluster.objects["poddisruptionbudgets"] = [budget]
    for pod in it.cluster.objects["pods"] if unready else ():
        next(each for each in pod["status"]["conditions"] if each["type"] == "Ready")["status"] = "False"
    result = run(it, check_mode=True)
    assert result.verdict == ("unchanged" if breaks else "planned")
    assert ("the PodDisruptionBudget saveit-backend-pdb allows" in result.sentence) is breaks


def test_a_statefulset_always_takes_a_pod_down(scene: Callable[..., Any]) -> None:
    it = scene("statefulset-healthy", service_names={"backend": "statefulset/saveit-postgres"})
    budget = copy.deepcopy(BUDGET)
    budget["spec"]["selector"] = {
        "matchExpressions": [{"key": "app.kubernetes.io/part-of", "operator": "Exists"}]
    }
    it.cluster.objects["poddisruptionbudgets"] = [budget]
    result = run(it, check_mode=True)
    assert "takes down 1 of its 2 ready pods" in result.sentence


def test_a_conflict_is_read_and_decided_again(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    it.cluster.refusals = [conflict(), conflict()]
    roll(it.cluster)
    assert run(it).verdict == "restarted"
    assert len(it.cluster.writes) == 3


def test_after_a_conflict_the_decision_may_be_another_one(scene: Callable[..., Any]) -> None:
    it = scene("healthy")

    def pause_meanwhile(*_args: Any, **_more: Any) -> Any:
        it.cluster.writes.append(("patch", "", {}))
        it.cluster.objects["deployments"][0]["spec"]["paused"] = True
        raise conflict()

    it.cluster.patch = pause_meanwhile
    result = run(it)
    assert result.verdict == "unchanged"
    assert "paused" in result.sentence
    assert len(it.cluster.writes) == 1


def test_three_conflicts_are_the_end(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    it.cluster.refusals = [conflict(), conflict(), conflict()]
    with pytest.raises(FailedError, match=r"somebody else changes Deployment saveit-backend all the time"):
        run(it)
    assert len(it.cluster.writes) == 3


LOST = ObstacleError("cluster-unreachable", "the connection was broken off", "unreachable")


def test_when_the_answer_is_lost_the_object_tells_whether_it_was_written(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    it.cluster.refusals = [LOST]
    roll(it.cluster)
    _time, written, _world = next(stream("rollout", state("healthy")))
    stamp = written["spec"]["template"]["metadata"]["annotations"][RESTARTED_AT]
    it.clock.time = parse_time(stamp)
    assert run(it).verdict == "restarted"
    assert len(it.cluster.writes) == 1, "a write is never repeated blindly"


def test_when_it_was_not_written_the_loss_is_told(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    it.cluster.refusals = [LOST]
    with pytest.raises(ObstacleError, match="broken off"):
        run(it)


def test_a_rollout_that_gets_worse_is_told_long_before_its_deadline(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    failing = state("rollout-failing")

    def get_worse(_kind: str, _body: Any) -> None:
        it.cluster.objects.update(
            deployments=[failing["deployment"]], pods=failing["pods"], replicasets=failing["replicasets"]
        )

    it.cluster.after = get_worse
    begun = it.clock.time
    with pytest.raises(
        ChangedError, match=r"backend was restarted .*, and the rollout of .*exit code 1"
    ) as caught:
        run(it)
    assert caught.value.as_return()["changed"] is True
    assert RESTARTED_AT in caught.value.as_return()["diff"]["after"]
    assert it.clock.time - begun < 20


def test_a_rollout_that_does_not_get_on_is_given_up_in_time(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    stuck = state("rollout-in-progress-new-pod-not-ready")
    it.cluster.after = lambda _kind, _body: it.cluster.objects.update(
        deployments=[stuck["deployment"]], pods=stuck["pods"], replicasets=stuck["replicasets"]
    )
    begun = it.clock.time
    with pytest.raises(
        FailedError, match=r"the rollout is not done after \d+ s: .* 1 of 2 pods are of the new"
    ):
        run(it)
    assert 60 <= it.clock.time - begun <= 600


def test_an_api_server_that_restarts_meanwhile_is_waited_for(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    roll(it.cluster)
    real, calls = it.cluster.get, iter(range(1000))

    def flaky(kind: str, name: str) -> Any:
        if 2 < next(calls) < 6:
            raise LOST
        return real(kind, name)

    it.cluster.get = flaky
    assert run(it).verdict == "restarted"


def test_an_undo_brings_the_template_of_the_revision_before_back(scene: Callable[..., Any]) -> None:
    it = scene("rollout-failing")
    before = it.cluster.objects["deployments"][0]["spec"]["template"]
    done = state("rolled-back")
    it.cluster.after = lambda _kind, _body: it.cluster.objects.update(
        deployments=[done["deployment"]], pods=done["pods"], replicasets=done["replicasets"]
    )
    planned = run(it, "undo", check_mode=True)
    assert planned.sentence == "would undo backend: Deployment saveit-backend back to its revision 2"
    result = run(it, "undo")
    ((_what, _name, body),) = it.cluster.writes
    template = body["spec"]["template"]
    assert template["spec"]["containers"][0]["image"].endswith(":1.0")
    assert before["spec"]["containers"][0]["image"].endswith(":1.1")
    assert "pod-template-hash" not in str(template)
    assert result.verdict == "undone"
    assert ":1.1\n" in result.diff["before"]
    assert ":1.0\n" in result.diff["after"]


def test_the_broken_pod_of_a_statefulset_is_evicted_once_its_undo_is_seen(scene: Callable[..., Any]) -> None:
    it = scene("statefulset-rollout-in-progress", service_names={"backend": "saveit-postgres"})
    newest = next(
        each for each in it.cluster.objects["pods"] if each["metadata"]["name"] == "saveit-postgres-1"
    )
    (status,) = newest["status"]["containerStatuses"]
    status["state"] = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    revisions = it.cluster.objects["controllerrevisions"]
    max(revisions, key=lambda each: each["revision"])["data"]["spec"]["template"]["spec"]["containers"][0][
        "image"
    ] = "x:2"
    workload = it.cluster.objects["statefulsets"][0]
    workload["spec"]["template"]["spec"]["containers"][0]["image"] = "x:2"
    done = state("statefulset-rollout-done")

    def controller(_kind: str, _body: Any) -> None:
        workload["metadata"]["generation"] += 1

    def tick() -> None:
        if it.cluster.writes and it.clock.slept:  # one look later
            workload["status"]["observedGeneration"] = workload["metadata"]["generation"]
        if len(it.cluster.writes) == 2:
            it.cluster.objects.update(statefulsets=[done["statefulset"]], pods=done["pods"])

    it.cluster.after, it.cluster.tick = controller, tick
    assert run(it, "undo").verdict == "undone"
    assert [(what, name) for what, name, _body in it.cluster.writes] == [
        ("patch statefulsets", "saveit-postgres"),
        ("create pods/eviction", "saveit-postgres-1"),
    ]


def test_a_workload_at_zero_is_started_with_what_its_autoscaler_wants(scene: Callable[..., Any]) -> None:
    it = scene("scaled-to-zero")
    target = {"kind": "Deployment", "name": "saveit-backend"}
    it.cluster.objects["horizontalpodautoscalers"] = [
        {"metadata": {"name": "saveit-backend-hpa"}, "spec": {"minReplicas": 2, "scaleTargetRef": target}}
    ]
    result = run(it, "start", check_mode=True)
    assert result.diff["after"] == "Deployment saveit-backend: spec.replicas: 2\n"
    assert "saveit-backend-hpa" in result.sentence
