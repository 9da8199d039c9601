"""cluster_access and cluster_role: what may we do, and what should we be allowed?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _cluster_access, _cluster_role
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import ApiObstacleError
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result

PATCH = {
    "apiGroups": ["apps"],
    "resources": ["deployments", "statefulsets", "daemonsets"],
    "verbs": ["patch"],
    "workload": True,
}
HPA = {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": ["patch"]}
NODES = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"], "optional": True, "scope": "cluster"}
EXEC = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create", "get"]}
RUNBOOK = {"findings": [{"id": "service-crash-loop"}]}
SICK = [{"findings": [{"id": "service-crash-loop"}]}, {"skipped": True}]


@dataclass
class Server:
    """An API server that allows everything but this."""

    forbids: set[str] = field(default_factory=set)
    workloads: tuple[str, ...] = ("deployments",)
    asked: list[str] = field(default_factory=list)
    name: str = "the cluster test (namespace saveit)"
    namespace: str = "saveit"
    answers_reviews: bool = True

    def list(self, kind: str, **_more: Any) -> list[dict[str, Any]]:
        return [{"metadata": {"name": "x"}}] if kind in self.workloads else []

    def may(self, verb: str, kind: str, subresource: str = "") -> tuple[bool, str]:
        if not self.answers_reviews:
            raise ApiObstacleError("cluster-forbidden", "no reviews here", "refused", 403)
        word = f"{verb} {kind}{'/' if subresource else ''}{subresource}"
        self.asked.append(word)
        return word not in self.forbids, ""

    def run(self, needs: Mapping[str, Any], **more: Any) -> Result:
        given = {key: spec.get("default") for key, spec in _cluster_access.ARGUMENTS.items()}
        here: Any = self
        carrier = Carrier(no_command, lambda: 1e6, lambda _s: None, cluster=lambda _parameters: here)
        asked = {"platform": "kubernetes", "runbook": RUNBOOK, "observed": SICK, "needs": needs, **more}
        return _cluster_access.run({**given, **asked}, carrier)


def no_command(command: Any, stdin: str) -> Completed:
    raise AssertionError(command)


def test_a_remedy_that_may_not_act_is_denied_with_the_rule_to_add() -> None:
    server = Server(forbids={"patch deployments"})
    result = server.run({"restart": [PATCH], "scale": [HPA]})
    assert result.verdict == "denied"
    assert result.returned["denied"] == {
        "restart": (
            "our account may not patch deployments in the cluster test (namespace saveit); "
            "add to the rules of its Role: - {apiGroups: [apps], resources: [deployments], verbs: [patch]}"
        )
    }
    assert result.returned["missing"] == [
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]}
    ]


def test_each_right_is_asked_once_and_only_for_workloads_that_there_are() -> None:
    server = Server(workloads=("deployments", "statefulsets"))
    result = server.run({"restart": [PATCH], "undo": [PATCH, EXEC]})
    assert result.verdict == "allowed"
    assert server.asked == ["patch deployments", "patch statefulsets", "create pods/exec", "get pods/exec"]


def test_a_subresource_of_workloads_that_there_are_not_is_not_asked_for() -> None:
    server = Server()
    server.run({"scale": [{**PATCH, "resources": ["deployments/scale", "statefulsets/scale"]}]})
    assert server.asked == ["patch deployments/scale"]


def test_what_is_optional_stops_nothing() -> None:
    server = Server(forbids={"list nodes"})
    assert server.run({"restart": [PATCH, NODES]}).returned["denied"] == {}
    assert "list nodes" not in server.asked


@pytest.mark.parametrize(
    "more",
    [
        {"observed": [{"findings": []}]},
        {"observed": [{"findings": [{"id": "something-else"}]}]},
        {"needs": {}},
        {"platform": "compose"},
    ],
)
def test_nothing_is_asked_when_nothing_is_wrong(more: dict[str, Any]) -> None:
    server = Server()
    assert server.run(more.pop("needs", {"restart": [PATCH]}), **more).verdict == "unasked"
    assert server.asked == []


def test_a_cluster_that_takes_no_reviews_stops_nothing() -> None:
    result = Server(answers_reviews=False).run({"restart": [PATCH]})
    assert (result.verdict, result.returned["denied"]) == ("unasked", {})
    assert "no reviews here" in result.sentence


def role(**more: Any) -> Result:
    given = {key: spec.get("default") for key, spec in _cluster_role.ARGUMENTS.items()}
    carrier = Carrier(no_command, lambda: 1e6, lambda _seconds: None)
    return _cluster_role.run({**given, "rules": [PATCH], **more}, carrier)


def test_the_role_of_rules() -> None:
    result = role(namespace="shop", role_name="tool", service_account="ci:bot")
    first, binding = result.returned["manifests"]
    assert first["rules"] == [
        {
            "apiGroups": ["apps"],
            "resources": ["daemonsets", "deployments", "statefulsets"],
            "verbs": ["patch"],
        }
    ]
    assert binding["metadata"] == {"name": "tool", "namespace": "shop"}
    assert result.sentence == "3 rights in 2 objects for the namespace shop"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"namespace": "Shop"}, "the namespace 'Shop' is no name in Kubernetes"),
        ({"service_account": "a:b:c"}, "the service account 'a:b:c' is no name"),
        ({"role_name": ""}, "the role name '' is no name"),
        ({"rules": []}, "no rules were given"),
    ],
)
def test_what_cannot_be_a_role_is_said(more: dict[str, Any], said: str) -> None:
    with pytest.raises(FailedError, match=said):
        role(**more)
