"""The adapter: which workload is meant, logs, commands, one pod's eviction; and modules on top of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes,
    _mqtt_check,
    _postgres_info,
    _redis_check,
    _service_errors,
    _service_exec,
    _service_info,
    _service_logs,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Completed
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import ApiError
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_find import choose, names
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    FailedError,
    ObstacleError,
)


def workload(path: str, label: str = "") -> dict[str, Any]:
    kind, _slash, name = path.partition("/")
    return {"kind": kind, "metadata": {"name": name, "labels": {"app.kubernetes.io/name": label}}}


THERE = [
    workload("Deployment/saveit-backend", "saveit-backend"),
    workload("Deployment/redis", "cache"),
    workload("StatefulSet/redis", "redis-data"),
    workload("StatefulSet/redis-master", "redis"),
    workload("StatefulSet/redis-replicas", "redis"),
    workload("DaemonSet/agent", "agent"),
    workload("Deployment/mqtt-broker", "mosquitto"),
]
CHOICES = [
    # service, service_names, the workload
    ("backend", {"backend": "saveit-backend"}, "Deployment/saveit-backend"),
    ("backend", {"backend": "deployment/saveit-backend"}, "Deployment/saveit-backend"),
    ("backend", {"backend": "Deployments/saveit-backend"}, "Deployment/saveit-backend"),
    ("backend", {}, None),
    ("saveit-backend", {}, "Deployment/saveit-backend"),
    ("mosquitto", {}, "Deployment/mqtt-broker"),
    ("broker", {"broker": "mosquitto"}, "Deployment/mqtt-broker"),
    ("agent", {}, "DaemonSet/agent"),
    ("redis", {"redis": "redis-master"}, "StatefulSet/redis-master"),
    ("redis", {"redis": "statefulset/redis"}, "StatefulSet/redis"),
    ("postgres", {"postgres": "rds"}, None),
]


@pytest.mark.parametrize(("service", "service_names", "wanted"), CHOICES)
def test_the_workload_of_a_service(service: str, service_names: dict[str, str], wanted: str | None) -> None:
    found = choose(THERE, service, service_names, "the cluster test")
    assert (f"{found['kind']}/{found['metadata']['name']}" if found else None) == wanted


REFUSALS = [
    ("redis", {"redis": "redis"}, "Deployment redis and StatefulSet redis is called 'redis'"),
    ("redis", {}, "service_names: {redis: deployment/redis}"),
    ("redis", {"redis": "cronjob/redis"}, "is of the kind 'cronjob'"),
    ("redis", {"redis": "elasticache"}, "StatefulSet redis-master and StatefulSet redis-replicas"),
]


@pytest.mark.parametrize(("service", "service_names", "said"), REFUSALS)
def test_two_workloads_or_a_strange_kind_are_an_obstacle(
    service: str, service_names: dict[str, str], said: str
) -> None:
    with pytest.raises(ObstacleError) as caught:
        choose(THERE, service, service_names, "the cluster test")
    assert said in str(caught.value)
    assert caught.value.outcome == "refused"


def test_all_workloads_have_the_names_of_the_runbooks_and_none_twice() -> None:
    told = names(THERE, {"backend": "saveit-backend", "redis": "statefulset/redis-master"})
    assert told == [
        "backend",
        "cache",
        "redis-data",
        "redis",
        "redis-replicas",
        "agent",
        "mosquitto",
    ]
    assert len(set(told)) == len(told)


def info(scene: Any, **given: Any) -> Any:
    parameters = {**scene.parameters, "required": True, "otherwise": "", "otherwise_port": 0, **given}
    return _service_info.run(parameters, scene.carrier())


def test_a_healthy_service_costs_three_lists(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    assert info(it).verdict == "running"
    assert it.cluster.asked == ["list deployments", "list statefulsets", "list pods"]


def test_daemonsets_are_asked_for_when_one_has_a_pod(scene: Callable[..., Any]) -> None:
    """Or when a service is not found without them; then it may be one."""
    it = scene("healthy")
    it.cluster.objects["pods"][0]["metadata"]["ownerReferences"][0]["kind"] = "DaemonSet"
    info(it)
    assert it.cluster.asked[3:] == ["list daemonsets"]


def test_nodes_are_asked_for_when_a_pod_looks_as_on_a_lost_one(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    for condition in it.cluster.objects["pods"][0]["status"]["conditions"]:
        condition["status"] = "False" if condition["type"] == "Ready" else condition["status"]
    info(it)
    assert it.cluster.asked[3:] == ["list events", "list replicasets", "list nodes"]


def test_a_sick_one_two_more(scene: Callable[..., Any]) -> None:
    it = scene("crash-loop")
    assert [each.id for each in info(it).findings] == ["service-crash-loop"]
    assert it.cluster.asked[3:] == ["list events", "list replicasets"]


def test_a_service_without_a_workload_is_managed_elsewhere(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    with pytest.raises(ObstacleError, match="a managed service has no workload") as caught:
        info(it, service="redis")
    assert caught.value.id == "no-service"
    result = info(it, service="redis", required=False)
    assert result.verdict == "absent"
    assert [each.id for each in result.findings] == ["service-elsewhere"]


def test_the_embedded_broker_is_where_its_port_is(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    for port, found in ((8080, "backend"), (1883, "")):
        given = {"service": "mosquitto", "otherwise": "backend", "otherwise_port": port, "required": False}
        assert info(it, **given).returned["found"] == found


POD = "saveit-backend-769d9fb7c8-jz267"
OTHER = "saveit-backend-769d9fb7c8-p5ns2"


def test_the_log_of_a_crash_loop_has_the_life_before_it(scene: Callable[..., Any]) -> None:
    it = scene("crash-loop")
    it.cluster.logs = {
        (POD, False): "2026-11-23T06:51:11Z starting\n",
        (POD, True): "2026-11-23T06:51:00Z ValueError: no key\n",
        (OTHER, False): "2026-11-23T06:51:11Z the same\n",
        (OTHER, True): "2026-11-23T06:51:11Z the same\n",
    }
    given = {"required": True, "tail": 100, "since_seconds": 0, "since_start": False, "count": {"e": "Error"}}
    result = _service_logs.run({**it.parameters, **given}, it.carrier())
    assert result.returned["lines"] == [
        "2026-11-23T06:51:00Z ValueError: no key",
        "2026-11-23T06:51:11Z starting",
        "2026-11-23T06:51:11Z the same",
    ]


def test_a_pod_that_has_not_begun_has_no_log_and_that_is_no_failure(scene: Callable[..., Any]) -> None:
    it = scene("image-pull-backoff")
    parameters = {**it.parameters, "since_seconds": 300, "tail": 10, "pattern": "", "most": 5}
    assert _service_errors.run(parameters, it.carrier()).verdict == "quiet"


def test_early_logs_end_after_the_first_seconds(scene: Callable[..., Any]) -> None:
    it = scene("healthy", 100)
    carrier = it.carrier()
    instance = _kubernetes.look(it.parameters, carrier, "backend").instances[0]
    it.cluster.logs = {(instance.name, False): "2026-11-23T06:50:09Z a\n2026-11-23T06:51:09Z b\nno time\n"}
    assert _kubernetes.early_logs(it.parameters, carrier, instance, 10) == "2026-11-23T06:50:09Z a\n"


def execute(scene: Any, *answers: Completed) -> Any:
    scene.cluster.answers = list(answers)
    given = {"command": ["redis-cli", "PING"], "stdin": "", "timeout_seconds": 5, "reads_only": True}
    return _service_exec.run({**scene.parameters, **given}, scene.carrier())


def test_a_command_runs_in_the_main_container_of_a_ready_pod(scene: Callable[..., Any]) -> None:
    it = scene("rollout-in-progress")
    execute(it, Completed(0, "PONG", ""))
    assert it.cluster.commands == [
        ["saveit-backend-6df9b5bb88-6tfvc", "backend", "timeout", "5", "redis-cli", "PING"]
    ]


def test_a_container_without_timeout_runs_it_all_the_same(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    missing = Completed(127, "", 'exec: "timeout": executable file not found in $PATH')
    execute(it, missing, Completed(0, "PONG", ""))
    assert [each[2:] for each in it.cluster.commands] == [
        ["timeout", "5", "redis-cli", "PING"],
        ["redis-cli", "PING"],
    ]


def test_no_command_runs_where_no_pod_runs(scene: Callable[..., Any]) -> None:
    with pytest.raises(FailedError, match="scaled to zero"):
        execute(scene("scaled-to-zero"))


def test_one_pod_is_replaced_by_an_eviction_that_heeds_budgets(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    carrier = it.carrier()
    instance = _kubernetes.look(it.parameters, carrier, "backend").instances[0]
    _kubernetes.restart(it.parameters, carrier, instance, 3)
    ((what, name, body),) = it.cluster.writes
    assert (what, name, body["kind"]) == ("create pods/eviction", instance.name, "Eviction")
    refused = {"details": {"causes": [{"message": "The disruption budget x needs 2 healthy pods"}]}}
    it.cluster.refusals = [ApiError("429", 429, refused)]
    with pytest.raises(FailedError, match="needs 2 healthy pods"):
        _kubernetes.restart(it.parameters, carrier, instance, 3)


def test_redis_inside_a_pod_that_crashes_is_refused_with_the_reason(scene: Callable[..., Any]) -> None:
    it = scene("crash-loop", service_names={"redis": "saveit-backend"}, service="redis")
    given = {"host": "", "port": 6379, "username": "", "password": "", "tls": False, "ca_file": ""}
    limits = {"writes": False, "timeout_seconds": 2, "slow_milliseconds": 100, "wait_seconds": 0}
    result = _redis_check.run({**it.parameters, **given, **limits}, it.carrier())
    assert result.verdict == "refused"
    assert "exit code 1" in result.sentence


LOGIN = {
    "service": "postgres",
    "database": "saveit",
    "login_host": "",
    "login_port": 5432,
    "login_user": "saveit",
    "login_password": "",
    "password_variable": "",
    "reserved_user": "",
    "ssl_mode": "prefer",
    "ca_file": "",
    "timeout_seconds": 4,
    "used_percent_limit": 85,
    "waiting_seconds": 5,
    "slow_milliseconds": 1000,
    "wait_seconds": 0,
}
MANAGED = [
    (Completed(0, "imported\n", ""), "healthy", "a new connection works"),
    (Completed(142, "imported\n", ""), "timeout", "a new connection gets no answer"),
    (
        Completed(1, "imported\n", "psycopg2.OperationalError: FATAL:  sorry, too many clients already"),
        "slots",
        "too many clients",
    ),
    (
        Completed(1, "imported\n", "OperationalError: connection to server failed: Connection refused"),
        "refused",
        "onnection refused",
    ),
]


@pytest.mark.parametrize(("answer", "word", "said"), MANAGED)
def test_a_managed_database_is_asked_by_the_backend(
    scene: Callable[..., Any], answer: Completed, word: str, said: str
) -> None:
    it = scene("healthy")
    it.cluster.answers = [answer]
    client = {
        "name": "backend",
        "verdict": "",
        "sentence": "",
        "said": [],
        "command": ["python"],
        "timeout_seconds": 9,
    }
    result = _postgres_info.run({**it.parameters, **LOGIN, "client": client}, it.carrier())
    assert result.verdict == word
    assert said in result.sentence
    assert "as nothing here runs it" in result.sentence
    slots = {each.name: each.value for each in result.evidence}["postgres.slots"]
    assert slots == ("exhausted" if word == "slots" else None)


def test_a_client_that_cannot_say_is_no_verdict(scene: Callable[..., Any]) -> None:
    it = scene("healthy")
    it.cluster.answers = [Completed(1, "", "ModuleNotFoundError: No module named 'app'")]
    client = {
        "name": "backend",
        "verdict": "",
        "sentence": "",
        "said": [],
        "command": ["python"],
        "timeout_seconds": 9,
    }
    with pytest.raises(FailedError, match="No module named 'app'; set login_host"):
        _postgres_info.run({**it.parameters, **LOGIN, "client": client}, it.carrier())


MQTT: dict[str, Any] = {
    "host": "",
    "port": 1883,
    "subject": "mqtt",
    "probe": "",
    "down_finding": "",
    "runs_in": None,
    "username": "",
    "password": "",
    "version": "3.1.1",
    "tls": False,
    "ca_file": "",
    "roundtrip": True,
    "topic_prefix": "saveit-remediate/check",
    "samples": 1,
    "timeout_seconds": 3,
}
NOT_AUTHORIZED = "Connection error: Connection Refused: not authorised."
BROKERS = [
    # answers of the clients of Mosquitto, check mode, the verdict
    ([Completed(0, "1", "")], False, "healthy"),
    ([Completed(0, "", "")], True, "healthy"),
    ([Completed(1, "", "Error: Connection refused")], False, "refused"),
    ([Completed(5, "", NOT_AUTHORIZED)], False, "auth"),
    ([Completed(27, "", "Timed out"), Completed(0, "", "")], False, "silent"),
    ([Completed(27, "", "Timed out"), Completed(27, "", "Timed out")], False, "timeout"),
    ([Completed(7, "", "Error: The connection was lost.")], False, "closed"),
]


@pytest.mark.parametrize(("answers", "check_mode", "word"), BROKERS)
def test_a_broker_is_asked_inside_its_pod(
    scene: Callable[..., Any], answers: list[Completed], check_mode: bool, word: str
) -> None:
    it = scene("healthy", service_names={"mosquitto": "saveit-backend"}, service="mosquitto")
    it.cluster.answers = list(answers)
    result = _mqtt_check.run({**it.parameters, **MQTT}, it.carrier(check_mode))
    assert result.verdict == word
    assert "mqtt (inside saveit-backend-77d79f9db4-" in result.sentence
    assert it.cluster.answers == []
    publishes = any("mosquitto_rr" in each for each in it.cluster.commands)
    assert publishes is not check_mode


EMBEDDED = [
    (Completed(0, "connack 0\nmessage\n", ""), "healthy", []),
    (Completed(1, "", "refused"), "refused", ["mqtt-embedded-dead"]),
    (Completed(124, "", ""), "timeout", ["mqtt-embedded-hung"]),
    (Completed(1, "connack 0\n", "timeout"), "silent", ["mqtt-silent"]),
    (Completed(0, "connack 5\n", ""), "auth", ["mqtt-auth"]),
]


@pytest.mark.parametrize(("answer", "word", "found"), EMBEDDED)
def test_an_embedded_broker_is_asked_by_a_line_of_python(
    scene: Callable[..., Any], answer: Completed, word: str, found: list[str]
) -> None:
    it = scene("healthy", service="mosquitto")
    it.cluster.answers = [answer]
    result = _mqtt_check.run({**it.parameters, **MQTT, "runs_in": "backend"}, it.carrier())
    assert (result.verdict, [each.id for each in result.findings]) == (word, found)


def test_a_broker_that_runs_elsewhere_needs_an_address(scene: Callable[..., Any]) -> None:
    it = scene("healthy", service="mosquitto")
    with pytest.raises(ObstacleError, match=r"nobody told its address \(mqtt_host\)"):
        _mqtt_check.run({**it.parameters, **MQTT, "runs_in": ""}, it.carrier())
