"""The application incident on a cluster: what is wrong with pods, and what is done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from standin.cluster import Cluster

# The lab's pods are ready within seconds; nobody need wait longer for them than that.
QUICK = ("-e", "application_start_seconds=5", "-e", "application_samples=4")

# Of pods that never were well, by a first rollout: what it is, words of its sentence, whether a restart is offered.
STATES = [
    ("crash-loop", "service-crash-loop", "exit code 1"),
    ("oom", "service-oom", "killed for lack of memory"),
    ("image-missing", "service-image", "ImagePull"),
    ("config-missing", "service-config", "not found"),
    ("unschedulable", "service-unschedulable", "Insufficient cpu"),
    ("liveness", "service-liveness", "iveness probe"),
]


def findings(report: dict[str, Any], kind: str = "symptom") -> dict[str, str]:
    return {each["id"]: each["sentence"] for each in report["findings"] if each["kind"] == kind}


def actions(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["remedy"]: each for each in report["actions"]}


def incident(cluster: Cluster, *arguments: str, yes: bool = True) -> Any:
    given = ("--incident", "application", "--json", *QUICK, *arguments)
    return cluster.command(*given, *(("--yes",) if yes else ()))


def test_a_healthy_application_is_left_alone(cluster: Cluster) -> None:
    cluster.behave("backend")
    cluster.behave("frontend")
    cluster.serve("backend")
    with cluster.unchanged():
        done = incident(cluster)
    assert done.code == 0, done.stderr
    assert done.report["outcome"] == "healthy"


@pytest.mark.parametrize(("behaviour", "finding", "said"), STATES)
def test_each_state_of_pods_is_its_own_finding_and_none_of_these_is_restarted(
    cluster: Cluster, behaviour: str, finding: str, said: str
) -> None:
    cluster.behave("backend", behaviour)
    with cluster.unchanged():
        done = incident(cluster, "-e", "application_frontend_service=")
    found = findings(done.report)
    assert said in found[finding]
    acted = actions(done.report)
    assert acted["restart"]["result"] == "skipped"
    assert finding in acted["restart"]["sentence"]
    assert done.code != 0


def test_pods_that_are_not_ready_are_replaced(cluster: Cluster) -> None:
    cluster.behave("backend")
    pods = {each["metadata"]["name"] for each in cluster.pods("saveit-backend")}
    done = incident(cluster, "--check", "-e", "application_frontend_service=")
    assert done.report["outcome"] == "healthy"
    assert pods
