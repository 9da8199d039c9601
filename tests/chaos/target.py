"""What chaos is done to: a target with faults, and what happened to it, as it tells itself."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saveit_remediate.run.processes import descendants

REPOSITORY = Path(__file__).resolve().parents[2]
DIES = str(Path(__file__).with_name("dies.py"))
LONGEST = 280  # seconds for one command
FOREIGN = ("SAVEIT_", "ANSIBLE_", "KUBE")


@dataclass(frozen=True)
class Case:
    """A fault that one remedy mends: the incident type, and what the command is told beside it."""

    incident: str
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    code: int
    stdout: str
    stderr: str

    @property
    def outcome(self) -> str:
        return str(self.report.get("outcome"))

    @property
    def report(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.stdout)
        except ValueError:
            return {"sentence": self.stderr}
        return found


class Target:
    """A place with services. `touched` counts every change of them since they were broken."""

    name: str
    cases: dict[str, Case]
    plain: str  # the case for what needs only one, and quickly
    cycled: str  # one whose remedy can be done twice, as a restart
    inventory: Path
    folder: Path

    def break_(self, name: str) -> None:
        """Everything healthy but for one fault."""
        raise NotImplementedError

    def heal(self) -> None:
        """Everything healthy."""
        raise NotImplementedError

    def forget(self) -> None:
        """As if nothing had been tried; what is touched is counted from now on."""
        raise NotImplementedError

    def limit(self, times: int) -> int:
        """Allow so few attempts an hour; how many are allowed, where the site cannot say."""
        raise NotImplementedError

    def touched(self) -> Counter[str]:
        raise NotImplementedError

    def leases(self) -> list[str]:
        """Who is at work, by the interlock on the target."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to do."""

    def start(self, *arguments: str, state: str = "state", dies: str = "") -> subprocess.Popen[str]:
        """The command; `dies` is as "after 3": it kills itself so, when it writes its third event.

        The file `below` has the processes that it had started then.
        """
        clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        program = [DIES, *dies.split(), str(self.folder / "below")] if dies else ["-m", "saveit_remediate"]
        return subprocess.Popen(
            [sys.executable, *program, *arguments],
            cwd=REPOSITORY, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={
                **clean, "SAVEIT_INVENTORY": str(self.inventory), "XDG_STATE_HOME": str(self.folder / state),
                "COLUMNS": "100",
            },
        )  # fmt: skip

    def run(self, *arguments: str, state: str = "state") -> Done:
        return ended(self.start(*arguments, state=state))

    def remediate(self, case: Case) -> list[str]:
        """The arguments."""
        return ["--incident", case.incident, "--yes", "--json", *case.more]


def ended(process: subprocess.Popen[str]) -> Done:
    """Wait for the command. No traceback, whatever happened to it."""
    out, err = process.communicate(timeout=LONGEST)
    assert "Traceback" not in err, err
    return Done(process.returncode, out, err)


def kill(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def victims(process: subprocess.Popen[str], who: str) -> list[int]:
    """Whom to kill; nobody where there is none yet.

    The keeper is the controller's child, and Ansible the keeper's.
    """
    below = descendants(process.pid)
    chosen = {
        "controller": [process.pid],
        "keeper": below[:1],
        "ansible": below[1:2],
        "module": below[2:][-1:],
        "all": [process.pid, *below],
    }
    return chosen[who]


def is_over(pid: int, seconds: float = 10) -> bool:
    """Does the process end in time?"""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(descriptor) as process:
        return bool(select.select([process], [], [], seconds)[0])
