"""What the tests of the collection share: a carrier that plays a conversation, and a clock of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
if str(ROOT / "collections") not in sys.path:
    sys.path.append(str(ROOT / "collections"))

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import (  # noqa: E402
    Carrier,
    Completed,
)

PS_COLUMNS = '{{.ID}}\t{{.Label "com.docker.compose.service"}}\t{{.Label "com.docker.compose.oneoff"}}'


@dataclass
class Clock:
    """Time passes only when somebody sleeps."""

    time: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@dataclass
class Conversation:
    """The whole conversation expected: commands, and what is answered. Any other command fails the test."""

    turns: list[tuple[list[str], Completed]] = field(default_factory=list)
    stdin: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)

    def expect(self, command: Sequence[str], stdout: str = "", stderr: str = "", rc: int = 0) -> Conversation:
        self.turns.append((list(command), Completed(rc, stdout, stderr)))
        return self

    def expect_look(self, ids: Mapping[str, str], inspected: str, of: str = "redis") -> Conversation:
        """The two commands that find a service: `ids` has the service's name by the container's id."""
        self.expect_list(ids)
        return self.expect(
            ["docker", "inspect", *(id_ for id_, name in ids.items() if name == of)], inspected
        )

    def expect_list(self, ids: Mapping[str, str]) -> Conversation:
        """The command that lists the project; the only one when the service is not in it."""
        listed = "".join(f"{id_}\t{name}\tFalse\n" for id_, name in ids.items())
        label = "--filter=label=com.docker.compose.project=saveit"
        return self.expect(["docker", "ps", "--all", "--no-trunc", label, f"--format={PS_COLUMNS}"], listed)

    def carrier(self, check_mode: bool = False) -> Carrier:
        return Carrier(self._execute, self.clock.now, self.clock.sleep, check_mode)

    def _execute(self, command: Sequence[str], stdin: str) -> Completed:
        assert command[:3] == ["timeout", "-k", "1"], "every command has a time limit"
        assert self.turns, f"not expected: {command}"
        expected, completed = self.turns.pop(0)
        assert list(command[4:]) == expected
        self.limits.append(command[3])
        self.stdin.append(stdin)
        return completed


@pytest.fixture
def conversation() -> Any:
    """A conversation that has to be held to its end."""
    held = Conversation()
    yield held
    assert not held.turns, f"expected and did not come: {[command for command, _answer in held.turns]}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def fixtures() -> Path:
    return ROOT / "tests" / "fixtures"
