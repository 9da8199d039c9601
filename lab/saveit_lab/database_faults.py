"""The damage that can be done to PostgreSQL, to its slots and to the pool of those who use it."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

from saveit_lab import containers, docker, places, probes
from saveit_lab.commands import Finished
from saveit_lab.errors import LabError
from saveit_lab.fault import RECOVERED, UNRESOLVED, Fault
from saveit_lab.waiting import until

CONFIGURATION = places.FAULTY / "postgres" / "fault.conf"
CLIENT = "/etc/saveit/client.py"
IDLE = 4  # seconds: longer than database_idle_minutes of inventories/lab
WAITING = 6  # seconds: longer than database_waiting_seconds
READY = "/api/v1/health/ready"
PATIENCE = 60  # seconds until damage must be done; a busy machine takes its time
POOL_TIMEOUT = 30  # seconds, of the backend

WORKERS = "import os; print(os.environ.get('WORKERS', '4'))"
LEAK = """
import os, pathlib, signal, time

def listens(folder):
    try:
        stat = (folder / 'stat').read_text().rpartition(')')[2].split()
        if stat[1] != '1' or b'app.serve' not in (folder / 'cmdline').read_bytes():
            return False
        caught = (folder / 'status').read_text().partition('SigCgt:')[2].split()[0]
        return int(caught, 16) >> signal.SIGUSR2 - 1 & 1
    except FileNotFoundError:
        return False

ends = time.monotonic() + 50
while time.monotonic() < ends:
    workers = [int(folder.name) for folder in pathlib.Path('/proc').glob('[0-9]*') if listens(folder)]
    if len(workers) >= int(os.environ.get('WORKERS', '4')):  # one that still starts would be ended by it
        break
    time.sleep(0.1)
for worker in workers:
    os.kill(worker, signal.SIGUSR2)
"""


def take_every_slot() -> None:
    """Another client's idle sessions, the reserved slots too where the role gets them; some of the backend's
    workers have lost their pooled session and get none."""
    ask_ready(16)  # so that every worker has a session in its pool
    _client("slots")
    if not until(slots_are_taken, PATIENCE):
        raise LabError("cannot take every slot of the database: it still lets us in")
    _grow_old(IDLE)


def slots_are_taken() -> bool:
    said = _psql("SELECT 1").errors
    return "too many clients" in said or "connection slots are reserved" in said


def some_workers_fail() -> bool:
    return slots_are_taken() and any(ask_ready(12))


def hold_locks() -> None:
    """A session idle in transaction has locked a table; every worker's next query of it waits, and the
    worker too."""
    _client("locks")
    if not until(
        lambda: _number("state = 'idle in transaction' AND application_name = 'lab-migration'") > 0, PATIENCE
    ):
        raise LabError("cannot hold a lock: the session that should is not there")
    workers = _workers()

    def all_wait() -> bool:
        _ask("/api/v1/items", 2 * workers, timeout=1)
        return _number("wait_event_type = 'Lock'") >= workers

    if not until(all_wait, PATIENCE):
        raise LabError("cannot make the backend wait for a lock: not all of its workers do")
    _grow_old(WAITING)


def locks_are_waited_for() -> bool:
    return _number("wait_event_type = 'Lock'") > 0 and any(ask_ready(4))


def leak_pool() -> None:
    """Every worker's pool believes that all its connections are in use; no session is left that could be
    ended."""
    began, workers = f"{time.time():.3f}", _workers()
    docker.must("leak the backend's pool", "exec", docker.container("backend"), "python", "-c", LEAK)
    if not until(lambda: _log(began).count("pool leaked") >= workers, PATIENCE):
        raise LabError(f"cannot leak the backend's pool: not all of its {workers} workers say so")
    _ask(READY, 2 * workers, timeout=POOL_TIMEOUT + 15)  # so that its log has the words


def pool_is_leaked() -> bool:
    return "QueuePool limit" in _log("60s") and _psql("SELECT 1").ok and len(ask_ready(8)) == 8


def change_password() -> None:
    """In the database and not in the backend. The line in the configuration only keeps start.sh from
    undoing it."""
    places.write(CONFIGURATION, "# the password of the role saveit was changed\n")
    docker.must(
        "mark the password", "exec", docker.container("postgres"), "sh", "-c", 'touch "$PGDATA/lab-password"'
    )
    done = _psql(
        "ALTER ROLE saveit PASSWORD 'not-known-to-any-client';"
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    if not done.ok:
        raise LabError(f"cannot change the password of the database: {done.complaint}")


def logins_fail() -> bool:
    return any(ask_ready(4)) and "password authentication failed" in _log("30s")


def takes_no_connection() -> bool:
    """Nobody new gets in, though the container runs."""
    return containers.is_in("postgres", "running") and not _psql("SELECT 1").ok


def ask_ready(times: int) -> list[str]:
    """The complaints of the ready endpoint, asked four times at once."""
    return _ask(READY, times, timeout=3)


def _ask(path: str, times: int, timeout: float) -> list[str]:
    with ThreadPoolExecutor(max(4, times // 2)) as pool:
        answers = pool.map(lambda _: probes.get(8000, path, timeout=timeout), range(times))
    return [complaint for complaint in answers if complaint]


def _workers() -> int:
    return int(docker.execute("backend", "python", "-c", WORKERS).output.strip() or 4)


def _client(what: str) -> None:
    """A client of its own, which lives in the server's container and goes with it."""
    docker.must("start a client", "exec", "-d", docker.container("postgres"), "python3", CLIENT, what)


def _psql(sql: str) -> Finished:
    inside = ("timeout", "5", "psql", "-U", "saveit", "-w", "-At", "-c", sql)
    return docker.execute("postgres", *inside)


def _number(condition: str) -> int:
    done = _psql(f"SELECT json_build_object('n', count(*)) FROM pg_stat_activity WHERE {condition}")  # noqa: S608
    return int(json.loads(done.output)["n"]) if done.ok else 0


def _log(since: str) -> str:
    done = docker.docker("logs", "--since", since, docker.container("backend"))
    return done.output + done.errors


def _grow_old(seconds: float) -> None:
    until(lambda: False, seconds)


FAULTS = (
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
        take_every_slot, some_workers_fail,
    ),
    Fault(
        "database-idle-in-transaction", "database", "postgres", RECOVERED, "database-idle-in-transaction",
        "a session idle in transaction holds a lock that every worker of the backend waits for",
        hold_locks, locks_are_waited_for,
    ),
    Fault(
        "database-pool-leak", "database", "backend", RECOVERED, "database-pool-exhausted",
        "the backend has lost all connections of its pools; the database has no session that could be ended",
        leak_pool, pool_is_leaked,
    ),
    Fault(
        "database-hung", "database", "postgres", UNRESOLVED, "database-timeout",
        "the server process is stopped by SIGSTOP: old sessions go on, nobody new gets in; a "
        "restart is high risk",
        lambda: containers.send("postgres", "STOP"), takes_no_connection,
    ),
    Fault(
        "database-wrong-password", "database", "postgres", UNRESOLVED, "database-auth",
        "the database has another password than the backend",
        change_password, logins_fail,
    ),
)  # fmt: skip
