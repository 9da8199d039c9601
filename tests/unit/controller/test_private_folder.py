"""The private folder of a run: nobody else reads it, and it goes, also after a kill."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from saveit_remediate.run.private import clear, private_folder

DIES = """
import os, signal, sys
from saveit_remediate.run.private import private_folder
with private_folder() as folder:
    (folder / "env").mkdir()
    (folder / "env" / "extravars").write_text("a secret")
    print(folder, flush=True)
    if sys.argv[1:]:
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
"""
LATER = 3600.0


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def start(base: Path, *dies: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", DIES, *dies], env={**os.environ, "TMPDIR": str(base)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def test_it_is_for_us_alone_and_goes_with_the_run(base: Path) -> None:
    with private_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.parent == base
    assert list(base.iterdir()) == []


def test_what_a_killed_controller_left_is_cleared_and_what_a_living_one_uses_is_not(base: Path) -> None:
    killed, alive = start(base, "dies"), start(base)
    assert killed.stdout
    assert alive.stdout
    left, used = Path(killed.stdout.readline().strip()), Path(alive.stdout.readline().strip())
    assert killed.wait(20) == -signal.SIGKILL
    assert (left / "env/extravars").read_text() == "a secret"
    clear(base, time.time() + LATER)
    assert not left.exists()
    assert (used / "env/extravars").exists()
    alive.communicate()
    assert not used.exists()


def test_only_what_is_ours_is_cleared(base: Path) -> None:
    elsewhere = base / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("")
    (base / "saveit-remediate.link").symlink_to(elsewhere)
    (base / "saveit-remediate.file").write_text("")
    (base / "saveit-remediate.young").mkdir()
    clear(base, time.time())
    assert {each.name for each in base.iterdir()} == {
        "elsewhere", "saveit-remediate.link", "saveit-remediate.file", "saveit-remediate.young"
    }  # fmt: skip
    clear(base, time.time() + LATER)
    assert not (base / "saveit-remediate.young").exists()
    assert (elsewhere / "kept").exists()
