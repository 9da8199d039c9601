"""The lab and the command, as an operator has them.

`PROFILES` and `ROUNDS` say how thoroughly to try, `INVENTORY` how the lab is reached (inventories/lab-ssh).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = str(Path(sys.executable).with_name("saveit-remediate"))
PROFILES = os.environ.get("PROFILES", "deployed").split()
INVENTORY = os.environ.get("INVENTORY", "")

# What the engine says when a container is not what it was. Not in it: exec_* and health_status, which the
# health checks of the stack cause all the time.
STATE_EVENTS = {
    "create", "destroy", "die", "kill", "oom", "pause", "rename", "restart", "start", "stop", "unpause",
    "update",
}  # fmt: skip


@dataclass(frozen=True)
class Lab:
    """`lab/lab`, and the engine that it uses."""

    profile: str

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(REPOSITORY / "lab" / "lab"), *arguments],
            capture_output=True, text=True, timeout=280, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"lab {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return done.stdout

    def break_(self, fault: str) -> None:
        """With everything else healthy."""
        self.run("repair")
        self.run("break", fault)

    def says_pong(self) -> bool:
        ping = ["docker", "exec", "saveit-redis", "redis-cli", "ping"]
        return subprocess.run(ping, capture_output=True, text=True, check=False).stdout == "PONG\n"

    def is_healthy(self) -> bool:
        return bool(json.loads(self.run("status", "--json"))["healthy"])


@pytest.fixture(scope="session", params=PROFILES)
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The lab with one profile, brought up unless it is, and healthy again afterwards."""
    lab = Lab(request.param)
    lab.run("up", "--profile", lab.profile)
    if Path(INVENTORY).name == "lab-ssh":
        lab.run("ssh", "up")
    yield lab
    lab.run("repair")


@pytest.fixture
def healthy(lab: Lab) -> Lab:
    lab.run("repair")
    return lab


class Watch:
    """The engine's own event stream, for a while: `touched` is every change of a container of the lab."""

    def __enter__(self) -> Watch:
        self.since = time.time()
        return self

    def __exit__(self, *_error: object) -> None:
        # Both times are given, so the engine reads its log and ends; nothing is waited for.
        command = [
            "docker", "events", "--since", f"{self.since:.9f}", "--until", f"{time.time():.9f}",
            "--filter", "type=container", "--filter", "label=com.docker.compose.project=saveit",
            "--format", "{{json .}}",
        ]  # fmt: skip
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        events = [json.loads(line) for line in said.splitlines()]
        self.touched = [
            f"{event['Action']} {event['Actor']['Attributes']['name']}"
            for event in events
            if event["Action"].partition(":")[0] in STATE_EVENTS
        ]


@pytest.fixture
def watch() -> Callable[[], Watch]:
    return Watch


@dataclass(frozen=True)
class Done:
    code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict[str, Any]:
        assert self.stdout, f"exit {self.code}: {self.stderr}"
        report: dict[str, Any] = json.loads(self.stdout)
        return report


Remediate = Callable[..., Done]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of the command: a journal of its own, nothing of the person who runs the tests."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("SAVEIT_", "ANSIBLE_"))
    }
    if INVENTORY:
        clean["SAVEIT_INVENTORY"] = str(REPOSITORY / INVENTORY)
    return {**clean, "XDG_STATE_HOME": str(tmp_path / "state"), "COLUMNS": "100"}


@pytest.fixture
def remediate(environment: dict[str, str]) -> Remediate:
    """`saveit-remediate` in this clone, without a terminal."""

    def remediate(*arguments: str, env: Mapping[str, str] | None = None) -> Done:
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=REPOSITORY, env={**environment, **(env or {})}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=280, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr  # what a service logged may be on stdout
        return Done(done.returncode, done.stdout, done.stderr)

    return remediate


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of `make faults`."""
    rows = [
        dict(report.user_properties)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call" and report.user_properties
    ]
    rows = [row for row in rows if "fault" in row]
    if not rows:
        return
    terminalreporter.section("faults")
    columns = ("profile", "fault", "outcome", "found as", "remedy that helped", "seconds")
    table = [columns, *(tuple(str(row.get(column, "")) for column in columns) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(columns))]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        terminalreporter.write_line("  ".join(cells).rstrip())
