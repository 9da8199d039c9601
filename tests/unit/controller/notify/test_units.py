"""The systemd units run what they say, and systemd takes them where it is installed."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from saveit_remediate.cli.command import cli

UNITS = Path(__file__).resolve().parents[4] / "systemd"


def test_the_timer_runs_a_command_that_exists_every_minute() -> None:
    service, timer = (configparser.ConfigParser(strict=False) for _ in range(2))
    for parser in (service, timer):
        parser.optionxform = str  # type: ignore[assignment,method-assign]  # as its documentation says
    service.read(UNITS / "saveit-remediate-escalate.service")
    timer.read(UNITS / "saveit-remediate-escalate.timer")
    program, name, *options = shlex.split(service["Service"]["ExecStart"])
    context = cli.commands[name].make_context(name, list(options))
    assert (Path(program).name, context.params["seconds"]) == ("saveit-remediate", 40)
    assert (timer["Timer"]["OnCalendar"], service["Service"]["Type"]) == ("minutely", "oneshot")


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed here")
    for unit in UNITS.iterdir():  # with a program that is there
        text = unit.read_text().replace("/usr/local/bin/saveit-remediate", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    units = [str(path) for path in tmp_path.iterdir()]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    about_ours = [line for line in done.stderr.splitlines() if "saveit" in line]
    assert (done.returncode, about_ours) == (0, [])
