"""At a terminal: it asks before it acts. And Ctrl-C or SIGTERM leaves nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab, Remediate, Watch

from tests.e2e.conftest import COMMAND, REPOSITORY


@pytest.fixture
def terminal(environment: dict[str, str]) -> Callable[..., pexpect.spawn]:
    """The command at a terminal of 100 columns."""

    def terminal(*arguments: str) -> pexpect.spawn:
        env = {**environment, "TERM": "xterm-256color"}
        return pexpect.spawn(
            COMMAND,
            list(arguments),
            cwd=REPOSITORY,
            env=env,
            dimensions=(50, 100),
            timeout=120,
            encoding="utf-8",
        )

    return terminal


@pytest.mark.parametrize("answer", ["n\r", "\r"])
def test_no_means_that_nothing_is_touched(
    lab: Lab, answer: str, terminal: Callable[..., pexpect.spawn], watch: Callable[[], Watch]
) -> None:
    lab.break_("redis-stopped")
    with watch() as seen:
        child = terminal("--incident", "redis")
        child.expect_exact("[y/N]")
        child.send(answer)
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 0
    assert "planned" in child.before
    assert seen.touched == []


@pytest.mark.long
def test_yes_means_that_the_plan_is_followed(lab: Lab, terminal: Callable[..., pexpect.spawn]) -> None:
    lab.break_("redis-stopped")
    child = terminal("--incident", "redis")
    child.expect_exact("[y/N]")
    plan = child.before
    child.send("y\r")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0, child.before
    assert "recovered" in child.before
    for word in ("Plan", "start", "low"):
        assert word in plan
    assert lab.says_pong()


def family(mark: str) -> list[str]:
    """The command lines of all processes that inherited this mark."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in environ.read_bytes():
                found.append(environ.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # gone meanwhile, or not ours
            continue
    return found


@pytest.mark.parametrize(
    ("send", "to", "moment", "done"),
    [
        (signal.SIGTERM, "process", "Diagnose", "nothing was touched"),
        (signal.SIGINT, "group", "remedy-started", "begun"),
        pytest.param(signal.SIGINT, "group", "Diagnose", "nothing was touched", marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, "process", "remedy-started", "begun", marks=pytest.mark.long),
    ],
)
def test_an_interrupted_run_leaves_no_orphan_and_a_record(
    lab: Lab, send: signal.Signals, to: str, moment: str, done: str,
    environment: dict[str, str], remediate: Remediate,
) -> None:  # fmt: skip
    lab.break_("redis-sigstop")
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [COMMAND, "--incident", "redis", "--yes"], cwd=REPOSITORY, env={**environment, "TEST_MARK": mark},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if moment in line:
            break
    (os.killpg if to == "group" else os.kill)(process.pid, send)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130, rest
    assert "interrupted" in rest
    assert family(mark) == []
    record = remediate("show", "last", "--json").report
    assert record["outcome"] == "interrupted"
    assert done in record["sentence"]
