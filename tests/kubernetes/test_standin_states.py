"""Objects of the stand-in have the keys and types of the recorded ones, in each state that it plays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from recorded import FOLDER, conversations
from test_standin import shape, unmanaged

if TYPE_CHECKING:
    from standin.played import StandIn

STATES = {
    "healthy": "healthy",
    "crash-loop": "crash-loop",
    "exit-1-once": "exit-1-once",
    "oom": "oom-killed",
    "image-missing": "image-pull-backoff",
    "config-missing": "create-container-config-error",
    "unschedulable": "unschedulable",
    "not-ready": "readiness-failing",
    "liveness": "liveness-failing",
}
BACKEND = "saveit-backend"


def deployment(behaviour: str) -> dict[str, Any]:
    """The one of the recordings, with a behaviour."""
    body: dict[str, Any] = json.loads(
        json.dumps(next(each.said for each in conversations() if each.said["body"])["body"])
    )
    del body["metadata"]["namespace"]
    container = body["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "SAVEIT_BEHAVIOUR", "value": behaviour}]
    if behaviour == "image-missing":
        container["image"] = "registry.example.invalid/saveit-backend:9.9"
    if behaviour == "config-missing":
        container["envFrom"] = [{"configMapRef": {"name": "saveit-missing"}}]
    if behaviour == "unschedulable":
        container["resources"]["requests"]["cpu"] = "64"
    return body


def recorded_state(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "states" / f"{name}.json").read_text())["objects"]
    return found


@pytest.mark.parametrize("behaviour", sorted(STATES))
def test_a_state_has_the_shape_of_the_recorded_one(standin: StandIn, behaviour: str) -> None:
    from standin.states import is_there

    standin.apply(deployment(behaviour))
    recorded = recorded_state(STATES[behaviour])
    standin.wait(lambda: is_there(standin.pods(BACKEND), behaviour, behaviour), f"it is {behaviour}")
    wanted = {
        "deployment": shape(recorded["deployment"]["status"]), "pod": shape(pod_of(recorded["pods"][0])),
        "replicaset": shape(recorded["replicasets"][0]["status"]),
    }  # fmt: skip

    def played() -> dict[str, Any]:
        (replicaset,) = standin.list("replicasets")
        return {
            "deployment": shape(standin.get("deployments", BACKEND)["status"]),
            "pod": shape(pod_of(unmanaged(standin.pods(BACKEND)[0])[0])),
            "replicaset": shape(replicaset["status"]),
        }

    def same() -> bool:
        return played() == wanted

    try:
        standin.wait(same, "the shapes are the same", seconds=3)
    except pytest.fail.Exception:
        assert played() == wanted  # shows where not


def pod_of(pod: dict[str, Any]) -> dict[str, Any]:
    """Without what the manifests do not have alike: environment, volumes and mounts."""
    kept: dict[str, Any] = {
        "metadata": {key: value for key, value in pod["metadata"].items() if key != "annotations"}
    }
    kept["status"] = json.loads(json.dumps(pod["status"]))
    for each in kept["status"].get("containerStatuses", []):
        each.pop("volumeMounts")
    kept["spec"] = {key: value for key, value in pod["spec"].items() if key not in ("volumes", "containers")}
    return kept


@pytest.mark.parametrize(
    "reason", ["ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Pulled", "Started"]
)
def test_an_event_has_the_shape_of_the_recorded_one(standin: StandIn, reason: str) -> None:
    standin.apply(deployment("healthy"))
    standin.wait(lambda: standin.is_complete(standin.get("deployments", BACKEND)), "it is there")

    def shape_of(events: list[dict[str, Any]]) -> Any:
        found = next(each for each in events if each["reason"] == reason)
        return shape(
            {key: value for key, value in unmanaged(found)[0].items() if key not in ("kind", "apiVersion")}
        )

    assert shape_of(standin.list("events")) == shape_of(recorded_state("healthy")["events"])


@pytest.mark.parametrize("state", ["hpa-new", "hpa-active", "hpa-raised-to-min"])
def test_an_autoscaler_has_the_shape_of_the_recorded_one(standin: StandIn, state: str) -> None:
    recorded = recorded_state(state)["hpa"]
    body = deployment("healthy")
    body["metadata"]["name"] = "saveit-web"
    standin.apply(
        body,
        {key: recorded[key] for key in ("kind", "apiVersion", "spec")} | {"metadata": {"name": "saveit-web"}},
    )
    wanted = shape(recorded["status"])

    def status() -> Any:
        return standin.get("horizontalpodautoscalers", "saveit-web")["status"]

    standin.wait(lambda: shape(status()) == wanted, f"it is {state}")
