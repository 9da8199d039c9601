"""The damage that can be done to Redis. What is written to its configuration survives a restart."""

from collections.abc import Callable

from saveit_lab import containers, docker, places, probes
from saveit_lab.errors import LabError
from saveit_lab.fault import RECOVERED, UNRESOLVED, Fault

CONFIGURATION = places.FAULTY / "redis" / "fault.conf"
KEYS = 15_000
FILL = f"for i = 1, {KEYS} do redis.call('SET', 'lab:filler:' .. i, i) end return redis.call('DBSIZE')"


def configure(text: str) -> None:
    """Have the server start with these lines, now and at every restart."""
    places.write(CONFIGURATION, text)
    containers.restart("redis")


def pause_clients() -> None:
    _expect("OK", "CLIENT", "PAUSE", "86400000", "ALL")


def load_slowly() -> None:
    """A thousandth of a second for each key, with clients answered in between."""
    _expect(str(KEYS), "EVAL", f"redis.call('FLUSHALL') {FILL}", "0")
    _expect("OK", "SAVE")
    configure("key-load-delay 1000\nloading-process-events-interval-bytes 1024\n")


def want_password() -> None:
    configure("requirepass not-known-to-any-client\n")


def demote() -> None:
    """The old data is still served, so that the answer is READONLY and not MASTERDOWN."""
    configure("replicaof 127.0.0.1 6390\nreplica-read-only yes\nreplica-serve-stale-data yes\n")


def fill_memory() -> None:
    configure("maxmemory 100kb\nmaxmemory-policy noeviction\n")


def forbid_saving() -> None:
    """No dump can be written to the folder; the server tries one as soon as it runs."""
    docker.must("forbid Redis its data folder", "exec", docker.container("redis"), "chmod", "555", "/data")
    configure("save 1 0\nstop-writes-on-bgsave-error yes\n")


def is_silent() -> bool:
    """It runs and gives no answer."""
    return containers.is_in("redis", "running") and probes.redis_says("PING") == ""


def refuses(word: str) -> Callable[[], bool]:
    """Whether a write is refused with this word."""
    return lambda: probes.redis_says("SET", "lab:probe", "1").startswith(word)


def _expect(answer: str, *command: str) -> None:
    said = probes.redis_says(*command)
    if said != answer:
        raise LabError(f"cannot break Redis: {command[0]} answers {said or 'nothing'!r}")


FAULTS = (
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
        lambda: containers.send("redis", "STOP"), is_silent,
    ),
    Fault(
        "redis-client-pause", "redis", "redis", RECOVERED, "redis-timeout",
        "CLIENT PAUSE keeps every client waiting for hours",
        pause_clients, is_silent,
    ),
    Fault(
        "redis-loading", "redis", "redis", RECOVERED, "redis-loading",
        "the server loads its data for some 17 s after a start; each restart begins anew",
        load_slowly, refuses("LOADING"),
    ),
    Fault(
        "redis-wrong-password", "redis", "redis", UNRESOLVED, "redis-auth",
        "the server wants a password that its clients do not have",
        want_password, refuses("NOAUTH"),
    ),
    Fault(
        "redis-readonly", "redis", "redis", UNRESOLVED, "redis-readonly",
        "the server is a replica of a primary that nobody reaches",
        demote, refuses("READONLY"),
    ),
    Fault(
        "redis-maxmemory", "redis", "redis", UNRESOLVED, "redis-oom",
        "the server's memory limit leaves no room for a write",
        fill_memory, refuses("OOM"),
    ),
    Fault(
        "redis-misconf", "redis", "redis", UNRESOLVED, "redis-misconf",
        "the server cannot save its data to disk and refuses writes",
        forbid_saving, refuses("MISCONF"),
    ),
)  # fmt: skip
