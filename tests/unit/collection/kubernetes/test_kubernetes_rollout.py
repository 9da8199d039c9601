"""How far a rollout is: on recorded objects, along recorded watches, and for kinds made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_rollout import (
    rollout,
    taken_down,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_state import judge

from .recorded import judged, state, stream, workload_of

RECORDED = [
    ("healthy", "done"),
    ("rollout-in-progress", "under-way"),
    ("rollout-in-progress-half", "under-way"),
    ("rollout-in-progress-new-pod-not-ready", "under-way"),
    ("rollout-done-old-pod-terminating", "done"),
    ("rollout-done", "done"),
    ("rolled-back", "done"),
    ("rollout-failing", "failing"),
    ("progress-deadline-exceeded", "failing"),
    ("quota-exceeded", "failing"),
    ("paused", "paused"),
    ("scaled-to-zero", "done"),
    ("hpa-raised-to-min", "done"),
    ("liveness-failing", "done"),
    ("readiness-failing", "under-way"),
    ("starting-not-ready", "under-way"),
    ("statefulset-healthy", "done"),
    ("statefulset-rollout-in-progress", "under-way"),
    ("statefulset-rollout-done", "done"),
]


@pytest.mark.parametrize(("name", "word"), RECORDED)
def test_a_recorded_rollout(name: str, word: str) -> None:
    assert judged(name).rollout.state == word


def test_a_rollout_is_under_way_until_it_is_done_and_never_done_too_early() -> None:
    words = []
    for now, deployment, world in stream("rollout", state("healthy")):
        words.append(judge("backend", deployment, world, now).rollout.state)
        old = [each for each in world.pods if "77d79f9db4" in each["metadata"]["name"]]
        if words[-1] == "done":
            assert all(each["metadata"].get("deletionTimestamp") for each in old)
    assert list(dict.fromkeys(words)) == ["under-way", "done"]
    assert words == sorted(words, reverse=True), "once done, it stays done"


def test_a_failing_rollout_is_under_way_until_its_pods_fail_again_and_never_done() -> None:
    before = state("rollout-failing")
    for kind in ("pods", "replicasets", "events"):
        before[kind] = [each for each in before[kind] if "986c56c89" not in each["metadata"]["name"]]
    words: list[tuple[float, str]] = []
    for now, deployment, world in stream("rollout-failing", before):
        words.append((now, judge("backend", deployment, world, now).rollout.state))
    order = list(dict.fromkeys(word for _now, word in words))
    assert order == ["under-way", "failing"]
    failing = [now for now, word in words if word == "failing"]
    assert failing[0] - words[0][0] < 5, "it does not wait for the deadline"
    assert [word for now, word in words if now >= failing[0]] == ["failing"] * len(failing), (
        "it does not flicker"
    )


def test_the_answer_to_the_patch_looks_complete_and_is_not() -> None:
    deployment = workload_of(state("healthy"))
    deployment["metadata"]["generation"] = 2
    assert rollout(deployment).state == "under-way"


def deployment(
    spec: dict[str, Any], status: dict[str, Any], *conditions: tuple[str, str, str]
) -> dict[str, Any]:
    told = [dict(zip(("type", "status", "reason"), each, strict=True)) for each in conditions]
    return {
        "kind": "Deployment",
        "metadata": {"name": "x", "generation": 3},
        "spec": spec,
        "status": {"observedGeneration": 3, **status, "conditions": told},
    }


ROLLED = ("Progressing", "True", "NewReplicaSetAvailable")
COUNTED = {"replicas": 2, "updatedReplicas": 2}


@pytest.mark.parametrize(
    ("workload", "word"),
    [
        (deployment({"replicas": 2}, {**COUNTED, "availableReplicas": 1}, ROLLED), "unavailable"),
        (deployment({"replicas": 5}, {**COUNTED, "availableReplicas": 2}, ROLLED), "unavailable"),
        (deployment({"replicas": 2}, {"replicas": 2, "availableReplicas": 2}, ROLLED), "under-way"),
        (deployment({"replicas": 2}, {**COUNTED, "availableReplicas": 2}), "done"),
        (deployment({"replicas": 2}, {**COUNTED, "availableReplicas": 1}), "unavailable"),
        (deployment({}, {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}, ROLLED), "done"),
        (deployment({"paused": True}, {**COUNTED, "availableReplicas": 2}, ROLLED), "paused"),
    ],
)
def test_a_deployment(workload: dict[str, Any], word: str) -> None:
    assert rollout(workload).state == word


def statefulset(how: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {
        "kind": "StatefulSet",
        "metadata": {"name": "x", "generation": 1},
        "spec": {"replicas": 3, "updateStrategy": how},
        "status": {"observedGeneration": 1, "currentRevision": "a", "updateRevision": "b", **status},
    }


ROLLING = {"type": "RollingUpdate"}


@pytest.mark.parametrize(
    ("workload", "word"),
    [
        (statefulset({"type": "OnDelete"}, updatedReplicas=0, availableReplicas=3), "on-delete"),
        (statefulset(ROLLING, updatedReplicas=1, availableReplicas=2), "under-way"),
        (statefulset(ROLLING, updatedReplicas=3, availableReplicas=3), "under-way"),
        (statefulset(ROLLING, updateRevision="a", availableReplicas=3), "done"),
        (statefulset(ROLLING, updateRevision="a", availableReplicas=2), "unavailable"),
        (statefulset(ROLLING, updateRevision="a", readyReplicas=3), "done"),
        (
            statefulset(
                {**ROLLING, "rollingUpdate": {"partition": 2}}, updatedReplicas=1, availableReplicas=3
            ),
            "done",
        ),
        (
            statefulset(
                {**ROLLING, "rollingUpdate": {"partition": 1}}, updatedReplicas=1, availableReplicas=3
            ),
            "under-way",
        ),
    ],
)
def test_a_statefulset(workload: dict[str, Any], word: str) -> None:
    assert rollout(workload).state == word


def daemonset(how: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {
        "kind": "DaemonSet",
        "metadata": {"name": "x", "generation": 1},
        "spec": {"updateStrategy": how},
        "status": {"observedGeneration": 1, "desiredNumberScheduled": 3, **status},
    }


@pytest.mark.parametrize(
    ("workload", "word"),
    [
        (daemonset(ROLLING, updatedNumberScheduled=3, numberAvailable=3), "done"),
        (daemonset(ROLLING, updatedNumberScheduled=2, numberAvailable=3), "under-way"),
        (daemonset(ROLLING, updatedNumberScheduled=3, numberAvailable=2), "unavailable"),
        (daemonset({"type": "OnDelete"}, updatedNumberScheduled=0), "on-delete"),
    ],
)
def test_a_daemonset(workload: dict[str, Any], word: str) -> None:
    assert rollout(workload).state == word


def rolling(**how: Any) -> dict[str, Any]:
    return {"strategy": {"type": "RollingUpdate", "rollingUpdate": how}}


@pytest.mark.parametrize(
    ("kind", "spec", "wanted", "taken"),
    [
        ("Deployment", {}, 2, 0),  # a quarter of two, rounded down
        ("Deployment", {}, 4, 1),
        ("Deployment", rolling(maxUnavailable=0, maxSurge=1), 2, 0),
        ("Deployment", rolling(maxUnavailable="50%", maxSurge=0), 3, 1),
        ("Deployment", rolling(maxUnavailable=0, maxSurge="0%"), 3, 1),  # both 0 would never end
        ("Deployment", {"strategy": {"type": "Recreate"}}, 3, 3),
        ("StatefulSet", {}, 3, 1),
        ("DaemonSet", {}, 3, 1),
        ("DaemonSet", {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "10%"}}}, 15, 2),
        ("DaemonSet", {"updateStrategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}, 3, 0),
    ],
)
def test_how_many_pods_a_rollout_takes_down(kind: str, spec: dict[str, Any], wanted: int, taken: int) -> None:
    assert taken_down({"kind": kind, "spec": spec}, wanted) == taken
