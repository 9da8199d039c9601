"""Room for more pods: what quotas and nodes of a 1.36 cluster say, and what is left open."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_room import (
    needs,
    why_no_node,
    why_no_quota,
    why_pending,
)

Load = Callable[[str], dict[str, Any]]


@pytest.fixture
def load(fixtures: Path) -> Load:
    def load(state: str) -> dict[str, Any]:
        text = (fixtures / "kubernetes-1.36" / "states" / f"{state}.json").read_text()
        objects: dict[str, Any] = json.loads(text)["objects"]
        return objects

    return load


def container(**requests: str) -> dict[str, Any]:
    return {"name": "backend", "resources": {"requests": requests}}


def quota(hard: dict[str, str], used: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "team"},
        "spec": {"hard": hard, **spec},
        "status": {"hard": hard, "used": used},
    }


def test_a_pod_needs_its_containers_its_sidecars_and_the_largest_init_container() -> None:
    pod = {
        "containers": [
            container(cpu="100m", memory="1Gi"),
            {"name": "b", "resources": {"limits": {"cpu": "1"}}},
        ],
        "initContainers": [
            {**container(cpu="3"), "name": "migrate"},
            {**container(cpu="50m"), "name": "proxy", "restartPolicy": "Always"},
        ],
        "overhead": {"cpu": "10m"},
    }
    assert needs(pod)["requests.cpu"] == pytest.approx(3.01)
    assert needs(pod)["requests.memory"] == 1 << 30
    assert needs(pod)["limits.cpu"] == pytest.approx(1.01)


def test_the_recorded_quota_is_said_before_it_is_tried(load: Load) -> None:
    objects = load("quota-exceeded")
    spec = objects["deployment"]["spec"]["template"]["spec"]
    assert why_no_quota(spec, 1, [objects["resourcequota"]]) == (
        "the quota saveit-quota allows 0.01 cores of requests.cpu, 0 cores are used, "
        "and 1 more would take 0.02 cores"
    )


@pytest.mark.parametrize(
    ("hard", "used", "number", "fits"),
    [
        ({"pods": "4"}, {"pods": "2"}, 2, True),
        ({"pods": "4"}, {"pods": "2"}, 3, False),
        ({"count/pods": "4"}, {"count/pods": "4"}, 1, False),
        ({"requests.cpu": "300m"}, {"requests.cpu": "200m"}, 1, True),
        ({"cpu": "300m"}, {"cpu": "200m"}, 2, False),
        ({"memory": "1Gi"}, {"memory": "800Mi"}, 1, False),
        ({"limits.cpu": "1"}, {"limits.cpu": "1"}, 1, True),  # the pod has no limit; that is another matter
        ({"persistentvolumeclaims": "0"}, {}, 5, True),
    ],
)
def test_quotas_count_what_more_pods_would_take(
    hard: dict[str, str], used: dict[str, str], number: int, fits: bool
) -> None:
    spec = {"containers": [container(cpu="100m", memory="256Mi")]}
    assert (why_no_quota(spec, number, [quota(hard, used)]) == "") is fits


@pytest.mark.parametrize(
    ("spec", "fits"),
    [
        ({}, False),
        ({"scopes": ["NotTerminating"]}, False),
        ({"scopes": ["BestEffort"]}, True),
        ({"scopeSelector": {"matchExpressions": []}}, True),
    ],
)
def test_a_quota_with_a_scope_of_its_own_is_left_to_the_cluster(spec: dict[str, Any], fits: bool) -> None:
    pod = {"containers": [container(cpu="100m")]}
    assert (why_no_quota(pod, 1, [quota({"pods": "0"}, {}, **spec)]) == "") is fits


def test_a_pod_that_waits_already_says_why_in_the_schedulers_words(load: Load) -> None:
    said = why_pending(load("unschedulable")["pods"])
    assert "waits for a node already: 0/1 nodes are available: 1 Insufficient cpu" in said
    assert not said.endswith(".")
    assert why_pending(load("healthy")["pods"]) == ""


def test_a_node_that_has_room_takes_it_and_one_that_has_none_is_told_of(load: Load) -> None:
    node = load("node-ready")["node"]
    pods = load("healthy")["pods"]
    assert why_no_node({"containers": [container(cpu="1")]}, [node], pods) == ""
    said = why_no_node({"containers": [container(cpu="1990m", memory="1Gi")]}, [node], pods)
    assert said.startswith(
        "none of 1 nodes has room: a pod requests 1.99 cores and 1024 MiB, and at most 1.96"
    )


def test_without_the_right_to_see_nodes_nothing_is_said() -> None:
    assert why_no_node({"containers": [container(cpu="100")]}, [], []) == ""


@pytest.mark.parametrize(
    ("change", "usable"),
    [
        ({}, True),
        ({"unschedulable": True}, False),
        ({"taints": [{"key": "gpu", "effect": "NoSchedule", "value": "yes"}]}, False),
        ({"taints": [{"key": "gpu", "effect": "PreferNoSchedule"}]}, True),
        ({"taints": [{"key": "spot", "effect": "NoSchedule", "value": "yes"}]}, True),
    ],
)
def test_a_node_that_is_closed_to_the_pod_does_not_count(
    load: Load, change: dict[str, Any], usable: bool
) -> None:
    node = copy.deepcopy(load("node-ready")["node"])
    node["spec"].update(change)
    spec = {
        "containers": [container(cpu="1m")],
        "tolerations": [{"key": "spot", "operator": "Equal", "value": "yes", "effect": "NoSchedule"}],
    }
    assert (why_no_node(spec, [node], []) == "") is usable


def test_a_selector_that_no_node_has_leaves_none(load: Load) -> None:
    spec = {"containers": [container(cpu="1m")], "nodeSelector": {"disk": "ssd"}}
    assert why_no_node(spec, [load("node-ready")["node"]], []).startswith(
        "none of the 1 nodes takes pods of it"
    )


def test_a_node_that_is_not_ready_leaves_none(load: Load) -> None:
    node = load("node-ready")["node"]
    for each in node["status"]["conditions"]:
        each["status"] = "Unknown"
    assert "not ready" in why_no_node({"containers": [container(cpu="1m")]}, [node], [])
