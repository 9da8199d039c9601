# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An end to every wait, also where no time limit of a library ends it."""

from __future__ import annotations

import threading
from typing import Callable, TypeVar

_T = TypeVar("_T")


def within(seconds: float, do: Callable[[], _T]) -> _T:
    """What `do` returns or raises, or TimeoutError after `seconds`.

    In a thread: neither the resolver nor a server that sends a byte a second ends at a socket's time limit.
    """
    done: list[_T] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            done.append(do())
        except BaseException as error:  # raised again below, in the thread that waits
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if failed:
        raise failed[0]
    if not done:
        raise TimeoutError
    return done[0]
