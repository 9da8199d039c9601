"""The other profile, the system as its runbook describes it; and the stack made by docker-compose v1."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from saveit_lab import probes
from saveit_lab.waiting import until

if TYPE_CHECKING:
    from tests.lab.conftest import Lab


@pytest.fixture(scope="module")
def documented(lab: Lab) -> Iterator[Lab]:
    lab.up("documented")
    yield lab
    lab.up("deployed")


@pytest.fixture
def healthy(documented: Lab) -> Iterator[Lab]:
    yield documented
    done = documented.run("repair")
    assert done.returncode == 0, done.stderr


def page(path: str) -> str:
    with closing(http.client.HTTPConnection("localhost", 8000, timeout=30)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200
        return response.read().decode()


def components() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page("/api/v1/health"))["components"]
    return found


def test_the_broker_lives_in_the_backend_and_its_health_is_shown(documented: Lab) -> None:
    assert documented.docker("inspect", "saveit-mosquitto").returncode != 0
    assert probes.mqtt() is None
    assert probes.mqtt_with_tls() is None
    assert components()["mqtt_broker"]["status"] == "running"


def test_the_embedded_broker_dies_while_http_answers_and_repair_brings_it_back(healthy: Lab) -> None:
    kill = "import os, glob\nfor p in glob.glob('/proc/[0-9]*/comm'):\n" + (
        " if open(p).read() == 'mosquitto\\n': os.kill(int(p.split('/')[2]), 9)"
    )
    assert healthy.docker("exec", "saveit-backend", "python", "-c", kill).returncode == 0
    assert until(lambda: probes.mqtt() is not None, 60)
    assert components()["mqtt_broker"]["status"] == "stopped"
    healthy.run("repair")
    assert probes.mqtt() is None


def test_the_fallback_of_the_rate_limiter_is_shown(healthy: Lab) -> None:
    assert components()["redis"]["status"] == "healthy"
    healthy.run("break", "redis-stopped")
    shown = components()["redis"]
    assert (shown["status"], shown["fallback"]) == ("fallback", "memory")


def test_requests_are_counted_by_status(documented: Lab) -> None:
    page("/api/v1/items")
    metrics = page("/metrics")
    assert 'http_requests_total{method="GET",status="200"}' in metrics
    assert "http_request_duration_seconds_count" in metrics


def test_the_application_has_an_ordinary_role(documented: Lab) -> None:
    query = ("psql", "-U", "saveit", "-Atc", "SELECT rolsuper FROM pg_roles WHERE rolname = 'saveit'")
    assert documented.docker("exec", "saveit-postgres", *query).stdout.strip() == "f"


def fault_names() -> list[str]:
    """A sample, of some incident types the last that lasts; `make faults` tries them all."""
    from saveit_lab import fault, faults

    last = {
        each.incident: each.name
        for each in faults.TABLE
        if "documented" in each.profiles and each.expected == fault.UNRESOLVED
    }
    return [last[incident] for incident in ("application", "certificate", "mqtt")]


@pytest.mark.parametrize("fault", fault_names())
def test_faults_run_on_this_profile_too(healthy: Lab, fault: str) -> None:
    done = healthy.run("break", fault)
    assert done.returncode == 0, done.stderr
    healed = healthy.run("repair")
    assert healed.returncode == 0, healed.stderr


@pytest.mark.long
def test_docker_compose_v1_makes_the_same_stack(lab: Lab) -> None:
    lab.env["LAB_COMPOSE"] = "v1"
    try:
        done = lab.run("up")
        if "docker-compose" in done.stderr:
            pytest.skip(done.stderr)
        assert done.returncode == 0, done.stderr
        label = "{{index .Config.Labels `com.docker.compose.version`}}"
        assert lab.docker("inspect", "-f", label, "saveit-redis").stdout.startswith("1.")
        assert lab.run("break", "redis-readonly").returncode == 0
        assert lab.run("repair").returncode == 0
    finally:
        del lab.env["LAB_COMPOSE"]
        lab.up()
