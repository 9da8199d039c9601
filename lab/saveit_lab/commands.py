"""Run a command, bounded in time, by argument list."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from saveit_lab.errors import LabError


@dataclass(frozen=True)
class Finished:
    """What a command said and how it ended; a command that ran out of time ended with 124."""

    argv: tuple[str, ...]
    status: int
    output: str
    errors: str

    @property
    def ok(self) -> bool:
        return self.status == 0

    @property
    def complaint(self) -> str:
        """The last line that the command wrote: the one that says what went wrong."""
        lines = (self.errors.strip() or self.output.strip()).splitlines()
        return lines[-1].strip() if lines else f"exit status {self.status}"


def look(*argv: str, timeout: float = 30, env: Mapping[str, str] | None = None) -> Finished:
    """Run a command whose failure is an answer too."""
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Finished(argv, 124, "", f"no answer within {timeout:g} s")
    except OSError as error:
        return Finished(argv, 127, "", str(error.strerror or error))
    return Finished(argv, done.returncode, done.stdout, done.stderr)


def act(
    attempt: str,
    *argv: str,
    timeout: float = 120,
    env: Mapping[str, str] | None = None,
    advice: str = "",
) -> Finished:
    """Run a command that has to work; `attempt` completes the sentence "cannot ..."."""
    done = look(*argv, timeout=timeout, env=env)
    if not done.ok:
        suffix = f"; {advice}" if advice else ""
        raise LabError(f"cannot {attempt}: {' '.join(argv[:3])}: {done.complaint}{suffix}")
    return done
