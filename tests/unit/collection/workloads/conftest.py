"""A cluster in memory for logic that is not pure: objects, what was written, and what happens afterwards."""

from __future__ import annotations

import builtins
import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import ApiError
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_revision import HASH

from .recorded import moment, state

PLURALS = {"deployment": "deployments", "statefulset": "statefulsets"}


@dataclass
class FakeCluster:
    """What Cluster has of it; `after` is called with the plural and the body of each write."""

    objects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    name: str = "the cluster test (namespace rec)"
    namespace: str = "rec"
    writes: list[tuple[str, str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    after: Callable[[str, Any], None] | None = None
    tick: Callable[[], None] | None = None
    refusals: list[Exception] = field(default_factory=list)
    logs: dict[tuple[str, bool], str] = field(default_factory=dict)
    answers: list[Completed] = field(default_factory=list)
    commands: list[list[str]] = field(default_factory=list)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        self.asked.append(f"get {kind}/{name}")
        if self.tick:
            self.tick()
        return copy.deepcopy(next(each for each in self.objects[kind] if each["metadata"]["name"] == name))

    def list(self, kind: str, label_selector: str = "", **_more: Any) -> builtins.list[dict[str, Any]]:
        self.asked.append(f"list {kind}")
        wanted = [part.split("=") for part in label_selector.split(",") if part]
        return [
            copy.deepcopy(each)
            for each in self.objects.get(kind, [])
            if all(each["metadata"].get("labels", {}).get(key) == value for key, value in wanted)
        ]

    def patch(self, kind: str, name: str, body: Any, **_more: Any) -> dict[str, Any]:
        self.writes.append((f"patch {kind}", name, body))
        if self.refusals:
            raise self.refusals.pop(0)
        if self.after:
            self.after(kind, body)
        return {}

    def create(self, kind: str, body: Any, name: str = "", subresource: str = "") -> dict[str, Any]:
        self.writes.append((f"create {kind}/{subresource}", name, body))
        if self.refusals:
            raise self.refusals.pop(0)
        return {}

    def log(self, pod: str, container: str = "", previous: bool = False, **_how: Any) -> str:
        self.asked.append(f"log {pod}/{container}{' previous' if previous else ''}")
        if (pod, previous) not in self.logs:
            raise ApiError("waiting to start", 400, {"reason": "BadRequest"})
        return self.logs[pod, previous]

    def execute(
        self, pod: str, container: str, command: builtins.list[str], stdin: str, timeout: float
    ) -> Completed:
        assert timeout > 0, stdin
        self.commands.append([pod, container, *command])
        return self.answers.pop(0)


@dataclass
class Scene:
    """A recorded state in a cluster, at the time when it was recorded."""

    cluster: FakeCluster
    clock: Any
    parameters: dict[str, Any]

    def carrier(self, check_mode: bool = False) -> Carrier:
        def nothing(_command: Any, _stdin: str) -> Completed:
            raise AssertionError("no command runs on the host")

        return Carrier(
            nothing,
            self.clock.now,
            self.clock.sleep,
            check_mode,
            cluster=lambda _parameters: cast(Any, self.cluster),
        )


@pytest.fixture
def scene(clock: Any) -> Callable[..., Scene]:
    """Makes a scene of a recorded state; keywords are parameters."""

    def make(name: str, later: float = 0.0, **parameters: Any) -> Scene:
        objects = state(name)
        clock.time = moment(objects) + later
        lists = {
            PLURALS.get(kind, kind): found if isinstance(found, list) else [found]
            for kind, found in objects.items()
        }
        lists["poddisruptionbudgets"] = lists.pop("pdb", [])
        lists["horizontalpodautoscalers"] = lists.pop("hpa", [])
        given = {"platform": "kubernetes", "service_names": {"backend": "saveit-backend"}, "not_before": 0}
        return Scene(FakeCluster(lists), clock, {**given, "service": "backend", **parameters})

    return make


def conflict() -> ApiError:
    return ApiError("cannot change deployments/saveit-backend: 409", 409, {"reason": "Conflict"})


def template_hash(thing: Mapping[str, Any]) -> str:
    labels: Mapping[str, str] = thing["metadata"]["labels"]
    return labels[HASH]
