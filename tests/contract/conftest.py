"""What the contract tests share: this environment's Ansible, and a Docker engine on paper."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = ROOT / "collections/ansible_collections/saveit/remediation"
if str(ROOT / "collections") not in sys.path:
    sys.path.append(str(ROOT / "collections"))

# Knows the services `redis` in the state of the file `state`, `backend`, and `postgres`, whose psql answers
# what is in the file `sessions`; each call is written down.
DOCKER = """#!/bin/sh
cd "{folder}"
echo "$@" >> calls
case "$1 $2" in
  "inspect --type=container") echo '{{"Memory": 268435456, "NanoCpus": 500000000}}'; exit ;;
  stats*) echo '{{"MemUsage": "64MiB / 256MiB", "CPUPerc": "1.00%"}}'; exit ;;
  events*) exit ;;
  info*) echo 4; exit ;;
esac
case "$1" in
  ps) printf '1\\tredis\\tFalse\\n2\\tbackend\\tFalse\\n3\\tpostgres\\tFalse\\n' ;;
  inspect) shift; between='['
    for id; do printf '%s{{"Id": "%s", "Name": "/saveit-%s", "State": {{"Status": "%s"}}}}' \\
      "$between" "$id" "$id" "$([ "$id" = 1 ] && cat state || echo running)"; between=','; done; echo ']' ;;
  start | unpause | restart) echo running > state ;;
  logs) echo "2026-11-23T02:48:10Z served" ;;
  exec) case "$*" in *psql*) cat > read; cat sessions; exit ;; esac
    [ "$(cat state)" = running ] && if grep -q SET; then cat writes; else cat reads; fi ;;
esac
"""

READS = ("ps", "inspect", "logs", "exec", "stats", "events", "info")


@dataclass
class Engine:
    """A stand-in for the command `docker`."""

    folder: Path

    @property
    def command(self) -> str:
        return str(self.folder / "docker")

    @property
    def calls(self) -> list[str]:
        """The verbs that it was called with."""
        log = self.folder / "calls"
        return [line.split()[0] for line in log.read_text("utf-8").splitlines()] if log.exists() else []

    @property
    def writes(self) -> list[str]:
        return [verb for verb in self.calls if verb not in READS]


@pytest.fixture
def engine(tmp_path: Path) -> Callable[..., Engine]:
    """Makes an engine whose Redis is in the given state, and answers with these recordings."""

    def make(
        state: str = "running", reads: str = "healthy_reads", writes: str = "healthy_writes", host: str = ""
    ) -> Engine:
        folder = tmp_path / host
        folder.mkdir(exist_ok=True)
        recordings = ROOT / "tests/fixtures/redis-cli-7.0"
        for name, recording in (("reads", reads), ("writes", writes)):
            (folder / name).write_text((recordings / f"{recording}.txt").read_text("utf-8"), "utf-8")
        shutil.copy(ROOT / "tests/fixtures/postgresql-15.18/would_terminate.json", folder / "sessions")
        (folder / "state").write_text(state, "utf-8")
        (folder / "docker").write_text(DOCKER.format(folder=folder), "utf-8")
        (folder / "docker").chmod(0o755)
        return Engine(folder)

    return make


Ansible = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def ansible() -> Ansible:
    """Runs a command of the Ansible that belongs to this interpreter."""

    def run(tool: str, *arguments: str, collections: Path = ROOT / "collections") -> Any:
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_SHOW_CUSTOM_STATS": "1",
        }
        return subprocess.run(
            [str(Path(sys.executable).with_name(tool)), *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )

    return run


def custom_stats(output: str) -> dict[str, Any]:
    """What the play published, out of the end of its output."""
    text = output.split("RUN: ", 1)[1]
    published: dict[str, Any] = json.JSONDecoder().raw_decode(text)[0]
    return published


@pytest.fixture(scope="session", name="custom_stats")
def custom_stats_fixture() -> Callable[[str], dict[str, Any]]:
    return custom_stats
