"""Trouble that the lab brings upon this backend; the real one has none of this.

Orders are read when SIGUSR1 comes, so a restart forgets them:
`echo "not-ready 2" > /run/trouble; kill -USR1 1` tells it to two of the workers, without a number to all.
"""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

ORDER = Path("/run/trouble")
LASTING = Path("/etc/saveit-faulty/fault.conf")  # mounted from the host: outlives the container
SPOILED = Path("/var/tmp/saveit-spoiled")  # noqa: S108 - of the container's own layer: outlives a restart only

SLOW_START = 45  # seconds

not_ready = SPOILED.exists()


def crash_if_told() -> None:
    """The end of a start with a faulty configuration."""
    if LASTING.exists() and "crash at start" in LASTING.read_text(encoding="ascii"):
        raise RuntimeError("SECRET_KEY is not set: the application does not start without it")


def dawdle_if_told() -> None:
    """A start that takes its time, as that of the real one does on a small host."""
    if LASTING.exists() and "slow start" in LASTING.read_text(encoding="ascii"):
        time.sleep(SLOW_START)


def pass_on(workers: Callable[[], list[int]]) -> None:
    """In the parent process: tell as many workers as the order says."""

    def tell(*_: object) -> None:
        number = ORDER.read_text(encoding="ascii").split()[1:]
        for pid in workers()[: int(number[0]) if number else None]:
            os.kill(pid, signal.SIGUSR1)

    signal.signal(signal.SIGUSR1, tell)


def obey() -> None:
    """In a worker: the handler runs in the event loop's own thread, and can block it."""
    signal.signal(signal.SIGUSR1, _obey)


def _obey(*_: object) -> None:
    global not_ready
    order = ORDER.read_text(encoding="ascii").split()[0]
    if order == "not-ready":
        not_ready = True
    while order == "block":
        time.sleep(3600)
