"""Events that the server of the journal did not take yet: a private file; they are delivered in order."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from saveit_remediate.errors import UnreachableError
from saveit_remediate.journal.event import Draft, canonical


@dataclass(frozen=True)
class Spool:
    """One file for each journal; several controllers may share it, one line is one event."""

    path: Path

    def waiting(self) -> bool:
        """Is there an event to deliver?"""
        try:
            return self.path.stat().st_size > 0
        except OSError:
            return False

    def add(self, one: Draft) -> None:
        """On the disk when this returns. Raises UnreachableError, and then nothing of it is there."""
        try:
            with self._locked() as number:
                size = _whole_lines(number)  # over half a line, which is of a writer that was killed
                try:
                    _write_all(number, (canonical(asdict(one)) + "\n").encode(), size)
                    os.fsync(number)
                except OSError:
                    os.ftruncate(number, size)
                    raise
        except OSError as error:
            raise UnreachableError(
                f"cannot keep an event in {self.path}: {error.strerror or error}"
            ) from error

    def deliver(self, send: Callable[[Draft], object]) -> int:
        """Send each, then forget them all; returns how many. What `send` raises ends it, and all are kept.

        Raises UnreachableError for a line that is no event: nothing after it is delivered.
        """
        try:
            with self._locked() as number:
                lines = os.pread(number, _whole_lines(number), 0).decode("ascii", "replace").splitlines()
                for place, line in enumerate(lines, start=1):
                    send(self._read(line, place))
                os.ftruncate(number, 0)
                os.fsync(number)
        except OSError as error:
            raise UnreachableError(f"cannot read {self.path}: {error.strerror or error}") from error
        return len(lines)

    def _read(self, line: str, place: int) -> Draft:
        try:
            return Draft(**{name: str(value) for name, value in json.loads(line).items()})
        except (ValueError, TypeError, AttributeError) as error:
            raise UnreachableError(
                f"cannot deliver line {place} of {self.path}: it is no event, somebody changed it; "
                "nothing from there on is delivered until it is removed"
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[int]:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_new = not self.path.exists()
        number = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            if is_new:
                _sync_folder(self.path.parent)
            yield number
        finally:
            os.close(number)


def spool_of(folder: Path, name: str) -> Spool:
    """The spool of the journal with this name, which has no password in it."""
    return Spool(folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.jsonl")


def _whole_lines(number: int) -> int:
    """How many bytes there are up to the end of the last whole line."""
    size = os.fstat(number).st_size
    return os.pread(number, size, 0).rfind(b"\n") + 1


def _write_all(number: int, data: bytes, at: int) -> None:
    while data:
        written = os.pwrite(number, data, at)
        data, at = data[written:], at + written


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
