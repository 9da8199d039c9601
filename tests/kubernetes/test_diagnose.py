"""`diagnose` on a cluster: few requests however many pods, and a sentence for every target that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from standin.cluster import Cluster
    from standin.played import StandIn

LAB = ("backend", "frontend", "redis", "mosquitto", "postgres")
INCIDENTS = 7
MOST_CALLS = 12


def everything(cluster: Cluster) -> None:
    for service in LAB:
        cluster.behave(service)


def test_all_incident_types_on_200_pods_take_at_most_12_requests(standin: StandIn) -> None:
    """As with inventories/production, which has no address of Redis, database and broker: each is an exec."""
    everything(standin)
    pods = standin.pods("saveit-backend")
    for number in range(200 - len(standin.list("pods"))):
        more = {"apiVersion": "v1", "kind": "Pod", **json.loads(json.dumps(pods[0]))}
        more["metadata"] |= {"name": f"other-{number}", "labels": {"app.kubernetes.io/name": "other"}}
        more["metadata"].pop("uid")
        more["metadata"].pop("ownerReferences")
        standin.load(more)
    assert len(standin.list("pods")) == 200
    before = len(standin.requests)
    with standin.unchanged():
        done = standin.command("diagnose", "--json")
    assert done.code == 0, done.stdout + done.stderr
    calls = [f"{each.method} {each.path} {each.query}" for each in standin.requests[before:]]
    assert len(calls) <= MOST_CALLS, "\n".join(calls)
    assert len(calls) == len(set(calls)), "nothing is asked for twice"


@pytest.mark.long
def test_the_cause_is_named_with_the_command_that_remediates(cluster: Cluster) -> None:
    everything(cluster)
    cluster.patch("statefulsets", "saveit-postgres", {"spec": {"replicas": 0}})
    cluster.wait(lambda: not cluster.pods("saveit-postgres"), "the database has no pods")
    with cluster.unchanged():
        report = cluster.command("diagnose", "--json").report
    found = {each["incident"]: each for each in report["suspects"]}
    assert "service-scaled-to-zero" in {each["id"] for each in found["database"]["findings"]}
    assert found["database"]["command"].startswith("saveit-remediate --incident database")


def kubeconfig(cluster: Cluster, folder: Path, **changes: Any) -> Path:
    """The cluster's, changed."""
    whole = yaml.safe_load(cluster.kubeconfig.read_text())
    for each in whole["clusters"]:
        each["cluster"].update(changes)
    path = folder / "changed.kubeconfig"
    path.write_text(yaml.safe_dump(whole))
    return path


@pytest.mark.parametrize(
    ("variable", "code", "said"),
    [
        ("kubernetes_kubeconfig=/nowhere/kubeconfig", 4, "/nowhere/kubeconfig"),
        ("kubernetes_context=nowhere", 4, "nowhere"),
        (
            "kubernetes_namespace=nowhere",
            4,
            "it has no namespace nowhere (kubernetes_namespace, in the inventory)",
        ),
    ],
)
@pytest.mark.parametrize("command", [("status",), ("--incident", "application")])
def test_a_target_that_is_none_is_refused_with_a_sentence(
    cluster: Cluster, command: tuple[str, ...], variable: str, code: int, said: str
) -> None:
    done = cluster.command(*command, "-e", variable)
    assert done.code == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr
    assert (done.stdout + done.stderr).count("Error") == 0


def test_an_account_without_rights_is_told_the_rule_to_add(cluster: Cluster) -> None:
    user = cluster.user("nobody")
    done = cluster.command("status", "-e", f"kubernetes_kubeconfig={user}")
    assert done.code == 4
    assert "{apiGroups: [apps], resources: [deployments], verbs: [list]}" in done.stdout


def test_credentials_that_are_not_taken_are_said(cluster: Cluster) -> None:
    stale = cluster.write_kubeconfig("stale", {"token": "not-a-token"})
    done = cluster.command("--incident", "application", "-e", f"kubernetes_kubeconfig={stale}")
    assert done.code == 5
    assert "does not take our credentials" in done.stdout


def test_a_certificate_that_is_not_trusted_is_said(cluster: Cluster, tmp_path: Path) -> None:
    from standin.tls import issue

    other = tmp_path / "other.crt"
    other.write_text(issue("another authority").pem)
    changed = kubeconfig(cluster, tmp_path, **{"certificate-authority": str(other)})
    whole = yaml.safe_load(changed.read_text())
    for each in whole["clusters"]:
        each["cluster"].pop("certificate-authority-data", None)
    changed.write_text(yaml.safe_dump(whole))
    done = cluster.command("status", "-e", f"kubernetes_kubeconfig={changed}")
    assert done.code == 5
    assert "cannot trust " in done.stdout


def test_an_api_server_that_is_down_is_said_once(cluster: Cluster, tmp_path: Path) -> None:
    changed = kubeconfig(cluster, tmp_path, server="https://127.0.0.1:1")
    done = cluster.command("diagnose", "--json", "-e", f"kubernetes_kubeconfig={changed}")
    assert done.code == 5
    assert len(done.report["unseen"]) == INCIDENTS
    assert all("127.0.0.1:1" in each["sentence"] for each in done.report["unseen"])


@pytest.mark.parametrize(
    ("fault", "said"), [("429", "too much to do"), ("500", "etcdserver"), ("html", "instead of JSON")]
)
def test_an_api_server_in_trouble_is_said(standin: StandIn, fault: str, said: str) -> None:
    standin.behave("backend")
    standin.fault(fault, times=1000)
    done = standin.command("status", "-e", "kubernetes_api_timeout_seconds=2")
    assert done.code == 5, done.stdout + done.stderr
    assert said in done.stdout


def test_an_api_server_that_hangs_is_given_up_in_time(standin: StandIn) -> None:
    standin.behave("backend")
    standin.fault("hang", times=1000, seconds=60)
    done = standin.command("status", "-e", "kubernetes_api_timeout_seconds=1")
    assert done.code == 5
    assert "1 s" in done.stdout
