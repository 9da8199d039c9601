"""Whatever an operator gets wrong: one sentence, the exit code of the table, nothing touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab, Remediate, Watch

HOST = """\
all:
  hosts:
    there:
      ansible_connection: local
      ansible_python_interpreter: "{{ ansible_playbook_python }}"
      backend_url: http://127.0.0.1:8000
"""
COMPOSE = HOST + "      platform: compose\n      compose_project: saveit\n"


@dataclass(frozen=True)
class Row:
    """`inventory` is the text of one; `arguments` come after `--incident redis`, unless they have one."""

    name: str
    code: int
    says: str
    arguments: tuple[str, ...] = ()
    inventory: str | None = None
    env: dict[str, str] = field(default_factory=dict)


ROWS = (
    Row("unknown-incident", 2, "did you mean 'redis'?", ("--incident", "redsi")),
    Row("bad-severity", 2, "sev9", ("--severity", "sev9")),
    Row("unknown-option", 2, "--yess", ("--yess",)),
    Row("empty-limit", 2, "--limit is empty", ("--limit", "")),
    Row("limit-matches-no-host", 2, "matches no host", ("--limit", "nowhere")),
    Row("unknown-variable", 2, "did you mean 'redis_password'?", ("-e", "redis_pasword=x")),
    Row("mistyped-variable", 2, "redis_port", ("-e", "redis_port=many")),
    Row("variable-without-value", 2, "NAME=VALUE", ("-e", "redis_port")),
    Row("missing-inventory", 2, "from option --inventory", ("-i", "/nowhere/hosts.yml")),
    Row("inventory-by-variable", 2, "SAVEIT_INVENTORY", env={"SAVEIT_INVENTORY": "/nowhere/hosts.yml"}),
    Row("empty-inventory", 2, "hosts.yml", inventory=""),
    Row("inventory-is-not-yaml", 2, "hosts.yml", inventory="all: {hosts: [unclosed\n"),
    Row("inventory-without-hosts", 2, "no hosts", inventory="all:\n  hosts: {}\n"),
    Row("inventory-without-platform", 2, "platform", inventory=HOST),
    Row("unknown-platform", 4, "platform must be one of", inventory=HOST + "      platform: mainframe\n"),
    Row("bad-timeout", 2, "SAVEIT_TIMEOUT", env={"SAVEIT_TIMEOUT": "soon"}),
    Row("unwritable-journal", 2, "SAVEIT_JOURNAL", env={"SAVEIT_JOURNAL": "/proc/none/journal.db"}),
    Row("no-such-project", 4, "nope", inventory=COMPOSE.replace("project: saveit", "project: nope")),
    Row("no-such-service", 4, "nope", ("-e", "redis_service=nope")),
    Row("no-engine", 5, "Docker", env={"DOCKER_HOST": "unix:///nowhere/docker.sock"}),
    Row("no-docker", 5, "nowhere/docker", inventory=COMPOSE + "      docker_command: [/nowhere/docker]\n"),
    Row(
        "unreachable-host", 5, "cannot reach there",
        inventory=COMPOSE.replace("connection: local", "host: 127.0.0.1\n      ansible_port: 1"),
    ),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_bad_input_is_a_sentence_and_touches_nothing(
    lab: Lab, row: Row, tmp_path: Path, remediate: Remediate, watch: Callable[[], Watch]
) -> None:
    arguments = row.arguments
    if "--incident" not in arguments:
        arguments = ("--incident", "redis", *arguments)
    if row.inventory is not None:
        inventory = tmp_path / "hosts.yml"
        inventory.write_text(row.inventory)
        arguments = (*arguments, "-i", str(inventory))
    with watch() as seen:
        done = remediate(*arguments, "--yes", env=row.env)
    assert done.code == row.code, done.stdout + done.stderr
    assert seen.touched == []
    said = done.stderr if row.code == 2 else done.stdout
    assert row.says in said
    if row.code == 2:
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith("saveit-remediate: ")
    else:
        outcome = {4: "refused: ", 5: "unreachable: "}[row.code]
        assert any(line.startswith(outcome) for line in said.splitlines())


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root to become nobody")
def test_a_forbidden_docker_socket_is_said(
    lab: Lab, tmp_path: Path, remediate: Remediate, watch: Callable[[], Watch]
) -> None:
    inventory = tmp_path / "hosts.yml"
    nobody = "[setpriv, --reuid=65534, --regid=65534, --clear-groups, docker]"
    inventory.write_text(f"{COMPOSE}      docker_command: {nobody}\n")
    with watch() as seen:
        done = remediate("--incident", "redis", "--yes", "-i", str(inventory))
    assert done.code == 5
    assert "permission denied" in done.stdout.lower()
    assert seen.touched == []
