"""HorizontalPodAutoscalers, as a 1.36 cluster shows them: who owns what, and what keeps it from scaling."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_autoscaler import (
    bounds,
    evidence,
    findings,
    is_disabled,
    owners,
)

Load = Callable[[str], dict[str, Any]]


@pytest.fixture
def load(fixtures: Path) -> Load:
    def load(state: str) -> dict[str, Any]:
        text = (fixtures / "kubernetes-1.36" / "states" / f"{state}.json").read_text()
        hpa: dict[str, Any] = json.loads(text)["objects"]["hpa"]
        return hpa

    return load


def at_maximum(hpa: dict[str, Any], metric: str = "cpu", now: int = 160) -> dict[str, Any]:
    """The same one under load, as its controller's source words it."""
    full = copy.deepcopy(hpa)
    full["status"].update(
        currentReplicas=5,
        desiredReplicas=5,
        currentMetrics=[
            {"type": "Resource", "resource": {"name": metric, "current": {"averageUtilization": now}}}
        ],
    )
    full["spec"]["metrics"][0]["resource"]["name"] = metric
    limited = {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas", "message": "m"}
    full["status"]["conditions"][2] = limited
    return full


def ids(hpa: dict[str, Any], resource: str = "cpu") -> list[str]:
    return [each.id for each in findings(hpa, "backend", resource)]


@pytest.mark.parametrize(
    ("kind", "name", "owned"),
    [
        ("Deployment", "saveit-web", True),
        ("deployment", "saveit-web", True),
        ("StatefulSet", "saveit-web", False),
        ("Deployment", "saveit", False),
    ],
)
def test_an_owner_is_known_by_the_kind_and_the_name_of_its_target(
    load: Load, kind: str, name: str, owned: bool
) -> None:
    assert bool(owners([load("hpa-active")], kind, name)) is owned


def test_a_target_of_another_api_is_another_thing(load: Load) -> None:
    hpa = load("hpa-active")
    hpa["spec"]["scaleTargetRef"]["apiVersion"] = "argoproj.io/v1alpha1"
    assert not owners([hpa], "Deployment", "saveit-web")


def test_nobody_said_a_minimum_which_is_one(load: Load) -> None:
    hpa = load("hpa-active")
    assert bounds(hpa) == (2, 5)
    del hpa["spec"]["minReplicas"]
    assert bounds(hpa) == (1, 5)


@pytest.mark.parametrize("state", ["hpa-new", "hpa-active", "hpa-raised-to-min"])
def test_one_that_is_new_or_works_is_no_finding(load: Load, state: str) -> None:
    assert ids(load(state)) == []


def test_one_that_cannot_read_its_metrics_says_so(load: Load) -> None:
    found = findings(load("hpa-metric-missing"), "backend", "cpu")
    assert [each.id for each in found] == ["autoscaler-no-metrics"]
    assert "saveit-norequests scales nothing, as it cannot read its metrics: the HPA was unable" in (
        found[0].sentence
    )
    assert "missing request for cpu in container backend" in found[0].sentence


@pytest.mark.parametrize(
    ("state", "word"),
    [("hpa-new", "its controller has not looked yet"), ("hpa-metric-missing", "missing request for cpu")],
)
def test_a_desire_for_zero_that_it_cannot_compute_is_no_wish(load: Load, state: str, word: str) -> None:
    wants = evidence(load(state), "backend")[0]
    assert (wants.name, wants.value) == ("backend.autoscaler_wants", None)
    assert "cannot tell what it wants" in wants.sentence
    assert word in wants.sentence


def test_what_it_wants_is_told_with_its_metrics(load: Load) -> None:
    wants, most = evidence(load("hpa-active"), "backend")
    assert (wants.value, most.value) == (2, 5)
    assert wants.sentence == (
        "the autoscaler saveit-web has 2 to 5 pods and wants 2; cpu 5 % of its request (target 70 %)"
    )


def test_at_its_maximum_it_is_told_for_the_resource_that_presses(load: Load) -> None:
    hpa = at_maximum(load("hpa-active"))
    assert ids(hpa, "cpu") == ["autoscaler-at-maximum"]
    assert ids(hpa, "memory") == []
    assert ids(at_maximum(load("hpa-active"), "memory"), "memory") == ["autoscaler-at-maximum"]
    sentence = findings(hpa, "backend", "cpu")[0].sentence
    assert sentence == (
        "backend: the autoscaler saveit-web is at its maximum of 5 pods and wants more; "
        "cpu 160 % of its request (target 70 %)"
    )


def test_one_that_is_switched_off_is_neither_blind_nor_full(load: Load) -> None:
    hpa = load("hpa-active")
    message = "scaling is disabled since the replica count of the target is zero"
    hpa["status"]["conditions"][1].update(status="False", reason="ScalingDisabled", message=message)
    assert ids(hpa) == ["autoscaler-disabled"]
    assert is_disabled(hpa, 2)
    assert is_disabled(load("hpa-new"), 0)
    assert not is_disabled(load("hpa-active"), 2)


def test_one_that_may_not_add_pods_is_disabled_too(load: Load) -> None:
    hpa = load("hpa-active")
    hpa["spec"]["behavior"] = {"scaleUp": {"selectPolicy": "Disabled"}}
    assert ids(hpa) == ["autoscaler-disabled"]
