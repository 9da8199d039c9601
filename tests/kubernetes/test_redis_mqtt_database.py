"""Redis, the broker and the database on a cluster: inside their pods, from here, or managed by others."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from standin.cluster import Cluster, Done

HOLD = ("-e", "ladder_hold_seconds=1")


def incident(cluster: Cluster, type_: str, *arguments: str) -> Done:
    return cluster.command("--incident", type_, "--json", "--yes", *HOLD, *arguments)


def findings(report: dict[str, Any]) -> dict[str, str]:
    return {each["id"]: each["sentence"] for each in report["findings"]}


def actions(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["remedy"]: each for each in report["actions"]}


def test_a_healthy_redis_is_asked_inside_its_pod_and_left_alone(cluster: Cluster) -> None:
    cluster.behave("redis")
    cluster.behave("backend")
    with cluster.unchanged():
        done = incident(cluster, "redis")
    assert done.code == 0, done.stdout + done.stderr
    assert done.report["outcome"] == "healthy"


def test_a_database_is_asked_by_psql_inside_its_pod(cluster: Cluster) -> None:
    cluster.behave("postgres")
    cluster.behave("backend")
    with cluster.unchanged():
        done = incident(cluster, "database")
        looked = cluster.command("db")
    assert done.code == 0, done.stdout + done.stderr
    assert done.report["outcome"] == "healthy"
    assert "postgres (saveit-postgres-0) answers: PostgreSQL" in looked.stdout


@pytest.mark.parametrize(
    ("behaviour", "finding"), [("crash-loop", "service-crash-loop"), ("image-missing", "service-image")]
)
@pytest.mark.long
def test_a_redis_whose_pod_does_not_come_up_is_not_restarted(
    cluster: Cluster, behaviour: str, finding: str
) -> None:
    cluster.behave("redis", behaviour)
    cluster.behave("backend")
    with cluster.unchanged():
        done = incident(cluster, "redis")
    assert done.code != 0
    assert finding in findings(done.report)
    acted = actions(done.report)
    assert acted["restart"]["result"] == "skipped"
    assert finding in acted["restart"]["sentence"]


def test_a_managed_redis_is_asked_from_here_and_has_no_restart(cluster: Cluster) -> None:
    cluster.behave("backend")
    with cluster.unchanged():
        done = incident(cluster, "redis", "-e", "redis_host=127.0.0.1", "-e", "redis_port=1")
    assert done.code != 0
    assert "redis-refused" in findings(done.report)
    assert "somebody else manages it" in findings(done.report)["service-elsewhere"]
    acted = actions(done.report)
    assert acted["restart"]["result"] == "skipped"
    assert "service-elsewhere" in acted["restart"]["sentence"]


def test_a_managed_redis_is_asked_by_the_backend_which_knows_where_it_is(cluster: Cluster) -> None:
    """Its Service is there, and no workload that one could tell by name or label."""
    objects = cluster.manifests("redis")
    workload = next(each for each in objects if each["kind"] == "StatefulSet")
    workload["metadata"] |= {"name": "managed", "labels": {}}
    cluster.apply(*objects)
    cluster.behave("backend")
    cluster.wait(lambda: cluster.is_complete(cluster.get("statefulsets", "managed")), "it serves")
    with cluster.unchanged():
        done = incident(cluster, "redis")
    assert done.code == 0, done.stdout + done.stderr
    assert done.report["outcome"] == "healthy"
    assert "somebody else manages it" in findings(done.report)["service-elsewhere"]


def test_a_managed_redis_that_nobody_knows_the_address_of_is_refused_with_what_to_set(
    cluster: Cluster,
) -> None:
    cluster.behave("backend")
    done = incident(cluster, "redis", "-e", "redis_url_variable=NOT_SET")
    assert done.code == 4, done.stdout + done.stderr
    assert "no restart remedy" in findings(done.report)["no-service"]
    assert "service_names" in findings(done.report)["no-service"]


@pytest.mark.long
def test_a_managed_database_is_asked_by_the_backend(cluster: Cluster) -> None:
    """With the runbook's own line in Python, inside a pod of the backend."""
    cluster.behave("backend")
    with cluster.unchanged():
        done = incident(cluster, "database")
        looked = cluster.command("db")
    assert done.code == 0, done.stdout + done.stderr
    assert done.report["outcome"] == "healthy"
    assert "postgres (asked from saveit-backend-" in looked.stdout
    assert "as nothing here runs it) takes connections: a new connection works" in looked.stdout
    assert "somebody else manages it" in findings(done.report)["service-elsewhere"]


@pytest.mark.long
def test_a_broker_that_is_embedded_is_restarted_with_the_backend(cluster: Cluster) -> None:
    """Nobody listens on the port; the backend has it, so that it is the backend whose restart would help."""
    cluster.behave("backend")
    port = {"name": "mqtt", "containerPort": 1, "protocol": "TCP"}
    ports = [{"op": "add", "path": "/spec/template/spec/containers/0/ports/-", "value": port}]
    from standin.client import JSON_PATCH

    cluster.patch("deployments", "saveit-backend", ports, JSON_PATCH)
    cluster.wait(
        lambda: cluster.is_complete(cluster.get("deployments", "saveit-backend")), "it has rolled out"
    )
    address = ("-e", "mqtt_host=127.0.0.1", "-e", "mqtt_port=1")
    with cluster.unchanged():
        done = incident(cluster, "mqtt", "--check", *address)
    assert "the broker is the one embedded in backend" in findings(done.report)["mqtt-embedded-dead"]
    acted = actions(done.report)
    assert acted["restart-backend"]["result"] == "planned"
    assert "a rollout of Deployment saveit-backend" in acted["restart-backend"]["sentence"]


@pytest.mark.long
def test_a_broker_is_asked_inside_its_pod_where_nobody_told_its_address(cluster: Cluster) -> None:
    cluster.behave("mosquitto")
    with cluster.unchanged():
        done = incident(cluster, "mqtt", "-e", "mqtt_backend_service=")
    assert done.code == 0, done.stdout + done.stderr
    assert done.report["outcome"] == "healthy"


@pytest.mark.long
def test_a_broker_that_nothing_runs_is_elsewhere(cluster: Cluster) -> None:
    cluster.behave("backend")
    with cluster.unchanged():
        done = incident(cluster, "mqtt", "-e", "mqtt_host=127.0.0.1", "-e", "mqtt_port=1")
    assert done.report["outcome"] == "unresolved"
    assert "no service mosquitto runs here" in findings(done.report)["mqtt-elsewhere-down"]
    assert not [each for each in done.report["actions"] if each["changed"]]


@pytest.fixture
def plain_port(tmp_path: Path) -> Iterator[int]:
    """Of a real broker on loopback that has no listener for TLS."""
    binary = shutil.which("mosquitto")
    if not binary:
        pytest.skip("mosquitto is not on PATH (Debian: apt-get install mosquitto)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    (tmp_path / "conf").write_text(f"user root\nlistener {port} 127.0.0.1\nallow_anonymous true\n")
    with subprocess.Popen([binary, "-c", str(tmp_path / "conf")], stderr=subprocess.DEVNULL) as broker:
        yield port
        broker.kill()


@pytest.mark.long
def test_a_broker_that_has_lost_its_tls_listener_is_named(cluster: Cluster, plain_port: int) -> None:
    cluster.behave("mosquitto")
    address = {"mqtt_host": "127.0.0.1", "mqtt_port": plain_port, "mqtt_tls_port": 1}
    with cluster.unchanged():
        done = incident(
            cluster, "mqtt", *(word for key, value in address.items() for word in ("-e", f"{key}={value}"))
        )
    assert done.report["outcome"] == "unresolved", done.stdout
    assert list(findings(done.report)) == ["mqtt-tls-down"]
