"""Stop a run at any moment: Ctrl-C, SIGTERM, a closed terminal, or the time that is up."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from saveit_remediate.run.processes import command_line, descendants, send

GRACE_SECONDS = 3.0
_FOLLOW_SECONDS = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Stopper:
    """Ends the processes of one run: SIGTERM first, SIGKILL after a grace time or when asked again.

    `reason` is "", "interrupted" or "timeout". `spared` are children that were there before the run.
    """

    spared: frozenset[int]
    reason: str = ""
    killing: bool = False
    over: threading.Event = field(default_factory=threading.Event)
    _told: set[tuple[int, bytes]] = field(default_factory=set)

    def stop(self, reason: str) -> None:
        if self.reason:
            self._kill()
            return
        self.reason = reason
        self._terminate()
        threading.Thread(target=self._follow_up, daemon=True).start()

    def _follow_up(self) -> None:
        """Tell also those that start only now, and end the deaf ones."""
        for _ in range(round(GRACE_SECONDS / _FOLLOW_SECONDS)):
            if self.over.wait(_FOLLOW_SECONDS):
                return
            self._terminate()
        self._kill()

    def _terminate(self) -> None:
        """SIGTERM, once for each program: twice would cut short one that is cleaning up."""
        programs = {(pid, command_line(pid)) for pid in self._ours()} - self._told
        self._told |= programs
        send([pid for pid, _ in programs], signal.SIGTERM)

    def _kill(self) -> None:
        self.killing = True
        send(self._ours(), signal.SIGKILL)

    def _ours(self) -> list[int]:
        return [pid for pid in descendants(os.getpid()) if pid not in self.spared]


@contextmanager
def stopping(stopper: Stopper, timeout: float) -> Iterator[None]:
    """While inside, signals and the time limit (seconds) stop the run rather than this process."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stopper.stop("interrupted")

    timer = threading.Timer(timeout, stopper.stop, ["timeout"])
    timer.daemon = True
    timer.start()
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                before[number] = signal.signal(number, on_signal)
    try:
        yield
    finally:
        stopper.over.set()
        timer.cancel()
        for number, previous in before.items():
            signal.signal(number, previous)
