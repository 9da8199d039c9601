"""service_scale on Kubernetes: whose number is changed, with which precondition, and how it is put back."""

from __future__ import annotations

import copy
import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _service_scale
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import ApiError
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

PARAMETERS: dict[str, Any] = {
    **{key: spec["default"] for key, spec in _service_scale.ARGUMENTS.items() if "default" in spec},
    "record": False,
    "platform": "kubernetes",
    "context": "staging",
    "service_names": {"backend": "saveit-backend"},
    "service": "backend",
}
HPA = "horizontalpodautoscalers"
REFUSED = "the server rejected our request due to an error in our request"


@dataclass
class Played:
    """A cluster of some objects, with JSON patches as the real one has them, and its controllers' part."""

    objects: dict[str, list[dict[str, Any]]]
    name: str = "the cluster staging (namespace saveit)"
    namespace: str = "saveit"
    written: list[tuple[str, str, str, Any]] = field(default_factory=list)
    before_patch: list[Any] = field(default_factory=list)  # what somebody else does just before each write
    follows: bool = True  # new pods come up

    def list(self, kind: str, label_selector: str = "", field_selector: str = "", keep: Any = None) -> Any:
        del label_selector
        name = field_selector.rpartition("=")[2]
        found = [each for each in self.objects[kind] if name in ("", each["metadata"]["name"])]
        return [keep(copy.deepcopy(each)) if keep else copy.deepcopy(each) for each in found]

    def patch(self, kind: str, name: str, body: Any, content_type: str, subresource: str = "") -> Any:
        assert content_type == "application/json-patch+json"
        if self.before_patch:
            self.before_patch.pop(0)(self)
        spec = self.one(kind)["spec"]
        values = [(each["op"], each["path"].rpartition("/")[2], each["value"]) for each in body]
        if any(op == "test" and spec.get(key) != value for op, key, value in values):
            raise ApiError("refused", 422, {"reason": "Invalid", "message": REFUSED, "details": {}})
        self.written.append((kind, name, subresource, body))
        spec.update({key: value for op, key, value in values if op == "replace"})
        if self.follows:
            self.follow()
        return {}

    def one(self, kind: str) -> dict[str, Any]:
        return self.objects[kind][0]

    def follow(self) -> None:
        """The autoscaler heeds its minimum, and the Deployment has so many pods."""
        for each in self.objects[HPA]:
            spec = self.one("deployments")["spec"]
            spec["replicas"] = min(
                max(spec["replicas"], each["spec"]["minReplicas"]), each["spec"]["maxReplicas"]
            )
        self.one("deployments")["status"]["readyReplicas"] = self.one("deployments")["spec"]["replicas"]


@pytest.fixture
def cluster(fixtures: Path) -> Played:
    """The recorded Deployment of two pods, on a node with room, without an autoscaler."""

    def load(state: str) -> Any:
        return json.loads((fixtures / "kubernetes-1.36" / "states" / f"{state}.json").read_text())["objects"]

    healthy = load("healthy")
    empty: dict[str, list[dict[str, Any]]] = {
        kind: [] for kind in ("statefulsets", "daemonsets", "events", "namespaces", "resourcequotas", HPA)
    }
    return Played(
        {
            **empty,
            "deployments": [healthy["deployment"]],
            "replicasets": healthy["replicasets"],
            "pods": healthy["pods"],
            "nodes": [load("node-ready")["node"]],
        }
    )


@pytest.fixture
def owned(cluster: Played, fixtures: Path) -> Played:
    """The same, with the recorded autoscaler of two to five pods."""
    text = (fixtures / "kubernetes-1.36" / "states" / "hpa-active.json").read_text()
    hpa = json.loads(text)["objects"]["hpa"]
    hpa["metadata"]["name"] = "saveit-backend-hpa"
    hpa["spec"]["scaleTargetRef"]["name"] = "saveit-backend"
    cluster.objects[HPA] = [hpa]
    return cluster


def run(cluster: Played, clock: Any, check_mode: bool = False, **more: Any) -> Any:
    clock.time = 1795417200.0
    carrier = Carrier(
        lambda *_: pytest.fail("nothing runs on a host"), clock.now, clock.sleep, check_mode,
        cluster=lambda _parameters: cluster,  # type: ignore[arg-type,return-value]
    )  # fmt: skip
    return _service_scale.run({**PARAMETERS, **more}, carrier)


def set_(kind: str, key: str, value: int) -> Any:
    def act(cluster: Played) -> None:
        cluster.one(kind)["spec"][key] = value

    return act


def test_with_an_autoscaler_its_minimum_is_raised_and_replicas_are_left_to_it(
    owned: Played, clock: Any
) -> None:
    result = run(owned, clock)
    assert (result.verdict, result.changed) == ("scaled", True)
    patch = [
        {"op": "test", "path": "/spec/minReplicas", "value": 2},
        {"op": "replace", "path": "/spec/minReplicas", "value": 3},
    ]
    assert owned.written == [(HPA, "saveit-backend-hpa", "", patch)]
    assert result.diff == {
        "before": f"{HPA}/saveit-backend-hpa: 2 minReplicas\n",
        "after": f"{HPA}/saveit-backend-hpa: 3 minReplicas\n",
    }
    assert result.returned["patience_seconds"] == 120
    assert result.sentence.startswith(
        "scaled backend from 2 to 3 instances; put it back with `ansible localhost"
    )


def test_an_autoscaler_at_its_maximum_gets_the_one_of_the_runbook(owned: Played, clock: Any) -> None:
    owned.one("deployments")["spec"]["replicas"] = 5
    result = run(owned, clock, autoscaler_maximum=15)
    fields = [(each["field"], each["before"], each["after"]) for each in result.returned["changes"]]
    assert fields == [("minReplicas", 2, 6), ("maxReplicas", 5, 15)]
    assert len(owned.written) == 1, "both in one write, as a minimum above the maximum is refused"


@pytest.mark.parametrize("allowed", [0, 4])
def test_a_maximum_that_may_not_be_raised_is_said(owned: Played, clock: Any, allowed: int) -> None:
    owned.one("deployments")["spec"]["replicas"] = 5
    result = run(owned, clock, autoscaler_maximum=allowed)
    assert (result.verdict, owned.written) == ("unchanged", [])
    assert result.sentence == (
        "backend is not scaled: it has 5, and horizontalpodautoscalers/saveit-backend-hpa has maxReplicas 5, "
        "which is raised to 5 at most"
    )


def test_without_an_autoscaler_the_scale_subresource_is_set(cluster: Played, clock: Any) -> None:
    result = run(cluster, clock, instances=4)
    patch = [
        {"op": "test", "path": "/spec/replicas", "value": 2},
        {"op": "replace", "path": "/spec/replicas", "value": 4},
    ]
    assert cluster.written == [("deployments", "saveit-backend", "scale", patch)]
    assert (result.returned["instances_before"], result.returned["instances_after"]) == (2, 4)


@pytest.mark.parametrize("maximum", [15, 0])
def test_check_mode_plans_and_writes_nothing(owned: Played, clock: Any, maximum: int) -> None:
    result = run(owned, clock, check_mode=True, autoscaler_maximum=maximum)
    assert (result.verdict, result.changed, owned.written) == ("planned", True, [])
    assert result.sentence == "would scale backend from 2 to 3 instances"
    assert result.returned["changes"][0]["after"] == 3


def test_what_somebody_else_changed_meanwhile_is_read_and_decided_again(cluster: Played, clock: Any) -> None:
    cluster.before_patch = [set_("deployments", "replicas", 3)]
    result = run(cluster, clock)
    assert result.sentence.startswith("scaled backend from 3 to 4 instances")
    assert result.returned["changes"] == [
        {
            "object": "deployments/saveit-backend",
            "field": "replicas",
            "before": 3,
            "after": 4,
            "change_id": "",
        }
    ]


def test_what_somebody_else_did_already_is_left_so(cluster: Played, clock: Any) -> None:
    cluster.before_patch = [set_("deployments", "replicas", 4)]
    result = run(cluster, clock, instances=4)
    assert (result.verdict, cluster.written) == ("unchanged", [])
    assert result.sentence == "backend is not scaled: it has 4 already, and this only adds"


def test_after_three_conflicts_it_gives_up(owned: Played, clock: Any) -> None:
    owned.before_patch = [set_(HPA, "minReplicas", number) for number in (1, 2, 1)]
    with pytest.raises(FailedError, match=r"somebody else changed .*saveit-backend-hpa each of the 3 times"):
        run(owned, clock)
    assert owned.written == []


def test_values_that_the_api_does_not_take_are_no_conflict(owned: Played, clock: Any) -> None:
    causes = [{"field": "spec.maxReplicas", "message": "must be greater"}]

    def refuse(_cluster: Played) -> None:
        raise ApiError("cannot change it: 422 Invalid", 422, {"details": {"causes": causes}})

    owned.before_patch = [refuse]
    with pytest.raises(ApiError, match="cannot change it"):
        run(owned, clock)


def test_a_quota_is_said_beforehand_and_nothing_is_tried(cluster: Played, clock: Any) -> None:
    hard, used = {"requests.cpu": "50m"}, {"requests.cpu": "40m"}
    cluster.objects["resourcequotas"] = [
        {"metadata": {"name": "team"}, "spec": {"hard": hard}, "status": {"hard": hard, "used": used}}
    ]
    result = run(cluster, clock)
    assert (result.verdict, cluster.written) == ("unchanged", [])
    assert (
        "the quota team allows 0.05 cores of requests.cpu, 0.04 cores are used, and 1 more" in result.sentence
    )


def test_nodes_without_room_are_said_beforehand(cluster: Played, clock: Any) -> None:
    cluster.one("nodes")["status"]["allocatable"]["cpu"] = "50m"
    result = run(cluster, clock)
    assert (result.verdict, cluster.written) == ("unchanged", [])
    assert "none of 1 nodes has room" in result.sentence


def stateful(cluster: Played) -> None:
    cluster.one("deployments")["spec"]["strategy"] = {"type": "Recreate"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            set_("deployments", "replicas", 0),
            "Deployment saveit-backend is scaled to zero, which somebody wanted",
        ),
        (stateful, "Deployment saveit-backend has the strategy Recreate"),
    ],
)
def test_what_would_not_add_capacity_is_not_scaled(
    cluster: Played, clock: Any, change: Any, reason: str
) -> None:
    change(cluster)
    result = run(cluster, clock)
    assert (result.verdict, cluster.written) == ("unchanged", [])
    assert reason in result.sentence


def test_who_says_that_it_keeps_no_state_may_scale_it(cluster: Played, clock: Any) -> None:
    stateful(cluster)
    assert run(cluster, clock, stateless=True).verdict == "scaled"


def test_two_autoscalers_of_one_workload_are_refused(owned: Played, clock: Any) -> None:
    other = copy.deepcopy(owned.one(HPA))
    other["metadata"]["name"] = "keda"
    owned.objects[HPA].append(other)
    result = run(owned, clock)
    assert (result.verdict, owned.written) == ("unchanged", [])
    assert "several autoscalers own Deployment saveit-backend (saveit-backend-hpa, keda)" in result.sentence


@pytest.mark.parametrize(
    ("kind", "what"),
    [(HPA, "the autoscaler saveit-backend-hpa"), ("deployments", "Deployment saveit-backend")],
)
def test_what_an_operator_sets_is_not_changed_behind_its_back(
    owned: Played, clock: Any, kind: str, what: str
) -> None:
    owned.one(kind)["metadata"]["ownerReferences"] = [
        {"kind": "ScaledObject", "name": "backend", "controller": True}
    ]
    if kind != HPA:
        owned.objects[HPA] = []
    result = run(owned, clock)
    assert (result.verdict, owned.written) == ("unchanged", [])
    assert f"{what} belongs to ScaledObject backend, which would undo a change of it" in result.sentence


def test_new_pods_that_find_no_node_are_put_back_when_time_is_over(cluster: Played, clock: Any) -> None:
    cluster.follows = False

    def appear(played: Played) -> None:
        pod = copy.deepcopy(played.objects["pods"][0])
        pod["metadata"].update(name="saveit-backend-new", uid="new")
        message = "0/1 nodes are available: 1 Insufficient cpu."
        waits = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        pod["status"] = {"phase": "Pending", "conditions": [waits]}
        pod["spec"].pop("nodeName")
        played.objects["pods"].append(pod)

    cluster.before_patch = [appear]
    with pytest.raises(FailedError, match=r"saveit-backend-new: .*1 Insufficient cpu.*; it was put back"):
        run(cluster, clock, ready_seconds=10)
    assert cluster.one("deployments")["spec"]["replicas"] == 2
    assert sum(clock.slept) == 10


def test_an_autoscaler_that_does_not_act_is_told_and_the_change_is_kept(owned: Played, clock: Any) -> None:
    owned.follows = False
    result = run(owned, clock)
    assert result.sentence.endswith("; its autoscaler has not acted after 90 s: spec.replicas is 2")
    assert len(owned.written) == 1


def test_new_pods_that_cannot_be_made_are_put_back_at_once(cluster: Played, clock: Any) -> None:
    cluster.follows = False
    message = "pods is forbidden: exceeded quota: late"
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    cluster.one("deployments")["status"]["conditions"].append(failure)
    with pytest.raises(
        FailedError, match=r"cannot scale backend to 3: .*exceeded quota: late; it was put back"
    ):
        run(cluster, clock)
    assert cluster.one("deployments")["spec"]["replicas"] == 2
    assert not clock.slept


def test_the_command_that_puts_it_back_puts_it_back(owned: Played, clock: Any) -> None:
    done = run(owned, clock, autoscaler_maximum=15, instances=7)
    command = shlex.split(done.returned["put_back"])
    assert command[:4] == ["ansible", "localhost", "-m", "saveit.remediation.service_scale"]
    options = json.loads(command[5])
    assert options["context"] == "staging"
    result = run(owned, clock, **options)
    assert result.verdict == "put-back"
    hpa = owned.one(HPA)["spec"]
    assert (hpa["minReplicas"], hpa["maxReplicas"]) == (2, 5)
    again = run(owned, clock, **options)
    assert (again.verdict, again.changed) == ("unchanged", False)
    assert "has its old minReplicas 2, maxReplicas 5 again" in again.sentence


def test_what_is_somebody_elses_now_is_not_put_back(cluster: Played, clock: Any) -> None:
    done = run(cluster, clock)
    set_("deployments", "replicas", 9)(cluster)
    result = run(cluster, clock, put_back=done.returned["changes"])
    assert result.sentence == (
        "backend is not put back: deployments/saveit-backend has replicas 9, not the 3 that was set, "
        "so it is somebody else's now"
    )
    assert len(cluster.written) == 1


def test_who_has_set_it_since_is_said_where_the_object_knows(cluster: Played, clock: Any) -> None:
    done = run(cluster, clock)
    set_("deployments", "replicas", 9)(cluster)
    cluster.one("deployments")["metadata"]["managedFields"] = [
        {"manager": name, "time": f"2026-11-26T02:{minute}:00Z", "fieldsV1": {"f:spec": {field: {}}}}
        for name, minute, field in (
            ("saveit-remediate", 10, "f:replicas"),
            ("kubectl-edit", 31, "f:replicas"),
            ("argocd", 40, "f:paused"),
        )
    ]
    result = run(cluster, clock, put_back=done.returned["changes"])
    assert result.sentence.endswith("somebody else's now (set by kubectl-edit at 2026-11-26T02:31:00Z)")
    assert not result.returned["over"]


def test_what_has_gone_has_nothing_to_put_back(cluster: Played, clock: Any) -> None:
    done = run(cluster, clock)
    cluster.objects["deployments"] = []
    result = run(cluster, clock, put_back=done.returned["changes"])
    assert (result.verdict, result.returned["over"]) == ("unchanged", True)
    assert "deployments/saveit-backend has gone, and the change with it" in result.sentence


def test_putting_back_in_check_mode_writes_nothing(cluster: Played, clock: Any) -> None:
    done = run(cluster, clock)
    result = run(cluster, clock, check_mode=True, put_back=done.returned["changes"])
    assert (result.verdict, len(cluster.written)) == ("planned", 1)
    assert result.sentence == "would put back backend: replicas of deployments/saveit-backend from 3 to 2"


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"object": "deployments/saveit-backend", "field": "replicas", "before": "two", "after": 3},
        {"object": "secrets/saveit-tls", "field": "replicas", "before": 2, "after": 3},
        {"object": "deployments/", "field": "replicas", "before": 2, "after": 3},
        {"object": "deployments/saveit-backend", "field": "paused", "before": 2, "after": 3},
    ],
)
def test_what_was_never_changed_is_not_put_back(cluster: Played, clock: Any, entry: dict[str, Any]) -> None:
    with pytest.raises(FailedError, match="cannot put back backend"):
        run(cluster, clock, put_back=[entry])
    assert cluster.written == []
