"""The command of an action plugin, through a login shell that may print what it likes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Completed
from ansible_collections.saveit.remediation.plugins.plugin_utils._action import (
    RunAction,
    UnreachableHostError,
)

COMMAND = ["timeout", "-k", "1", "15", "printf", "%s|", "a b", "$HOME", "it's"]


class Connection:
    """Options as the connection plugin ssh has them."""

    transport = "ssh"

    def __init__(self) -> None:
        self.options: dict[str, Any] = {"host": "staging", "timeout": 10, "use_tty": True}

    def set_option(self, name: str, value: Any) -> None:
        self.options[name] = value

    def get_option(self, name: str) -> Any:
        return self.options[name]

    def get_option_and_origin(self, name: str) -> tuple[Any, str]:
        return self.options[name], "default"


Shell = Callable[[str, "bytes | None"], dict[str, Any]]


def action(shell: Shell) -> Any:
    """An action plugin whose connection leads to this shell."""
    made = RunAction.__new__(RunAction)
    made._connection = Connection()
    made._vars = {}
    made._low_level_execute_command = lambda line, in_data: shell(line, in_data)
    return made


def real(before: str = "", err_before: str = "") -> Shell:
    """/bin/sh, on a host that prints this first."""

    def shell(line: str, in_data: bytes | None) -> dict[str, Any]:
        done = subprocess.run(
            ["/bin/sh", "-c", line], input=in_data or b"typed", capture_output=True, timeout=60, check=False
        )
        return {
            "rc": done.returncode,
            "stdout": before + done.stdout.decode(),
            "stderr": err_before + done.stderr.decode(),
        }

    return shell


@pytest.mark.parametrize("before", ["", "Welcome!\n", "no end of line", "a\r\nb\n\n"])
def test_only_the_command_itself_is_heard(before: str) -> None:
    assert action(real(before, before))._execute(COMMAND, "") == Completed(0, "a b|$HOME|it's|", "")


def test_both_streams_and_the_exit_code_are_those_of_the_command() -> None:
    command = ["sh", "-c", "echo out; echo err >&2; exit 3"]
    assert action(real("x", "y"))._execute(command, "") == Completed(3, "out\n", "err\n")


def test_standard_input_is_what_was_given_or_empty() -> None:
    assert action(real())._execute(["cat"], "a secret").stdout == "a secret"
    assert action(real())._execute(["cat"], "").stdout == ""


def test_a_terminal_would_mix_the_streams() -> None:
    ran = action(real())
    ran._execute(["true"], "")
    assert ran._connection.options["use_tty"] is False


def test_a_shell_that_runs_nothing_is_a_host_that_is_not_reached() -> None:
    nologin = action(lambda _line, _stdin: {"rc": 1, "stdout": "Not available.\n", "stderr": ""})
    with pytest.raises(UnreachableHostError, match=r"ran no command: it said 'Not available\.' and ended"):
        nologin._execute(["true"], "")


def test_a_connection_that_fails_is_told_in_our_words() -> None:
    def refuse(_line: str, _stdin: bytes | None) -> dict[str, Any]:
        raise AnsibleConnectionFailure(
            "Failed to connect to the host via ssh: ssh: connect to host staging port 22: Connection refused"
        )

    with pytest.raises(UnreachableHostError, match=r"^ssh to staging: Connection refused: nothing listens"):
        action(refuse)._execute(["true"], "")


def test_the_mark_is_another_one_each_time() -> None:
    """So that no output of an earlier command, in a log for instance, is taken for it."""
    lines: list[str] = []

    def shell(line: str, stdin: bytes | None) -> dict[str, Any]:
        lines.append(line)
        return real()(line, stdin)

    ran = action(shell)
    ran._execute(["true"], "")
    ran._execute(["true"], "")
    marks = [re.findall(r"echo (\w+)", line) for line in lines]
    assert marks[0] != marks[1]


def test_a_command_has_its_own_limit_and_the_time_to_connect() -> None:
    assert action(real())._limit(COMMAND) == 10 + 15 + 10
