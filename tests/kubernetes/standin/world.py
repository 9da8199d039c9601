"""All that a running stand-in has: the store, and what is not an object in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from standin.access import Access
from standin.clock import Clock
from standin.kinds import Json
from standin.requests import Request
from standin.store import Store


@dataclass
class Run:
    """One life of a container: what it wrote, with the time of each line."""

    lines: list[tuple[datetime, str]] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.lines.append((datetime.now(UTC), text))


@dataclass(frozen=True)
class Usage:
    """Of one container: cores and bytes."""

    cpu: float = 0.001
    memory: int = 640 * 1024


@dataclass(frozen=True)
class Executed:
    """How a command in a container ended. `stays`: it never ends by itself."""

    rc: int = 0
    stdout: str = ""
    stderr: str = ""
    stays: bool = False


Answer = Callable[[Json, Sequence[str], str], "Executed | None"]  # pod, command, stdin


@dataclass
class World:
    store: Store
    access: Access
    clock: Clock
    requests: list[Request] = field(default_factory=list)
    runs: dict[tuple[str, str], list[Run]] = field(default_factory=dict)  # by uid of the pod and container
    usage: dict[str, Usage] = field(default_factory=dict)  # by the label app.kubernetes.io/name
    answers: list[Answer] = field(default_factory=list)  # of commands in containers
    missing_groups: set[str] = field(default_factory=set)
    issuance: str = "works"  # what the issuer of certificates does: works, fails, hangs
    files: dict[str, set[str]] = field(default_factory=dict)  # in the containers of a pod, by its uid
    # What the servers in containers were told, by the uid of the pod and the number of their restarts.
    inside: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    lost_nodes: set[str] = field(default_factory=set)  # whose kubelet says nothing any more
    # When a deployment last made progress, in seconds of the cluster: its conditions say only whole seconds.
    progress: dict[str, float] = field(default_factory=dict)
    stopped: bool = False


def new_world(factor: float = 1.0) -> World:
    store = Store()
    return World(store, Access(store), Clock(factor))
