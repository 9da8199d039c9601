"""Requests that cost the backend CPU, at an even pace: `python -m saveit_lab.load FAULT`.

They go to 127.0.0.1, and end when the fault is no longer in force, or after five minutes.
"""

import sys
import threading
import time

from saveit_lab import probes, record
from saveit_lab.errors import LabError

PATH = "/api/v1/report"  # 40 ms of CPU each
PER_SECOND = 14
LONGEST = 300  # seconds
UNDER_WAY = 24  # requests at a time; what comes on top is dropped


def main(fault: str) -> None:
    places = threading.Semaphore(UNDER_WAY)

    def ask() -> None:
        try:
            probes.get(8000, PATH, timeout=5)
        finally:
            places.release()

    end = time.monotonic() + LONGEST
    while time.monotonic() < end and _in_force(fault):
        for _ in range(PER_SECOND):
            if places.acquire(blocking=False):
                threading.Thread(target=ask, daemon=True).start()
            time.sleep(1 / PER_SECOND)


def _in_force(fault: str) -> bool:
    try:
        return fault in record.load().faults
    except LabError:  # the record cannot be read: nobody knows of a fault
        return False


if __name__ == "__main__":
    main(sys.argv[1])
