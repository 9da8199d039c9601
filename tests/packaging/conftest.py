"""What is built from this tree, once for all the tests of packaging."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

Run = Callable[..., subprocess.CompletedProcess[str]]
Ansible = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a command with an environment in which nothing of this tree or this person is set."""

    def run(
        *command: str | Path, cwd: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ANSIBLE_", "SAVEIT_", "PYTHON", "VIRTUAL_ENV"))
        }
        return subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env={**clean, **(env or {})},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return run


@pytest.fixture(scope="session")
def dist(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    built = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, REPOSITORY, cwd=folder)
    assert built.returncode == 0, built.stderr + built.stdout
    return folder


@pytest.fixture(scope="session")
def installed(run: Run, dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that was empty, and in which the wheel was installed."""
    environment = tmp_path_factory.mktemp("environment")
    wheel = next(dist.glob("*.whl"))
    for command in (
        (sys.executable, "-m", "venv", environment),
        (environment / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", wheel),
    ):
        done = run(*command, cwd=environment)
        assert done.returncode == 0, done.stderr
    return environment / "bin"


@pytest.fixture(scope="session")
def ansible(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    """`ansible-X` as `ansible("X", …)`, in a Python to which the editable install of this tree is unknown."""
    folder = tmp_path_factory.mktemp("ansible-only")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    libraries = {"PYTHONPATH": str(Path(pytest.__file__).parents[1])}  # without its .pth files
    for unknown in ("saveit_remediate", "ansible_collections.saveit"):
        assert run(python, "-c", f"import {unknown}", cwd=folder, env=libraries).returncode == 1, unknown

    def ansible(
        name: str, *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        module = f"ansible.cli.{name}"
        return run(python, "-m", module, *arguments, cwd=cwd, env={**libraries, **(env or {})})

    return ansible
