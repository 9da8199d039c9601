"""`saveit-remediate` on the cluster of a test, as an operator has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]
COMMAND = str(Path(sys.executable).with_name("saveit-remediate"))
SERVICE_NAMES = {
    "backend": "saveit-backend",
    "frontend": "saveit-frontend",
    "redis": "redis-master",
    "postgres": "saveit-postgres",
    "mosquitto": "saveit-mosquitto",
}


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


def write_inventory(path: Path, variables: Mapping[str, Any], **others: Mapping[str, Any]) -> None:
    """One host, the cluster, and `others` by their names."""
    write_hosts(path, {"cluster": variables, **others})


def write_hosts(path: Path, hosts: Mapping[str, Mapping[str, Any]]) -> None:
    """Several clusters, each a host; JSON is YAML."""
    common = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "platform": "kubernetes",
    }
    path.write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}, indent=1))


def run(
    inventory: Path, state: Path, arguments: tuple[str, ...], env: Mapping[str, str], timeout: float = 280
) -> Done:
    """Without a terminal, with a journal of its own and nothing of the person who runs the tests."""
    foreign = ("SAVEIT_", "ANSIBLE_", "KUBE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    done = subprocess.run(
        [COMMAND, *arguments],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={
            **clean,
            "SAVEIT_INVENTORY": str(inventory),
            "XDG_STATE_HOME": str(state),
            "COLUMNS": "100",
            **env,
        },
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)
