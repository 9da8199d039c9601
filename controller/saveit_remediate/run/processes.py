"""End every process that a run started, orphans included, also when the controller itself is killed.

Since ansible-core 2.19 workers call setsid, so a signal to the process group of ansible-playbook misses the
module's child. As their subreaper (Linux), we inherit what is left over, and find it in /proc.
Between the controller and ansible-playbook stands a keeper: this file as a script, so it imports nothing of
ours.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_POLL = 0.02  # seconds
_PARENT_POLL = 0.2  # seconds, in which a keeper notices that the controller is gone
_ORPHAN_GRACE = 1.0  # seconds for an Ansible whose controller is gone: nobody waits for its clean-up


@contextmanager
def subreaper() -> Iterator[None]:
    """Inherit orphans for the time of a run; no effect where the system cannot."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        _prctl(_PR_SET_CHILD_SUBREAPER, 0)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def kept(folder: Path, command: Sequence[str]) -> list[str]:
    """The command under a keeper, which ends it, and removes `folder`, when this process is gone."""
    return [sys.executable, "-E", "-s", "-S", __file__, str(os.getpid()), str(folder), *command]


def keep(parent: int, folder: str, command: list[str]) -> int:
    """Run the command to its end, and give its exit code; end all of it as soon as `parent` is gone."""
    awake, wake = os.pipe()
    for end in (awake, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake)
    # To end, the command is told by others; a keeper that went before it would be no keeper.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    child = os.fork()
    if child == 0:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        try:
            os.execvp(command[0], command)  # noqa: S606  # an argument list, no shell
        finally:
            os._exit(127)
    while os.getppid() == parent:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == child:
                    code = os.waitstatus_to_exitcode(ended[1])
                    return code if code >= 0 else 128 - code  # as a shell says it
        select.select([awake], [], [], _PARENT_POLL)
        with contextlib.suppress(BlockingIOError):
            os.read(awake, 512)
    send([child], signal.SIGTERM)  # the others are found where there is a /proc
    end_descendants(frozenset(), _ORPHAN_GRACE)
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    return 1


def descendants(root: int) -> list[int]:
    """All living processes below `root`, parents before children. Empty where there is no /proc."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name in parentheses may itself hold spaces and parentheses.
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            if fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(0), [])
        found += below
        queue += below
    return found


def command_line(pid: int) -> bytes:
    """What tells a process after exec from the same one before."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def send(pids: list[int], number: int) -> None:
    """A signal to each; those that are gone, or not ours, are passed over."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def end_all(
    find: Callable[[], list[int]], grace: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> int:
    """SIGTERM to all that `find` finds, and after `grace` seconds SIGKILL; returns how many are left."""
    left = find()
    send(left, signal.SIGTERM)
    deadline = clock() + grace
    while left and clock() < deadline:
        sleep(_POLL)
        left = find()
    for _ in range(50):  # a killed parent's children come up only after it
        if not left:
            break
        send(left, signal.SIGKILL)
        sleep(_POLL)
        left = find()
    return len(left)


def end_descendants(spared: frozenset[int], grace: float) -> int:
    """End what is below this process, except `spared`, and collect the zombies."""

    def find() -> list[int]:
        _collect(spared)
        return [pid for pid in descendants(os.getpid()) if pid not in spared]

    return end_all(find, grace, time.monotonic, time.sleep)


def _collect(spared: frozenset[int]) -> None:
    """Reap inherited children that ended; never one that somebody else in this process waits for."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            pid = int(stat.parent.name)
            if fields[0] == "Z" and int(fields[1]) == os.getpid() and pid not in spared:
                os.waitpid(pid, os.WNOHANG)


if __name__ == "__main__":
    sys.exit(keep(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
