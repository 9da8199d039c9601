"""The table of faults. A new fault is an entry here and a function that does the damage."""

from collections.abc import Callable
from dataclasses import dataclass

from saveit_lab import certificate_faults, containers, redis_faults
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
)  # fmt: skip


def find(name: str) -> Fault:
    for fault in TABLE:
        if fault.name == name:
            return fault
    raise LabError(f"cannot break {name!r}: there is no such fault; see `lab faults`")
