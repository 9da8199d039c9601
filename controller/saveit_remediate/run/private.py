"""The private folder of a run: variables, environment, keys. It is removed at the end, however that came."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "saveit-remediate."
_YOUNG = 10.0  # seconds: such a folder may just not be locked yet


@contextmanager
def private_folder() -> Iterator[Path]:
    """A new folder with mode 0700. What a controller that was killed has left is removed before."""
    base = Path(tempfile.gettempdir())
    clear(base, time.time())
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=base, ignore_cleanup_errors=True) as folder:
        number = _open(folder)  # the lock ends with this process
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            yield Path(folder)
        finally:
            os.close(number)


def clear(base: Path, now: float) -> None:
    """Remove our folders in `base` that nobody holds; `now` in seconds since the epoch."""
    for folder in base.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # it went meanwhile, or is no folder, or a link
            found = folder.lstat()
            if found.st_uid == os.geteuid() and not 0 <= now - found.st_mtime < _YOUNG:
                _remove(folder)


def _remove(folder: Path) -> None:
    number = _open(folder)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError, an OSError: somebody is at work
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(number)


def _open(folder: str | Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
