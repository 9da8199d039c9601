"""Too little memory, too little CPU: what brings a backend to its limits, and how to see that it is there."""

from __future__ import annotations

import re
import subprocess
import sys
import time

from saveit_lab import containers, docker, places
from saveit_lab.fault import RECOVERED, Fault

LEAK_TO = 930  # MiB, of 1024
NEED = 1200  # MiB: more than the limit, and under the threshold of one and a half of it
NEARLY_FULL = 900
MIB = 1 << 20
CAP = "0.15"  # cores
SHARES = "262144"  # before all other containers: on a busy machine they, and not its limits, would hold it up
SPIN = 1800  # seconds, after which a forgotten busy loop ends
COUNTERS = (
    "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory.stat",
    "/sys/fs/cgroup/cpu.stat",
    "/sys/fs/cgroup/memory/memory.usage_in_bytes", "/sys/fs/cgroup/memory/memory.oom_control",
    "/sys/fs/cgroup/memory/memory.stat", "/sys/fs/cgroup/cpu/cpu.stat",
)  # fmt: skip


def leak() -> None:
    _tell("leak", str(LEAK_TO))


def need_more_memory() -> None:
    """A cache that outlives a restart, of what the workers themselves leave of the need."""
    container = docker.container("backend")
    command = f"echo {NEED - _working_set() // MIB} > /run/strain-cache"
    docker.must("make the backend need more memory", "exec", container, "sh", "-c", command)
    docker.must("have the backend start fast", "update", f"--cpu-shares={SHARES}", container)
    containers.restart("backend")


def spin() -> None:
    _cap()
    _tell("spin", str(SPIN))


def load() -> None:
    """By a process of this machine, which ends by itself, and when the fault is repaired."""
    _cap()
    subprocess.Popen(
        [sys.executable, "-m", "saveit_lab.load", "cpu-throttled"],
        cwd=places.LAB, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def is_nearly_full() -> bool:
    return _working_set() >= NEARLY_FULL * MIB


def kills_go_on() -> bool:
    """A killed process, and its successor."""
    return _counter("oom_kill") >= 2 and containers.is_in("backend", "running")


def is_throttled() -> bool:
    """In half of the tenths of a second of three seconds; a worker that only starts does not take as long."""
    before = _counter("nr_throttled")
    time.sleep(3)
    return _counter("nr_throttled") - before >= 15


def _tell(*order: str) -> None:
    container = docker.container("backend")
    docker.must(f"tell a worker to {order[0]}", "exec", container, "python", "-m", "app.strain", *order)


def _cap() -> None:
    limits = (f"--cpus={CAP}", f"--cpu-shares={SHARES}")
    docker.must("lower the backend's CPU cap", "update", *limits, docker.container("backend"))


def _working_set() -> int:
    """In bytes, without the page cache that the kernel takes back before it kills."""
    cache = _counter("total_inactive_file") or _counter("inactive_file")
    return _counter("memory.current", "memory.usage_in_bytes") - cache


def _counter(*names: str) -> int:
    """A number out of the kernel's counters for the container, or 0."""
    said = docker.execute("backend", "grep", "-sH", "", *COUNTERS).output
    found = re.search(rf"\b(?:{'|'.join(map(re.escape, names))})[: ](\d+)$", said, re.MULTILINE)
    return int(found[1]) if found else 0


FAULTS = (
    Fault(
        "memory-leak", "memory", "backend", RECOVERED, "memory-high",
        "a worker leaks memory and stops just below the container's limit",
        leak, is_nearly_full,
    ),
    Fault(
        "memory-oom-loop", "memory", "backend", RECOVERED, "memory-oom",
        "the workers need more than the container may have and are killed again and again",
        need_more_memory, kills_go_on,
    ),
    Fault(
        "cpu-throttled", "cpu", "backend", RECOVERED, "cpu-throttled",
        "requests need more CPU than the backend's cap gives",
        load, is_throttled,
    ),
    Fault(
        "cpu-busy-loop", "cpu", "backend", RECOVERED, "cpu-high",
        "a worker computes for nothing, at a low CPU cap",
        spin, is_throttled,
    ),
)  # fmt: skip
