"""What all tests share: in what they start, Ctrl-C and a hang-up work."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Under nohup, or in the background of a shell, these are ignored, and a process inherits that."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)
