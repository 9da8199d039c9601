"""What containers, logs and servers are called or say is text: no template, no shell, no path, no escape."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.once

DOCKER = """#!/bin/sh
cd "{folder}"
case "$1" in
  ps) printf '1\\tredis\\tFalse\\n2\\tbackend\\tFalse\\n' ;;
  inspect) cat inspected ;;
  logs) cat log ;;
  info) echo 4 ;;
  start) cat said >&2; exit 1 ;;
  *) exit 1 ;;
esac
"""
STEERING = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u2066\u200b\x9b31m\r"


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command on a host where everything is called by templates and shell lines that make a file."""
    touch = tmp_path / "evaluated"
    lookup = f"{{{{ lookup('pipe', 'touch {touch}') }}}}"
    evil = f"{lookup}{{% set x = 1 %}}$(touch {touch})`touch {touch}`;{STEERING}"
    state = {"Status": "exited", "ExitCode": 1, "Error": f"state {evil}"}
    container = {"Id": "1", "Name": f"/name {evil}", "State": state}
    (tmp_path / "inspected").write_text(json.dumps([container]))
    (tmp_path / "log").write_text(
        f"2026-11-23T02:48:10Z ERROR redis failed: log {evil}\n", "utf-8", newline=""
    )
    (tmp_path / "said").write_text(f"Error: engine {evil}", "utf-8", newline="")
    (tmp_path / "docker").write_text(DOCKER.format(folder=tmp_path))
    (tmp_path / "docker").chmod(0o755)
    host = {
        "ansible_connection": "local", "ansible_python_interpreter": sys.executable, "platform": "compose",
        "docker_command": [str(tmp_path / "docker")], "interlock_folder": str(tmp_path / "interlock"),
        "ladder_hold_seconds": 0,
    }  # fmt: skip
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"staging": host}}}))
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("SAVEIT_", "ANSIBLE_"))
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "saveit_remediate", *arguments],
            cwd=tmp_path, capture_output=True, text=True,
            env={**clean, "HOME": str(tmp_path), "SAVEIT_INVENTORY": str(tmp_path / "hosts.yml")},
            stdin=subprocess.DEVNULL, timeout=120, check=False,
        )  # fmt: skip
        assert not touch.exists(), "it was evaluated"
        said = done.stdout + done.stderr
        assert {each for each in said if unicodedata.category(each) in ("Cc", "Cf")} <= {"\n", "\t"}
        return done

    return run


def test_what_others_are_called_and_say_is_never_evaluated(command: Callable[..., Any]) -> None:
    reason = "{{ lookup('pipe', 'touch evaluated') }}{% if %}"
    done = command("--incident", "redis", "--yes", "--break-lease", reason)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "{{ lookup('pipe', 'touch " in done.stdout
    shown = command("show", "last")
    for place in ("state ", "engine "):
        assert f"{place}{{{{ lookup('pipe', 'touch " in shown.stdout
    recorded = json.loads(command("show", "last", "--json").stdout)
    assert [event["payload"]["break_lease"] for event in recorded["events"][:1]] == [reason]


def test_of_logs_too(command: Callable[..., Any]) -> None:
    assert "log {{ lookup('pipe', 'touch " in command("errors", "--since", "1d").stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "../../etc/passwd"), 2),
        (("show", f"x{STEERING}"), 2),
        (("resume", "../../etc/passwd"), 2),
        (("runbooks", "../../../tasks"), 2),
        (("--incident", "../redis"), 2),
        (("--incident", f"redis{STEERING}"), 2),
        (("-i", f"no\n{STEERING}hosts.yml", "--incident", "redis"), 2),
        (("--incident", "redis", "-l", "{{ lookup('pipe', 'touch evaluated') }}"), 2),
        (("--incident", "redis", "-e", f"{STEERING}=1"), 2),
        (("journal", "import", f"../{STEERING}"), 2),
    ],
)
def test_what_a_person_or_an_alert_names_is_a_name(
    command: Callable[..., Any], arguments: tuple[str, ...], code: int
) -> None:
    done = command(*arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1
