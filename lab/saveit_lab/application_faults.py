"""The damage that can be done to the backend and the frontend; its other half is backend/app/trouble.py."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from saveit_lab import containers, docker, places, probes
from saveit_lab.errors import LabError
from saveit_lab.fault import RECOVERED, UNRESOLVED, Fault
from saveit_lab.waiting import until

CONFIGURATION = places.FAULTY / "backend" / "fault.conf"
READY = "/api/v1/health/ready"
LIVE = "/api/v1/health/live"
SILENCE = 1.5  # seconds without an answer
SAMPLES = 16
PATIENCE = 120  # seconds for a start of the backend, on a busy machine


def order(text: str) -> Callable[[], None]:
    """Tell the workers; they forget it when they are started again."""

    def give() -> None:
        inside = f"echo {text} > /run/trouble && kill -USR1 1"
        docker.must("give the backend an order", "exec", docker.container("backend"), "sh", "-c", inside)

    return give


def stop_processes() -> None:
    _stop_every_process("backend")


def stop_frontend() -> None:
    _stop_every_process("frontend")


def spoil() -> None:
    """Survives a restart of the container, and not its being made again."""
    inside = docker.container("backend")
    docker.must("spoil the backend's layer", "exec", inside, "touch", "/var/tmp/saveit-spoiled")  # noqa: S108
    containers.restart("backend")
    if not until(is_not_ready, PATIENCE):
        raise LabError(f"cannot spoil the backend: it does not answer 503 within {PATIENCE} s")


def crash_at_start() -> None:
    places.write(CONFIGURATION, "crash at start\n")
    containers.restart("backend")
    if not until(restarts_again_and_again, PATIENCE):
        raise LabError(f"cannot make the backend crash: the engine does not start it again in {PATIENCE} s")


def start_slowly() -> None:
    places.write(CONFIGURATION, "slow start\n")
    containers.restart("backend")


def answers_nothing() -> bool:
    return all(_ask(8000, READY))


def is_silent() -> bool:
    """No worker answers, not even the question that needs nothing."""
    return all("timed out" in complaint for complaint in _ask(8000, READY) + _ask(8000, LIVE))


def frontend_is_silent() -> bool:
    return all("timed out" in complaint for complaint in _ask(5000, "/health"))


def is_not_ready() -> bool:
    return all("answers 503" in complaint for complaint in _ask(8000, READY))


def answers_503() -> bool:
    return any("answers 503" in complaint for complaint in _ask(8000, READY))


def restarts_again_and_again() -> bool:
    found = docker.inspect("backend").get("backend")
    return found is not None and found["RestartCount"] >= 3


def _stop_every_process(service: str) -> None:
    """All but the first from inside, where that one is safe from signals; it comes last, from outside."""
    inside = ("exec", docker.container(service), "sh", "-c", "kill -STOP -1")
    docker.must(f"stop the processes of {service}", *inside)
    containers.send(service, "STOP")


def _ask(port: int, path: str) -> list[str]:
    """The complaints of many questions at once; "" for a good answer."""
    with ThreadPoolExecutor(max_workers=SAMPLES) as pool:
        asked = [pool.submit(probes.get, port, path, None, SILENCE) for _ in range(SAMPLES)]
    return [each.result() or "" for each in asked]


FAULTS = (
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
        stop_processes, is_silent,
    ),
    Fault(
        "application-blocked-loop", "application", "backend", RECOVERED, "application-unresponsive",
        "the event loop of every worker is blocked; connections are taken and never answered",
        order("block"), is_silent,
    ),
    Fault(
        "application-503", "application", "backend", RECOVERED, "application-not-ready",
        "ready answers 503 though the database is well; a restart ends it",
        order("not-ready"), is_not_ready,
    ),
    Fault(
        "application-flapping", "application", "backend", RECOVERED, "application-not-ready",
        "two workers answer 503 and the others 200 (with one worker, that one); a restart ends it",
        order("not-ready 2"), answers_503,
    ),
    Fault(
        "application-spoiled", "application", "backend", RECOVERED, "application-not-ready",
        "a file in the container's own layer keeps the backend at 503; a restart does not help",
        spoil, is_not_ready,
    ),
    Fault(
        "application-slow-start", "application", "backend", RECOVERED, "application-starting",
        "the backend was restarted and takes 45 s to start; each restart begins anew",
        start_slowly, answers_nothing,
    ),
    Fault(
        "application-crash-loop", "application", "backend", UNRESOLVED, "application-crash-loop",
        "the backend crashes at each start for its configuration",
        crash_at_start, restarts_again_and_again,
    ),
    Fault(
        "frontend-stopped", "application", "frontend", RECOVERED, "service-stopped",
        "the frontend's container is stopped",
        lambda: containers.stop("frontend"), lambda: containers.is_in("frontend", "exited"),
    ),
    Fault(
        "frontend-sigstop", "application", "frontend", RECOVERED, "frontend-failing",
        "every process of the frontend is stopped by SIGSTOP, the container runs",
        stop_frontend, frontend_is_silent,
    ),
)  # fmt: skip
