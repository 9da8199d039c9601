"""The table of faults. A new fault is an entry here and a function that does the damage."""

from collections.abc import Callable
from dataclasses import dataclass

from saveit_lab import (
    application_faults,
    certificate_faults,
    containers,
    database_faults,
    mqtt_faults,
    redis_faults,
    resource_faults,
)
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
        "application-stopped", "application", "backend", RECOVERED, "service-stopped",
        "the backend's container is stopped",
        lambda: containers.stop("backend"), lambda: containers.is_in("backend", "exited"),
    ),
    Fault(
        "application-paused", "application", "backend", RECOVERED, "service-paused",
        "the backend's container is paused",
        lambda: containers.pause("backend"), lambda: containers.is_in("backend", "paused"),
    ),
    Fault(
        "application-sigstop", "application", "backend", RECOVERED, "application-unresponsive",
        "every process of the backend is stopped by SIGSTOP, the container runs",
        application_faults.stop_processes, application_faults.is_silent,
    ),
    Fault(
        "application-blocked-loop", "application", "backend", RECOVERED, "application-unresponsive",
        "the event loop of every worker is blocked; connections are taken and never answered",
        application_faults.order("block"), application_faults.is_silent,
    ),
    Fault(
        "application-503", "application", "backend", RECOVERED, "application-not-ready",
        "ready answers 503 though the database is well; a restart ends it",
        application_faults.order("not-ready"), application_faults.is_not_ready,
    ),
    Fault(
        "application-flapping", "application", "backend", RECOVERED, "application-not-ready",
        "two workers answer 503 and the others 200 (with one worker, that one); a restart ends it",
        application_faults.order("not-ready 2"), application_faults.answers_503,
    ),
    Fault(
        "application-spoiled", "application", "backend", RECOVERED, "application-not-ready",
        "a file in the container's own layer keeps the backend at 503; a restart does not help",
        application_faults.spoil, application_faults.is_not_ready,
    ),
    Fault(
        "application-slow-start", "application", "backend", RECOVERED, "application-starting",
        "the backend was restarted and takes 45 s to start; each restart begins anew",
        application_faults.start_slowly, application_faults.answers_nothing,
    ),
    Fault(
        "application-crash-loop", "application", "backend", UNRESOLVED, "application-crash-loop",
        "the backend crashes at each start for its configuration",
        application_faults.crash_at_start, application_faults.restarts_again_and_again,
    ),
    Fault(
        "frontend-stopped", "application", "frontend", RECOVERED, "service-stopped",
        "the frontend's container is stopped",
        lambda: containers.stop("frontend"), lambda: containers.is_in("frontend", "exited"),
    ),
    Fault(
        "frontend-sigstop", "application", "frontend", RECOVERED, "frontend-failing",
        "every process of the frontend is stopped by SIGSTOP, the container runs",
        application_faults.stop_frontend, application_faults.frontend_is_silent,
    ),
    Fault(
        "database-stopped", "database", "postgres", RECOVERED, "service-stopped",
        "the container is stopped",
        lambda: containers.stop("postgres"), lambda: containers.is_in("postgres", "exited"),
    ),
    Fault(
        "database-killed", "database", "postgres", RECOVERED, "service-stopped",
        "the container is killed and not started again",
        lambda: containers.kill("postgres"), lambda: containers.is_in("postgres", "exited"),
    ),
    Fault(
        "database-paused", "database", "postgres", RECOVERED, "service-paused",
        "the container is paused; whoever asks the database hangs",
        lambda: containers.pause("postgres"), lambda: containers.is_in("postgres", "paused"),
    ),
    Fault(
        "database-slots-exhausted", "database", "postgres", RECOVERED, "database-slots-exhausted",
        "another client's idle sessions take every slot, the reserved ones too where its role gets them",
        database_faults.take_every_slot, database_faults.some_workers_fail,
    ),
    Fault(
        "database-idle-in-transaction", "database", "postgres", RECOVERED, "database-idle-in-transaction",
        "a session idle in transaction holds a lock that every worker of the backend waits for",
        database_faults.hold_locks, database_faults.locks_are_waited_for,
    ),
    Fault(
        "database-pool-leak", "database", "backend", RECOVERED, "database-pool-exhausted",
        "the backend has lost all connections of its pools; the database has no session that could be ended",
        database_faults.leak_pool, database_faults.pool_is_leaked,
    ),
    Fault(
        "database-hung", "database", "postgres", UNRESOLVED, "database-timeout",
        "the server process is stopped by SIGSTOP: old sessions go on, nobody new gets in; a "
        "restart is high risk",
        lambda: containers.send("postgres", "STOP"), database_faults.takes_no_connection,
    ),
    Fault(
        "database-wrong-password", "database", "postgres", UNRESOLVED, "database-auth",
        "the database has another password than the backend",
        database_faults.change_password, database_faults.logins_fail,
    ),
    Fault(
        "memory-leak", "memory", "backend", RECOVERED, "memory-high",
        "a worker leaks memory and stops just below the container's limit",
        resource_faults.leak, resource_faults.is_nearly_full,
    ),
    Fault(
        "memory-oom-loop", "memory", "backend", RECOVERED, "memory-oom",
        "the workers need more than the container may have and are killed again and again",
        resource_faults.need_more_memory, resource_faults.kills_go_on,
    ),
    Fault(
        "cpu-busy-loop", "cpu", "backend", RECOVERED, "cpu-high",
        "a worker computes for nothing, at a low CPU cap",
        resource_faults.spin, resource_faults.is_throttled,
    ),
    Fault(
        "cpu-throttled", "cpu", "backend", RECOVERED, "cpu-throttled",
        "requests need more CPU than the backend's cap gives",
        resource_faults.load, resource_faults.is_throttled,
    ),
    Fault(
        "certificate-expired", "certificate", "nginx", RECOVERED, "certificate-expired",
        "the TLS edge serves a certificate that expired yesterday",
        certificate_faults.serve("expired"), certificate_faults.fails_with("expired"),
    ),
    Fault(
        "certificate-expiring", "certificate", "nginx", RECOVERED, "certificate-expiring",
        "the TLS edge serves a certificate that expires in ten days",
        certificate_faults.serve("expiring"), certificate_faults.expires_soon,
    ),
    Fault(
        "certificate-wrong-name", "certificate", "nginx", RECOVERED, "certificate-wrong-name",
        "the TLS edge serves a certificate for another name",
        certificate_faults.serve("wrong-name"), certificate_faults.fails_with("not valid for"),
    ),
    Fault(
        "certificate-key-mismatch", "certificate", "nginx", RECOVERED, "certificate-key-mismatch",
        "the key file belongs to another certificate; nginx still serves the old pair from memory",
        certificate_faults.mix_up_keys, certificate_faults.refuses_to_reload,
    ),
    Fault(
        "certificate-key-crash", "certificate", "nginx", RECOVERED, "certificate-key-mismatch",
        "the key file belongs to another certificate, and nginx was restarted: it ends at every start",
        certificate_faults.restart_with_mixed_up_keys, certificate_faults.is_down,
    ),
    Fault(
        "certificate-not-reloaded", "certificate", "nginx", RECOVERED, "certificate-not-reloaded",
        "the files were renewed, and nginx still serves the expired certificate",
        certificate_faults.forget_to_reload, certificate_faults.fails_with("expired"),
    ),
    Fault(
        "certificate-edge-stopped", "certificate", "nginx", RECOVERED, "service-stopped",
        "the container of the TLS edge is stopped",
        lambda: containers.stop("nginx"), lambda: containers.is_in("nginx", "exited"),
    ),
    Fault(
        "certificate-renewal-fails", "certificate", "nginx", UNRESOLVED, "certificate-expired",
        "the certificate expired, and the issuer of a new one does not answer",
        certificate_faults.expire_without_issuer, certificate_faults.fails_with("expired"),
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
