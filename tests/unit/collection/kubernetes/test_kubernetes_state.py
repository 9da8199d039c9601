"""What a service's pods say, on objects of a real API server in every state."""

from __future__ import annotations

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._service import findings

from .recorded import judged

STATES = [
    # recorded state, seconds after it, the state of the service, its findings, words of the sentence
    ("healthy", 0, "running", [], ""),
    ("exit-1-once", 60, "running", [], ""),
    ("rollout-done", 0, "running", [], ""),
    ("rollout-done-old-pod-terminating", 0, "running", [], ""),
    ("rolled-back", 0, "running", [], ""),
    ("hpa-active", 0, "running", [], ""),
    ("hpa-raised-to-min", 0, "running", [], ""),
    ("statefulset-healthy", 0, "running", [], ""),
    ("statefulset-rollout-done", 0, "running", [], ""),
    ("pdb-blocks-eviction", 0, "running", [], ""),
    ("crash-loop", 0, "restarting", ["service-crash-loop"], "exit code 1"),
    ("crash-loop", 0, "restarting", ["service-crash-loop"], "Back-off restarting failed"),
    ("image-pull-backoff", 0, "pending", ["service-image"], "no such host"),
    ("err-image-pull", 0, "pending", ["service-image"], "saveit-backend:9.9"),
    (
        "create-container-config-error",
        0,
        "pending",
        ["service-config"],
        'configmap "saveit-missing" not found',
    ),
    ("oom-killed", 0, "restarting", ["service-oom"], "for lack of memory"),
    ("unschedulable", 0, "pending", ["service-rollout", "service-unschedulable"], "1 Insufficient cpu"),
    ("readiness-failing", 20, "running", ["service-rollout", "service-not-ready"], "statuscode: 404"),
    ("starting-not-ready", 0, "running", ["service-rollout"], ""),
    ("liveness-failing", 0, "running", ["service-liveness"], "Liveness probe failed: HTTP probe failed"),
    ("liveness-failing", 700, "running", [], ""),
    ("quota-exceeded", 0, "pending", ["service-quota"], "exceeded quota: saveit-quota"),
    ("scaled-to-zero", 0, "stopped", ["service-scaled-to-zero"], "spec.replicas: 0"),
    ("paused", 0, "running", ["service-paused-rollout"], "paused"),
    (
        "rollout-failing",
        0,
        "restarting",
        ["service-rollout-failing", "service-crash-loop"],
        "1 of 2 pods are of the new revision, 2 of an old one are left",
    ),
    (
        "progress-deadline-exceeded",
        0,
        "restarting",
        ["service-rollout-failing", "service-crash-loop"],
        "has timed out progressing",
    ),
    ("rollout-in-progress", 0, "running", ["service-rollout"], "2 of an old one are left"),
    ("rollout-in-progress-half", 0, "running", ["service-rollout"], ""),
    ("rollout-in-progress-new-pod-not-ready", 0, "running", ["service-rollout"], ""),
    ("statefulset-rollout-in-progress", 0, "running", ["service-rollout"], "1 of 2 pods"),
]


@pytest.mark.parametrize(("name", "later", "word", "ids", "said"), STATES)
def test_a_recorded_state_has_its_findings(
    name: str, later: float, word: str, ids: list[str], said: str
) -> None:
    service = judged(name, later).service
    found = findings(service)
    assert [each.id for each in found] == ids
    assert service.state == word
    assert said in " ".join(each.sentence for each in found)
    assert all(each.subject == "backend" for each in found)
