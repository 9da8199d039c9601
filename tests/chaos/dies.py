"""`dies.py after 3 FILE ARGUMENTS…`: the command, which kills itself when it has written its third event.

FILE gets the numbers of the processes below it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from saveit_remediate.cli import main
from saveit_remediate.journal import Journal
from saveit_remediate.run.processes import descendants

when, number = sys.argv[1], int(sys.argv[2])
append, written = Journal.append, 0


def die() -> None:
    Path(sys.argv[3]).write_text(" ".join(map(str, descendants(os.getpid()))))
    os.kill(os.getpid(), signal.SIGKILL)


def append_and_die(journal: Journal, *given: Any, **more: Any) -> Any:
    global written
    written += 1
    if (when, number) == ("before", written):
        die()
    event = append(journal, *given, **more)
    if (when, number) == ("after", written):
        die()
    return event


setattr(Journal, "append", append_and_die)  # noqa: B010
main(sys.argv[4:])
