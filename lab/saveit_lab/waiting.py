"""Waiting, always with an end."""

import time
from typing import Callable, Optional


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


def until_silent(
    complaint: Callable[[], Optional[str]], seconds: float, every: float = 0.1
) -> Optional[str]:
    """The last complaint, or None when there was none any more within so many seconds."""
    last: list[Optional[str]] = [None]

    def satisfied() -> bool:
        last[0] = complaint()
        return last[0] is None

    return None if until(satisfied, seconds, every) else last[0]
