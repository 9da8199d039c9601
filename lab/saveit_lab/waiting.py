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
