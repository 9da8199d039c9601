"""The stand-in stack behaves as the real one was measured to, and every fault is real."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from saveit_lab import probes
from saveit_lab.waiting import until

if TYPE_CHECKING:
    from tests.lab.conftest import Lab

STATE = Path(__file__).resolve().parents[2] / ".lab"


class Answer(NamedTuple):
    status: int
    body: str
    seconds: float


@pytest.fixture
def healthy(lab: Lab) -> Iterator[Lab]:
    """The lab for a test that breaks something."""
    yield lab
    done = lab.run("repair")
    assert done.returncode == 0, done.stderr


def get(path: str, port: int = 8000, tls: ssl.SSLContext | None = None) -> Answer:
    began = time.monotonic()
    connection: http.client.HTTPConnection = (
        http.client.HTTPSConnection("localhost", port, timeout=30, context=tls)
        if tls
        else http.client.HTTPConnection("localhost", port, timeout=30)
    )
    with closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
    return Answer(response.status, body, time.monotonic() - began)


def through_edge(path: str) -> Answer:
    context = ssl.create_default_context(cafile=str(STATE / "certificates" / "ca.crt"))
    return get(path, 8443, context)


def inspect(lab: Lab, service: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lab.docker("inspect", f"saveit-{service}").stdout)[0]
    return found


def redis_says(lab: Lab, *command: str) -> str:
    inside = ("exec", "saveit-redis", "timeout", "1", "redis-cli")
    return lab.docker(*inside, *command).stdout.strip()


def sql(lab: Lab, statement: str) -> str:
    inside = ("exec", "saveit-postgres", "psql", "-U", "saveit", "-Atc")
    return lab.docker(*inside, statement).stdout.strip()


def backend_log(lab: Lab, since: str) -> str:
    done = lab.docker("logs", "--since", since, "saveit-backend")
    return done.stdout + done.stderr


def log_shows(lab: Lab, pattern: str, since: str = "60s") -> bool:
    return until(lambda: re.search(pattern, backend_log(lab, since), re.M) is not None, 60)


# The shape of the stack


def test_every_published_port_is_on_the_loopback_address(lab: Lab) -> None:
    names = lab.docker("ps", "--filter", "label=com.docker.compose.project=saveit", "--format", "{{.Ports}}")
    addresses = re.findall(r"(\S+):\d+->", names.stdout)
    assert addresses
    assert set(addresses) == {"127.0.0.1"}


@pytest.mark.parametrize("service", ["postgres", "redis"])
def test_servers_with_data_are_not_published(lab: Lab, service: str) -> None:
    assert inspect(lab, service)["HostConfig"]["PortBindings"] in (None, {})


def test_a_second_up_changes_nothing(lab: Lab) -> None:
    before = inspect(lab, "backend")["Id"], inspect(lab, "redis")["Id"]
    lab.up()
    assert (inspect(lab, "backend")["Id"], inspect(lab, "redis")["Id"]) == before


def test_the_backend_has_the_measured_limits(lab: Lab) -> None:
    host = inspect(lab, "backend")["HostConfig"]
    assert (host["Memory"], host["NanoCpus"]) == (2**30, 10**9)


def test_the_application_is_a_superuser_of_the_database(lab: Lab) -> None:
    assert sql(lab, "SELECT rolsuper FROM pg_roles WHERE rolname = 'saveit'") == "t"


def test_each_worker_pins_a_session_idle_in_transaction(lab: Lab) -> None:
    pinned = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
    assert until(lambda: sql(lab, pinned) == "4", 60)


def test_the_pool_check_of_the_runbook_works_in_the_backend(lab: Lab) -> None:
    code = "from app.core.database import engine; print(engine.connect())"
    done = lab.docker("exec", "saveit-backend", "python", "-c", code)
    assert "Connection object" in done.stdout


# Health and its blind spots


def test_a_healthy_backend_says_so_and_calls_its_broker_stopped(lab: Lab) -> None:
    answer = json.loads(get("/api/v1/health").body)
    assert answer["status"] == "healthy"
    assert answer["components"] == {
        "api": {"status": "healthy"},
        "database": {"status": "healthy"},
        "mqtt_broker": {"status": "stopped", "port": 1883, "connected_clients": 0},
    }


@pytest.mark.parametrize("path", ["/health/deep", "/health/database", "/health/resources"])
def test_the_deeper_health_pages_have_no_prefix(lab: Lab, path: str) -> None:
    assert get(path).status == 200
    assert get(f"/api/v1{path}/").status == 404


def test_without_its_database_the_backend_is_alive_not_ready_and_answers_200(healthy: Lab) -> None:
    healthy.docker("stop", "-t", "3", "saveit-postgres")
    ready = get("/api/v1/health/ready")
    assert (ready.status, json.loads(ready.body)) == (503, {"status": "not_ready"})
    assert json.loads(get("/api/v1/health/live").body) == {"status": "alive"}
    health = get("/api/v1/health")
    assert health.status == 200
    assert json.loads(health.body)["status"] == "degraded"
    assert inspect(healthy, "backend")["State"]["Health"]["Status"] != "unhealthy"
    line = (
        r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - ERROR - "
        r"✗ GET /api/v1/health/ready \[503\] \d+\.\d\dms IP:[\d.]+$"
    )
    assert log_shows(healthy, line)
    healthy.docker("start", "saveit-postgres")
    assert until(lambda: get("/api/v1/health/ready").status == 200, 60)


def test_the_pinned_sessions_come_back_after_the_database_did(healthy: Lab) -> None:
    healthy.docker("restart", "-t", "3", "saveit-postgres")
    pinned = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
    assert until(lambda: sql(healthy, pinned) == "4", 60)


def test_with_every_slot_taken_a_restarted_backend_respawns_its_workers_for_ever(healthy: Lab) -> None:
    healthy.docker("stop", "-t", "3", "saveit-backend")
    slots = int(sql(healthy, "SHOW max_connections"))
    # Each tries again: whoever looks whether all are taken has taken one in that moment.
    take = "for try in $(seq 40); do psql -U saveit -c 'SELECT pg_sleep(60)' && break; sleep 0.5; done"
    hold = f"for slot in $(seq {slots}); do ({take}) & done; wait"
    healthy.docker("exec", "-d", "saveit-postgres", "sh", "-c", hold)
    assert until(lambda: sql(healthy, "SELECT 1") == "", 60)
    healthy.docker("start", "saveit-backend")
    assert log_shows(healthy, "sorry, too many clients already")
    assert log_shows(healthy, r"Child process \[\d+\] died")
    state = inspect(healthy, "backend")
    assert (state["State"]["Status"], state["RestartCount"]) == ("running", 0)


# Redis, seen through the backend


def test_without_redis_limited_requests_pass_and_only_the_log_tells(healthy: Lab) -> None:
    healthy.run("break", "redis-stopped")
    assert get("/api/v1/items").status == 200
    assert json.loads(get("/api/v1/health").body)["status"] == "healthy"
    assert log_shows(healthy, r"^Redis burst check failed: .+")


def test_with_redis_paused_a_limited_request_takes_two_seconds_and_health_none(healthy: Lab) -> None:
    healthy.run("break", "redis-paused")
    slow = get("/api/v1/items")
    assert slow.status == 200
    assert 1.9 < slow.seconds < 4.5
    assert get("/api/v1/health/live").seconds < 1
    assert log_shows(healthy, r"^Redis burst check failed: Timeout")


@pytest.mark.long
def test_with_redis_paused_limited_requests_hold_each_other_up(healthy: Lab) -> None:
    healthy.run("break", "redis-paused")
    # Twice as many as there are workers, so one has two at least; when it gets all, it still ends in time.
    with ThreadPoolExecutor(8) as pool:
        slowest = max(answer.seconds for answer in pool.map(get, ["/api/v1/items"] * 8))
    assert slowest > 3.5


def test_an_unknown_path_is_limited_too(healthy: Lab) -> None:
    healthy.run("break", "redis-paused")
    answer = get("/api/v1/nothing-here")
    assert answer.status == 404
    assert answer.seconds > 1.9


def test_the_backend_is_well_at_once_when_redis_is_back(healthy: Lab) -> None:
    healthy.run("break", "redis-paused")
    get("/api/v1/items")
    healthy.docker("unpause", "saveit-redis")
    assert get("/api/v1/items").seconds < 1


# Metrics, the edge, MQTT


def test_metrics_show_connections_and_never_count_a_request(lab: Lab) -> None:
    lines = get("/metrics").body.splitlines()
    samples = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    assert samples == {"saveit_database_connections"}
    assert "# TYPE http_requests_total counter" in lines


def test_through_the_edge_metrics_are_the_page_of_the_frontend(lab: Lab) -> None:
    answer = through_edge("/metrics")
    assert answer.status == 200
    assert '<div id="root">' in answer.body


def test_the_edge_answers_504_for_a_stopped_backend(healthy: Lab) -> None:
    healthy.docker("stop", "-t", "3", "saveit-backend")
    assert through_edge("/api/v1/health/live").status == 504


def test_prometheus_finds_no_request_count(lab: Lab) -> None:
    def up() -> bool:
        return '"1"' in get("/api/v1/query?query=up", 9090).body

    assert until(up, 60)
    counted = json.loads(get("/api/v1/query?query=http_requests_total", 9090).body)
    assert counted["data"]["result"] == []


def test_a_lost_broker_shows_only_in_the_log(healthy: Lab) -> None:
    # After earlier losses the subscriber may sleep for five minutes, and then it notices nothing.
    healthy.docker("restart", "-t", "3", "saveit-backend")
    assert healthy.run("repair").returncode == 0
    healthy.docker("stop", "-t", "3", "saveit-mosquitto")
    assert json.loads(get("/api/v1/health").body)["status"] == "healthy"
    assert log_shows(healthy, r"^MQTT Subscriber error: .+")


def test_port_8883_is_open_and_nothing_answers_there(lab: Lab) -> None:
    with (
        socket.create_connection(("127.0.0.1", 8883), timeout=5) as connection,
        suppress(ConnectionResetError),
    ):
        assert connection.recv(1) == b""


def test_the_labs_own_port_8884_speaks_mqtt_with_tls(lab: Lab) -> None:
    assert probes.mqtt_with_tls() is None


# Faults

SEEN = {
    "redis-stopped": ("exited", ""),
    "redis-killed": ("exited", ""),
    "redis-paused": ("paused", ""),
    "redis-sigstop": ("running", ""),
    "redis-client-pause": ("running", ""),
    "redis-loading": ("running", "LOADING"),
    "redis-wrong-password": ("running", "NOAUTH"),
    "redis-readonly": ("running", "READONLY"),
    "redis-maxmemory": ("running", "OOM"),
    "redis-misconf": ("running", "MISCONF"),
}


def sample(faults: Iterable[str], *chosen: str) -> list[Any]:
    """`make faults` tries them all."""
    return [fault if fault in chosen else pytest.param(fault, marks=pytest.mark.long) for fault in faults]


def test_faults_are_listed_for_programs(lab: Lab) -> None:
    listed = json.loads(lab.run("faults", "--json").stdout)
    assert {fault["name"] for fault in listed if fault["incident"] == "redis"} == set(SEEN)
    assert {tuple(fault) for fault in listed} == {
        ("name", "incident", "service", "expected", "finding", "profiles")
    }
    assert {fault["expected"] for fault in listed} == {"recovered", "unresolved"}


@pytest.mark.parametrize(
    ("fault", "plain", "tls"),
    [
        ("mqtt-stopped", False, False),
        pytest.param("mqtt-paused", False, False, marks=pytest.mark.long),
        pytest.param("mqtt-sigstop", False, False, marks=pytest.mark.long),
        ("mqtt-wrong-password", False, False),
        ("mqtt-tls-down", True, False),
        ("mqtt-removed", False, False),
    ],
)
def test_a_fault_of_the_broker_is_in_force_and_repair_heals_it(
    healthy: Lab, fault: str, plain: bool, tls: bool
) -> None:
    done = healthy.run("break", fault)
    assert done.returncode == 0, done.stderr
    assert (probes.mqtt() is None, probes.mqtt_with_tls() is None) == (plain, tls)
    healed = healthy.run("repair")
    assert healed.returncode == 0, healed.stderr
    assert (probes.mqtt(), probes.mqtt_with_tls()) == (None, None)


def test_a_fault_of_the_other_profile_is_refused_with_its_name(lab: Lab) -> None:
    done = lab.run("break", "mqtt-embedded-dead")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "it exists on profile documented, and deployed is up" in done.stderr


@pytest.mark.parametrize("fault", sample(SEEN, "redis-stopped", "redis-sigstop", "redis-wrong-password"))
def test_a_fault_is_in_force_and_repair_heals_it(healthy: Lab, fault: str) -> None:
    done = healthy.run("break", fault)
    assert done.returncode == 0, done.stderr
    state, answer = SEEN[fault]
    assert inspect(healthy, "redis")["State"]["Status"] == state
    said = redis_says(healthy, "SET", "probe", "1") if state == "running" else ""
    assert said.split(" ")[0] == answer
    healed = healthy.run("repair")
    assert healed.returncode == 0, healed.stderr
    assert redis_says(healthy, "SET", "probe", "1") == "OK"
    assert "Faults in force: none" in healthy.run("status").stdout


PERSISTENT = ["redis-wrong-password", "redis-readonly", "redis-maxmemory", "redis-misconf"]


@pytest.mark.parametrize("fault", sample(PERSISTENT, "redis-readonly"))
def test_an_unresolved_fault_survives_a_restart(healthy: Lab, fault: str) -> None:
    healthy.run("break", fault)
    healthy.docker("restart", "-t", "2", "saveit-redis")
    refusal = SEEN[fault][1]
    assert until(lambda: redis_says(healthy, "SET", "probe", "1").startswith(refusal), 60)


@pytest.mark.long
def test_a_server_that_loads_gets_ready_by_waiting(healthy: Lab) -> None:
    healthy.run("break", "redis-loading")
    began = time.monotonic()
    assert until(lambda: redis_says(healthy, "SET", "probe", "1") == "OK", 40, every=0.5)
    assert time.monotonic() - began > 10


# Repair from states that the lab did not make


def test_repair_of_an_untouched_lab_does_nothing_and_is_quick(healthy: Lab) -> None:
    began = time.monotonic()
    assert "nothing, all was well" in healthy.run("repair").stdout
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "damage",
    [
        ["rm", "-f", "saveit-redis"],
        ["network", "disconnect", "saveit_default", "saveit-redis"],
        ["kill", "--signal", "STOP", "saveit-redis"],
        ["pause", "saveit-redis"],
        ["stop", "-t", "3", "saveit-frontend"],
        ["update", "--memory", "2g", "--memory-swap", "4g", "saveit-backend"],
    ],
    ids=["removed", "disconnected", "stopped by a signal", "paused", "stopped", "limit raised"],
)
def test_repair_heals_what_somebody_else_broke(healthy: Lab, damage: list[str]) -> None:
    assert healthy.docker(*damage).returncode == 0
    done = healthy.run("repair")
    assert done.returncode == 0, done.stderr
    assert json.loads(healthy.run("status", "--json").stdout)["healthy"]
    assert inspect(healthy, "backend")["HostConfig"]["Memory"] == 2**30


# The command itself


def test_an_unknown_fault_is_one_sentence_and_exit_code_1(lab: Lab) -> None:
    done = lab.run("break", "nonsense")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "see `lab faults`" in done.stderr


def test_a_wrong_command_is_a_usage_error(lab: Lab) -> None:
    assert lab.run("explode").returncode == 2


def test_database_that_another_clone_left_is_made_anew(lab: Lab) -> None:
    """Its volume has the other clone's password, which this one cannot know."""
    (STATE / "secrets.env").unlink()
    lab.up()
    assert get("/api/v1/health/ready").status == 200
    assert sql(lab, "SELECT 1") == "1"
