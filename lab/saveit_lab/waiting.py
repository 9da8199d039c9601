"""Waiting, always with an end."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(
    condition: Callable[[], bool],
    seconds: float,
    every: float = 0.1,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Whether the condition came true within so many seconds."""
    end = clock() + seconds
    while not condition():
        if clock() >= end:
            return False
        sleep(every)
    return True


def until_silent(complaint: Callable[[], str | None], seconds: float, every: float = 0.1) -> str | None:
    """The last complaint, or None when there was none any more within so many seconds."""
    last: list[str | None] = [None]

    def satisfied() -> bool:
        last[0] = complaint()
        return last[0] is None

    return None if until(satisfied, seconds, every) else last[0]
