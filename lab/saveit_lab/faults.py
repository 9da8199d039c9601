"""The table of faults. A new fault is an entry here and a function that does the damage."""

from collections.abc import Callable
from dataclasses import dataclass

from saveit_lab import application_faults, containers, database_faults, redis_faults
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
)  # fmt: skip


def find(name: str) -> Fault:
    for fault in TABLE:
        if fault.name == name:
            return fault
    raise LabError(f"cannot break {name!r}: there is no such fault; see `lab faults`")
