"""The lab for tests that need the real stack. Without an engine they are skipped, with the reason."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

LAB = Path(__file__).resolve().parents[2] / "lab"
sys.path.insert(0, str(LAB))  # for its polling and its probes


@dataclass
class Lab:
    """`lab/lab` and the docker that it uses."""

    profile: str = "deployed"
    env: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._call(str(LAB / "lab"), *arguments)

    def docker(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._call("docker", *arguments)

    def up(self, profile: str = "deployed") -> None:
        done = self.run("up", "--profile", profile)
        assert done.returncode == 0, done.stderr
        self.profile = profile

    def _call(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            env={**os.environ, **self.env},
            timeout=280,
            check=False,
        )


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab, up and healthy, profile `deployed`; healthy again afterwards."""
    lab = Lab()
    engine = lab.run("engine", "start")
    if engine.returncode != 0:
        pytest.skip(f"no docker engine can be had: {engine.stderr.strip()}")
    lab.up()
    yield lab
    lab.up()
