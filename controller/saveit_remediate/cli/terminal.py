"""The terminal at which a person has started the command, lent to a run of Ansible."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from saveit_remediate.errors import UsageError


@contextmanager
def lent_terminal(what: str) -> Iterator[str]:
    """Its device; at the end it is as it was, also when the one who had it was killed.

    Raises UsageError when there is none.
    """
    import termios

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(f"{what} needs a terminal, and this is none: without {what} the checks need none")
    before = termios.tcgetattr(sys.stdin)
    try:
        yield os.ttyname(sys.stdin.fileno())
    finally:
        with suppress(termios.error):  # its window was closed
            termios.tcsetattr(sys.stdin, termios.TCSANOW, before)
