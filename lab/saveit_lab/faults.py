"""The table of faults. A new fault is an entry here and a function that does the damage."""

from collections.abc import Callable
from dataclasses import dataclass

from saveit_lab import containers, mqtt_faults, redis_faults
from saveit_lab.errors import LabError

RECOVERED = "recovered"  # what a remediation should achieve
UNRESOLVED = "unresolved"  # no restart helps, a person has to act


@dataclass(frozen=True)
class Fault:
    """`inject` does the damage; `holds` tells, as seen from outside, whether it is done."""

    name: str
    incident: str
    service: str
    expected: str
    finding: str
    description: str
    inject: Callable[[], None]
    holds: Callable[[], bool]
    profiles: tuple[str, ...] = ("deployed", "documented")  # where it can be brought about


TABLE = (
    Fault(
        "redis-stopped", "redis", "redis", RECOVERED, "service-stopped",
        "the container is stopped",
        lambda: containers.stop("redis"), lambda: containers.is_in("redis", "exited"),
    ),
    Fault(
        "redis-killed", "redis", "redis", RECOVERED, "service-stopped",
        "the container is killed and not started again",
        lambda: containers.kill("redis"), lambda: containers.is_in("redis", "exited"),
    ),
    Fault(
        "redis-paused", "redis", "redis", RECOVERED, "service-paused",
        "the container is paused",
        lambda: containers.pause("redis"), lambda: containers.is_in("redis", "paused"),
    ),
    Fault(
        "redis-sigstop", "redis", "redis", RECOVERED, "redis-timeout",
        "the server process is stopped by SIGSTOP, the container runs",
        lambda: containers.send("redis", "STOP"), redis_faults.is_silent,
    ),
    Fault(
        "redis-client-pause", "redis", "redis", RECOVERED, "redis-timeout",
        "CLIENT PAUSE keeps every client waiting for hours",
        redis_faults.pause_clients, redis_faults.is_silent,
    ),
    Fault(
        "redis-loading", "redis", "redis", RECOVERED, "redis-loading",
        "the server loads its data for some 17 s after a start; each restart begins anew",
        redis_faults.load_slowly, redis_faults.refuses("LOADING"),
    ),
    Fault(
        "redis-wrong-password", "redis", "redis", UNRESOLVED, "redis-auth",
        "the server wants a password that its clients do not have",
        redis_faults.want_password, redis_faults.refuses("NOAUTH"),
    ),
    Fault(
        "redis-readonly", "redis", "redis", UNRESOLVED, "redis-readonly",
        "the server is a replica of a primary that nobody reaches",
        redis_faults.demote, redis_faults.refuses("READONLY"),
    ),
    Fault(
        "redis-maxmemory", "redis", "redis", UNRESOLVED, "redis-oom",
        "the server's memory limit leaves no room for a write",
        redis_faults.fill_memory, redis_faults.refuses("OOM"),
    ),
    Fault(
        "redis-misconf", "redis", "redis", UNRESOLVED, "redis-misconf",
        "the server cannot save its data to disk and refuses writes",
        redis_faults.forbid_saving, redis_faults.refuses("MISCONF"),
    ),
    Fault(
        "mqtt-stopped", "mqtt", "mosquitto", RECOVERED, "service-stopped",
        "the container of the broker is stopped",
        lambda: containers.stop("mosquitto"), lambda: containers.is_in("mosquitto", "exited"),
        ("deployed",),
    ),
    Fault(
        "mqtt-paused", "mqtt", "mosquitto", RECOVERED, "service-paused",
        "the container of the broker is paused",
        lambda: containers.pause("mosquitto"), lambda: containers.is_in("mosquitto", "paused"),
        ("deployed",),
    ),
    Fault(
        "mqtt-sigstop", "mqtt", "mosquitto", RECOVERED, "mqtt-timeout",
        "the broker's process is stopped by SIGSTOP, the container runs",
        lambda: containers.send("mosquitto", "STOP"), lambda: mqtt_faults.is_silent("mosquitto"),
        ("deployed",),
    ),
    Fault(
        "mqtt-wrong-password", "mqtt", "mosquitto", UNRESOLVED, "mqtt-auth",
        "the broker wants a password that its clients do not have",
        lambda: mqtt_faults.want_password("mosquitto"), lambda: mqtt_faults.refuses_clients("mosquitto"),
        ("deployed",),
    ),
    Fault(
        "mqtt-tls-down", "mqtt", "mosquitto", UNRESOLVED, "mqtt-tls-down",
        "the broker has lost its TLS listener from its configuration, the plain one serves",
        lambda: mqtt_faults.listen_without_tls("mosquitto"), lambda: mqtt_faults.lacks_tls("mosquitto"),
        ("deployed",),
    ),
    Fault(
        "mqtt-removed", "mqtt", "mosquitto", UNRESOLVED, "mqtt-elsewhere-down",
        "the container of the broker is removed; the backend has no broker in it",
        mqtt_faults.remove, lambda: containers.is_in("mosquitto", "absent"),
        ("deployed",),
    ),
    Fault(
        "mqtt-embedded-dead", "mqtt", "backend", RECOVERED, "mqtt-embedded-dead",
        "the broker in the backend is dead while HTTP answers",
        lambda: mqtt_faults.signal_embedded("KILL"), mqtt_faults.is_dead_beside_http,
        ("documented",),
    ),
    Fault(
        "mqtt-embedded-hung", "mqtt", "backend", RECOVERED, "mqtt-embedded-hung",
        "the broker in the backend is stopped by SIGSTOP while HTTP answers",
        lambda: mqtt_faults.signal_embedded("STOP"), mqtt_faults.is_dead_beside_http,
        ("documented",),
    ),
    Fault(
        "mqtt-embedded-wrong-password", "mqtt", "backend", UNRESOLVED, "mqtt-auth",
        "the broker in the backend wants a password that its clients do not have",
        lambda: mqtt_faults.want_password("backend"), lambda: mqtt_faults.refuses_clients("backend"),
        ("documented",),
    ),
    Fault(
        "mqtt-embedded-tls-down", "mqtt", "backend", UNRESOLVED, "mqtt-tls-down",
        "the broker in the backend has lost its TLS listener, the plain one serves",
        lambda: mqtt_faults.listen_without_tls("backend"), lambda: mqtt_faults.lacks_tls("backend"),
        ("documented",),
    ),
)  # fmt: skip


def find(name: str) -> Fault:
    for fault in TABLE:
        if fault.name == name:
            return fault
    raise LabError(f"cannot break {name!r}: there is no such fault; see `lab faults`")
