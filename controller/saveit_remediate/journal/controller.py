"""Who keeps a record: which process on which machine, so that another can tell whether it is still alive."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

# A process that we cannot see counts as gone so long after its last event, beyond the time limit of a run.
_SILENCE = timedelta(hours=1)


def this_controller(timeout: int) -> dict[str, Any]:
    """What `opened` records; `timeout` in seconds is the longest time without a word from a run."""
    return {"host": socket.gethostname(), **_process(os.getpid()), "timeout": timeout}


def is_gone(recorded: Mapping[str, Any], last: datetime, now: datetime) -> bool:
    """Is the process over? `last` is when it wrote its last event.

    Where it runs on another machine, or in another container, its silence has to tell.
    """
    pid = recorded.get("pid")
    here = this_controller(0)
    if not isinstance(pid, int) or any(recorded.get(key) != here[key] for key in ("host", "pids")):
        limit = recorded.get("timeout")
        seconds = min(max(limit, 0), 86400) if isinstance(limit, int) else 0
        return now - last > _SILENCE + timedelta(seconds=seconds)
    return bool(_process(pid)["started"] != recorded.get("started"))


def _process(pid: int) -> dict[str, Any]:
    """`started` is the boot and the clock ticks since then (proc(5)): a number alone is used again.

    It is empty when there is no such process.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        started = "" if stat[0] in "ZX" else f"{boot}/{stat[19]}"
        space = str(Path("/proc/self/ns/pid").readlink())
    except (OSError, IndexError):
        started, space = ("alive" if _answers(pid) else ""), ""
    return {"pid": pid, "pids": space, "started": started}


def _answers(pid: int) -> bool:
    """Where there is no /proc."""
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
