"""The docker command."""

from __future__ import annotations

import json
import shutil
from typing import Any

from saveit_lab.commands import Finished, act, look
from saveit_lab.errors import LabError

PROJECT = "saveit"


def installed() -> bool:
    return shutil.which("docker") is not None


def docker(*arguments: str, timeout: float = 30) -> Finished:
    """Ask docker something; a refusal is an answer."""
    return look("docker", *arguments, timeout=timeout)


def must(attempt: str, *arguments: str, timeout: float = 60) -> Finished:
    """Have docker do something that has to work."""
    return act(attempt, "docker", *arguments, timeout=timeout)


def remove(*containers: str) -> None:
    """Remove these containers, whatever state they are in; absent ones are no trouble.

    One after the other: docker 20.10 hangs for good, now and then, when several leave a network at once.
    """
    if containers:
        docker("unpause", *containers)  # a paused one cannot be removed
    for name in containers:
        gone = docker("container", "rm", "-f", name, timeout=60)
        if not gone.ok and "No such container" not in gone.errors:
            raise LabError(f"cannot remove the container {name}: {gone.complaint}")


def container(service: str) -> str:
    return f"{PROJECT}-{service}"


def execute(service: str, *command: str, timeout: float = 10) -> Finished:
    """Run a command in a service's container."""
    return docker("exec", container(service), *command, timeout=timeout)


def inspect(*services: str) -> dict[str, dict[str, Any]]:
    """What docker knows about the containers of these services; absent ones are left out."""
    answer = docker("inspect", "--type", "container", *(container(name) for name in services))
    if not answer.ok and "No such" not in answer.errors:
        raise LabError(f"cannot look at the containers of {PROJECT}: {answer.complaint}")
    found = json.loads(answer.output or "[]")
    return {each["Name"].lstrip("/").removeprefix(f"{PROJECT}-"): each for each in found}


def state(service: str) -> str:
    """`running`, `paused`, `exited`, ... or `absent`."""
    found: dict[str, Any] | None = inspect(service).get(service)
    return str(found["State"]["Status"]) if found else "absent"
