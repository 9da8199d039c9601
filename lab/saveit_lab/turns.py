"""Commands that change the lab take turns."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from saveit_lab import places
from saveit_lab.errors import LabError
from saveit_lab.waiting import until


@contextmanager
def alone() -> Iterator[None]:
    """One command at a time changes the lab; a killed one leaves no lock behind."""
    places.prepare()
    with places.LOCK.open("w") as lock:

        def taken() -> bool:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        if not until(taken, 180):
            raise LabError("cannot change the lab: another `lab` command has been busy for 3 minutes")
        yield
