"""Strain on memory and CPU that the lab brings upon this backend; the real one comes by it in other ways.

An order is told to one worker by `python -m app.strain leak 930` or `... spin 600`, which returns when the
worker has taken it; a restart forgets it. What CACHE says outlives a restart: a cache that the workers fill
when they start, as large as it says in MiB.
"""

import hashlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

from fastapi import APIRouter

from app.saying import say
from app.settings import WORKERS

CACHE = Path("/run/strain-cache")
ORDER = Path("/run/strain")
SIGNAL = signal.SIGRTMIN + 7
MIB = 1 << 20
STEP = 10  # MiB that are taken at a time
REPORT_SECONDS = 0.006  # of CPU, whatever the machine's speed
PATIENCE = 20  # seconds until a worker has taken an order
USED = (Path("/sys/fs/cgroup/memory.current"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"))
STAT = (Path("/sys/fs/cgroup/memory.stat"), Path("/sys/fs/cgroup/memory/memory.stat"))

router = APIRouter()
_kept: list[bytearray] = []


def listen() -> None:
    """In a worker, when it starts."""
    signal.signal(SIGNAL, lambda *_: _in_background(_obey))
    if CACHE.exists():
        _in_background(_fill_cache)


@router.get("/api/v1/report")
async def report() -> dict:
    """A request that costs CPU, and its worker the time."""
    _burn(REPORT_SECONDS)
    return {"rows": 1}


def _in_background(work) -> None:
    threading.Thread(target=work, name="strain", daemon=True).start()


def _obey() -> None:
    order, number = ORDER.read_text(encoding="ascii").split()
    ORDER.unlink()
    if order == "leak":
        while _used() < int(number) * MIB:
            _take()
    else:
        for _ in range(os.cpu_count() or 1):
            _in_background(lambda: _burn(60 * 60, until=time.monotonic() + float(number)))


def _fill_cache() -> None:
    wanted = int(CACHE.read_text(encoding="ascii")) // WORKERS
    say(f"Filling the cache: {wanted} MiB")
    while len(_kept) * STEP < wanted:
        _take()


def _take() -> None:
    """Memory that is really used: every page is written to."""
    _kept.append(bytearray(b"x") * (STEP * MIB))
    time.sleep(0.05)


def _burn(seconds: float, until: float = float("inf")) -> None:
    """Hashing gives other threads the interpreter, so several of these use several cores."""
    block = bytes(MIB // 4)
    end = time.thread_time() + seconds
    while time.thread_time() < end and time.monotonic() < until:
        hashlib.sha256(block)


def _used() -> int:
    """The working set: without the page cache that the kernel takes back before it kills."""
    used = int(next(file for file in USED if file.exists()).read_text(encoding="ascii"))
    lines = next(file for file in STAT if file.exists()).read_text(encoding="ascii").splitlines()
    counters = dict(line.split() for line in lines)
    return used - int(counters.get("total_inactive_file", counters.get("inactive_file", "0")))


def _tell(order: str) -> None:
    """Raises LookupError when no worker takes it."""
    ORDER.write_text(order, encoding="ascii")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        worker = _worker()
        if worker:
            os.kill(worker, SIGNAL)
            while time.monotonic() < end and ORDER.exists():
                time.sleep(0.05)
            if not ORDER.exists():
                return
        time.sleep(0.1)
    raise LookupError(f"no worker takes an order within {PATIENCE} s")


def _worker() -> int:
    """A child of the first process that is a copy of it, and listens to orders; 0 when there is none."""
    parent = Path("/proc/1/cmdline").read_bytes()
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda each: int(each.name)):
        try:
            parents = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]
            if parents == "1" and (folder / "cmdline").read_bytes() == parent and _listens(folder):
                return int(folder.name)
        except OSError:  # it has just ended
            continue
    return 0


def _listens(folder: Path) -> bool:
    """Has it a handler? The signal ends a process that has none."""
    lines = (folder / "status").read_text(encoding="utf-8").splitlines()
    caught = next(line.split()[1] for line in lines if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (SIGNAL - 1) & 1)


if __name__ == "__main__":
    _tell(" ".join(sys.argv[1:]))
