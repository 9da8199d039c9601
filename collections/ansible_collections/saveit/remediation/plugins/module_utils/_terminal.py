# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal of a person, by its device: nobody else's process need be its foreground for that."""

from __future__ import annotations

import contextlib
import errno
import os
import termios
import tty
from typing import Iterator, NamedTuple


class Size(NamedTuple):
    """In characters."""

    width: int
    height: int


@contextlib.contextmanager
def raw(device: str) -> Iterator[int]:
    """A file descriptor of the terminal that passes every key on as it is, Ctrl-C too.

    At the end, whatever it is, the terminal is as it was. Raises OSError when the device is no terminal.
    """
    with _opened(device) as file:
        before = termios.tcgetattr(file)
        try:
            tty.setraw(file, termios.TCSANOW)
            yield file
        finally:
            with contextlib.suppress(termios.error):  # its window was closed
                termios.tcsetattr(file, termios.TCSANOW, before)


def size_of(file: int) -> Size:
    """Its size now; of one that does not know, what a terminal always had."""
    with contextlib.suppress(OSError):
        columns, lines = os.get_terminal_size(file)
        if columns and lines:
            return Size(columns, lines)
    return Size(80, 24)


def say(device: str, sentence: str) -> None:
    """A line to the person. Raises OSError when the device is no terminal."""
    with _opened(device) as file:
        os.write(file, f"{sentence}\r\n".encode())


@contextlib.contextmanager
def _opened(device: str) -> Iterator[int]:
    """Never as our controlling terminal, whose signals we would get."""
    file = os.open(device, os.O_RDWR | os.O_NOCTTY)
    try:
        if not os.isatty(file):
            raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY), device)
        yield file
    finally:
        os.close(file)
