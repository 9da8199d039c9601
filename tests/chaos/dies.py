"""`dies.py after 3 ARGUMENTS…`: the command, which kills itself when it has written its third event."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from saveit_remediate.cli import main
from saveit_remediate.journal import Journal

when, number = sys.argv[1], int(sys.argv[2])
append, written = Journal.append, 0


def append_and_die(journal: Journal, *given: Any, **more: Any) -> Any:
    global written
    written += 1
    if (when, number) == ("before", written):
        os.kill(os.getpid(), signal.SIGKILL)
    event = append(journal, *given, **more)
    if (when, number) == ("after", written):
        os.kill(os.getpid(), signal.SIGKILL)
    return event


Journal.append = append_and_die  # type: ignore[method-assign]
main(sys.argv[3:])
