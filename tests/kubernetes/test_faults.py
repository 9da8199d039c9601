"""Every fault of the lab of docker-compose that exists on Kubernetes, and where it has its test.

`FAULTS` are broken here, by what a person could do on a real cluster; `ELSEWHERE` names the test of the
others, and `NOT_HERE` says why there is none.
"""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import breaking
from breaking import inside
from standin.client import MERGE
from test_application import make_unready, names

if TYPE_CHECKING:
    from standin.cluster import Cluster

RECOVERED, UNRESOLVED = "recovered", "unresolved"
SOON: dict[str, dict[str, float]] = {
    "application": {"start_seconds": 5, "samples": 4},
    "database": {"idle_minutes": 0.02, "idle_in_transaction_minutes": 0.01, "waiting_seconds": 1},
}


@dataclass(frozen=True)
class Fault:
    """What is wrong, how it ends, what it is found as, the remedy that helps or that is not tried."""

    incident: str
    break_it: Callable[[Cluster], object]
    outcome: str
    finding: str
    remedy: str
    services: tuple[str, ...]
    is_sample: bool = False  # of its incident type, in make test


def redis(*commands: str, says: str = "") -> Callable[[Cluster], None]:
    """Told to the server itself; `says` is what a write gets then."""

    def break_it(cluster: Cluster) -> None:
        for command in commands:
            inside(cluster, "redis-master", "redis-cli", *shlex.split(command))
        if says:
            write = ("redis-cli", "SET", "lab:probe", "1")
            cluster.wait(lambda: inside(cluster, "redis-master", *write).startswith(says), f"it says {says}")

    return break_it


def shell(workload: str, script: str) -> Callable[[Cluster], str]:
    return lambda cluster: inside(cluster, workload, "sh", "-c", script)


def zero(kind: str, workload: str) -> Callable[[Cluster], None]:
    def break_it(cluster: Cluster) -> None:
        if kind == "deployments" and cluster.find("horizontalpodautoscalers", f"{workload}-hpa"):
            cluster.delete("horizontalpodautoscalers", f"{workload}-hpa")
        cluster.patch(kind, workload, {"spec": {"replicas": 0}})
        cluster.wait(lambda: not cluster.pods(workload), f"{workload} has no pods")

    return break_it


def one_of_two_is_not_ready(cluster: Cluster) -> None:
    make_unready(cluster, sorted(names(cluster))[:1])


def pool_is_leaked(cluster: Cluster) -> None:
    """No worker gets a connection: the log says so, and none is ready."""
    cluster.serve("backend")
    inside(cluster, "saveit-backend", "sh", "-c", breaking.LEAK_POOL)
    make_unready(cluster)


def broker_wants_a_password(cluster: Cluster) -> None:
    """By its configuration, with pods that have read it."""
    settings = cluster.get("configmaps", "saveit-mosquitto")["data"]["mosquitto.conf"]
    wanted = settings.replace("allow_anonymous true", "allow_anonymous false")
    cluster.patch("configmaps", "saveit-mosquitto", {"data": {"mosquitto.conf": wanted}}, MERGE)
    before = {each["metadata"]["uid"] for each in cluster.pods("saveit-mosquitto")}
    annotations = {"metadata": {"annotations": {"saveit.test/configuration": "2"}}}
    cluster.patch("deployments", "saveit-mosquitto", {"spec": {"template": annotations}}, MERGE)
    cluster.wait(
        lambda: (
            cluster.is_complete(cluster.get("deployments", "saveit-mosquitto"))
            and before.isdisjoint(each["metadata"]["uid"] for each in cluster.pods("saveit-mosquitto"))
        ),
        "the broker has read its configuration",
    )


REDIS, POSTGRES, BROKER = ("redis", "backend"), ("postgres", "backend"), ("mosquitto", "backend")
BOTH = ("backend", "frontend")
FAULTS = {
    "application-stopped": Fault(
        "application", zero("deployments", "saveit-backend"),
        RECOVERED, "service-scaled-to-zero", "start", BOTH,
    ),
    "application-flapping": Fault(
        "application", one_of_two_is_not_ready,
        RECOVERED, "service-not-ready", "restart", BOTH,
    ),
    "frontend-stopped": Fault(
        "application", zero("deployments", "saveit-frontend"),
        RECOVERED, "service-scaled-to-zero", "start", BOTH,
    ),
    "redis-stopped": Fault(
        "redis", zero("statefulsets", "redis-master"), RECOVERED, "service-scaled-to-zero", "start", REDIS
    ),
    "redis-client-pause": Fault(
        "redis", redis("CLIENT PAUSE 86400000 ALL"), RECOVERED, "redis-timeout", "restart", REDIS
    ),
    "redis-loading": Fault(
        "redis", lambda cluster: cluster.behave("redis", "loading"), RECOVERED, "redis-loading", "wait", REDIS
    ),
    "redis-wrong-password": Fault(
        "redis", redis("CONFIG SET requirepass not-known-to-any-client", says="NOAUTH"),
        UNRESOLVED, "redis-auth", "restart", REDIS, is_sample=True,
    ),
    "redis-readonly": Fault(
        "redis", redis("REPLICAOF 127.0.0.1 6390", says="READONLY"),
        UNRESOLVED, "redis-readonly", "restart", REDIS,
    ),
    "redis-maxmemory": Fault(
        "redis", redis("CONFIG SET maxmemory 100kb", says="OOM"), UNRESOLVED, "redis-oom", "restart", REDIS
    ),
    "redis-misconf": Fault(
        "redis", redis("CONFIG SET dir /proc", "CONFIG SET save '1 0'", says="MISCONF"),
        UNRESOLVED, "redis-misconf", "restart", REDIS,
    ),
    "database-stopped": Fault(
        "database", zero("statefulsets", "saveit-postgres"),
        RECOVERED, "service-scaled-to-zero", "start", POSTGRES,
    ),
    "database-slots-exhausted": Fault(
        "database", shell("saveit-postgres", breaking.TAKE_EVERY_SLOT),
        RECOVERED, "database-slots-exhausted", "end-process", POSTGRES,
    ),
    "database-idle-in-transaction": Fault(
        "database", shell("saveit-postgres", breaking.HOLD_LOCKS),
        RECOVERED, "database-idle-in-transaction", "terminate-blockers", POSTGRES,
    ),
    "database-pool-leak": Fault(
        "database", pool_is_leaked,
        RECOVERED, "database-pool-exhausted", "restart-backend", POSTGRES,
    ),
    "database-wrong-password": Fault(
        "database", shell("saveit-postgres", breaking.WANT_PASSWORD),
        UNRESOLVED, "database-auth", "restart-database", POSTGRES, is_sample=True,
    ),
    "mqtt-stopped": Fault(
        "mqtt", zero("deployments", "saveit-mosquitto"), RECOVERED, "service-scaled-to-zero", "start", BROKER
    ),
    "mqtt-wrong-password": Fault(
        "mqtt", broker_wants_a_password, UNRESOLVED, "mqtt-auth", "restart", BROKER, is_sample=True
    ),
}  # fmt: skip
ELSEWHERE = {
    "test_application": {
        "application-503": "test_pods_that_hang_are_replaced_by_a_rollout",
        "application-crash-loop": "test_each_state_of_pods_is_its_own_finding_and_none_of_these_is_restarted",
        "application-blocked-loop": "test_each_state_of_pods_is_its_own_finding_and_none_of_these_is_restarted",  # noqa: E501
        "application-slow-start": "test_a_start_that_takes_its_time_is_waited_for",
    },
    "test_memory_cpu": {
        "memory-leak": "test_memory_is_judged_against_the_limit_of_the_container",
        "memory-oom-loop": "test_a_container_that_is_killed_for_its_memory_is_found",
        "cpu-throttled": "test_what_the_kernel_counts_inside_does_where_there_are_no_metrics",
        "cpu-busy-loop": "test_with_an_autoscaler_its_minimum_is_raised_and_it_undoes_nothing",
    },
    "test_certificate": {
        "certificate-expired": "test_an_expired_certificate_is_renewed_by_its_status_and_seen_from_outside",
        "certificate-expiring": "test_what_is_wrong_with_a_certificate_is_its_own_finding",
        "certificate-wrong-name": "test_what_is_wrong_with_a_certificate_is_its_own_finding",
        "certificate-key-mismatch": "test_what_is_wrong_with_a_certificate_is_its_own_finding",
        "certificate-not-reloaded": "test_another_certificate_than_that_of_the_secret_is_noticed",
        "certificate-renewal-fails": "test_a_failed_issuance_says_what_the_order_says_and_is_not_repeated",
    },
    "test_redis_mqtt_database": {
        "mqtt-tls-down": "test_a_broker_that_has_lost_its_tls_listener_is_named",
        "mqtt-removed": "test_a_broker_that_nothing_runs_is_elsewhere",
        "mqtt-embedded-dead": "test_a_broker_that_is_embedded_is_restarted_with_the_backend",
    },
}
_NO_PAUSE = "Kubernetes has no pause"
_FIRST = "the first process of a container cannot be stopped from inside it, and its node is not ours"
_KUBELET = "the kubelet starts again at once what was killed; scaled to zero is the stopped one"
NOT_HERE = {
    "application-paused": _NO_PAUSE,
    "database-paused": _NO_PAUSE,
    "redis-paused": _NO_PAUSE,
    "mqtt-paused": _NO_PAUSE,
    "application-sigstop": f"{_FIRST}; a pod that hangs is application-503",
    "redis-sigstop": f"{_FIRST}; to its clients it is redis-client-pause",
    "database-hung": _FIRST,
    "mqtt-sigstop": _FIRST,
    "mqtt-embedded-hung": _FIRST,
    "frontend-sigstop": "its liveness probe has the kubelet restart it, as in application-blocked-loop",
    "redis-killed": _KUBELET,
    "database-killed": _KUBELET,
    "application-spoiled": "every restart makes pods anew, without what was written into a container",
    "certificate-key-crash": "an ingress controller serves another certificate rather than end",
    "certificate-edge-stopped": "the ingress controller belongs to the cluster, not to the namespace",
    "mqtt-embedded-wrong-password": "as mqtt-wrong-password: who runs the broker makes no difference",
    "mqtt-embedded-tls-down": "as mqtt-tls-down: who runs the broker makes no difference",
}
PARAMETERS = [
    pytest.param(name, marks=() if fault.is_sample else pytest.mark.long) for name, fault in FAULTS.items()
]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_fault_is_found_and_what_can_be_done_is_done(cluster: Cluster, name: str) -> None:
    fault = FAULTS[name]
    for service in fault.services:
        cluster.behave(service)
    fault.break_it(cluster)
    given = [f"{fault.incident}_{key}={value}" for key, value in SOON.get(fault.incident, {}).items()]
    soon = [word for each in ("ladder_hold_seconds=0.5", *given) for word in ("-e", each)]
    done = cluster.command("--incident", fault.incident, "--json", "--yes", *soon)
    assert done.report["outcome"] == fault.outcome, done.stdout + done.stderr
    assert fault.finding in {each["id"] for each in done.report["findings"]}
    results = {each["remedy"]: each for each in done.report["actions"]}
    assert results[fault.remedy]["result"] == ("helped" if fault.outcome == RECOVERED else "skipped")
    if fault.outcome != RECOVERED:
        assert not [each for each in results.values() if each["changed"]]


def test_every_fault_of_the_lab_has_a_test_or_a_reason() -> None:
    from saveit_lab.faults import TABLE

    placed = [*FAULTS, *(name for each in ELSEWHERE.values() for name in each), *NOT_HERE]
    assert sorted(placed) == sorted(each.name for each in TABLE)


@pytest.mark.parametrize("module", ELSEWHERE)
def test_the_test_of_a_fault_exists(module: str) -> None:
    there: Any = importlib.import_module(module)
    assert [each for each in ELSEWHERE[module].values() if not callable(getattr(there, each, None))] == []
