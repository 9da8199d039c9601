"""Requests that cost the backend CPU, at an even pace: `python -m saveit_lab.load FAULT`.

They go to 127.0.0.1, and end when the fault is no longer in force, or after half an hour.
"""

import fcntl
import sys
import threading
import time

from saveit_lab import places, probes, record
from saveit_lab.errors import LabError

PATH = "/api/v1/report"  # 6 ms of CPU each, and 4 for the request itself
PER_SECOND = 18  # a fifth of a core: more than the cap, and half of the raised one
LONGEST = 1800  # seconds
UNDER_WAY = 24  # requests at a time; what comes on top is dropped


def main(fault: str) -> None:
    with (places.STATE / "load.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # one before this one ends as soon as it sees that it may
        _send(fault)


def _send(fault: str) -> None:
    free = threading.Semaphore(UNDER_WAY)

    def ask() -> None:
        try:
            probes.get(8000, PATH, timeout=5)
        finally:
            free.release()

    end = time.monotonic() + LONGEST
    while time.monotonic() < end and _in_force(fault):
        for _ in range(PER_SECOND):
            if free.acquire(blocking=False):
                threading.Thread(target=ask, daemon=True).start()
            time.sleep(1 / PER_SECOND)


def _in_force(fault: str) -> bool:
    try:
        return fault in record.load().faults
    except LabError:  # the record cannot be read: nobody knows of a fault
        return False


if __name__ == "__main__":
    main(sys.argv[1])
