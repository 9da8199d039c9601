"""What all tests share: in what they start, Ctrl-C and a hang-up work; and the mark `long`."""

from __future__ import annotations

import os
import signal

import pytest


def pytest_configure() -> None:
    """Under nohup, or in the background of a shell, these are ignored, and a process inherits that."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("FAULTS") == "all":
        return
    skip = pytest.mark.skip(reason="long: make faults runs it, and on a cluster make test-kubernetes")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(skip)
