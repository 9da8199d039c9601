"""Modules that are answered anything by a Docker engine, a shell or the API of a cluster."""

from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.saveit.remediation.plugins.module_utils._attempt import attempt
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import Cluster
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import Access, Answer
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
READS = {"ps", "inspect", "logs", "exec", "stats", "events", "info", "version", "compose", "config"}
DOCUMENTS = [
    json.loads(path.read_text("utf-8"))
    for folder in ("docker-20.10-compose-2.40", "postgresql-15.18")
    for path in sorted((FIXTURES / folder).glob("*.json"))
]
TEXTS = [path.read_text("utf-8") for path in sorted(FIXTURES.glob("*/*.txt"))]
STATES = [
    [
        each
        for value in json.loads(path.read_text("utf-8"))["objects"].values()
        for each in (value if isinstance(value, list) else [value])
    ]
    for path in sorted((FIXTURES / "kubernetes-1.36/states").glob("*.json"))
]
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=12),
    st.sampled_from(["", "NaN", "-1", "1e999", "0001-01-01T00:00:00Z", "9999-99-99", "\0", "\ud800"]),
    st.just([]), st.just({}), st.just([None]), st.just([[]]), st.just({"": None}), st.just([{"name": None}]),
)  # fmt: skip
JSON = st.recursive(
    ODD, lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=8), part), max_leaves=8
)


def damaged(draw: st.DrawFn, document: Any) -> Any:
    """A real answer, in which up to five values are something else, or gone."""
    document = copy.deepcopy(document)
    for _number in range(draw(st.integers(1, 5))):
        place = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and place[key] and draw(st.integers(0, 3)):
                place = place[key]
                continue
            if draw(st.booleans()):
                place[key] = copy.deepcopy(draw(ODD))
            else:
                del place[key]
            break
    return document


def said(document: Any) -> str:
    return json.dumps(document, ensure_ascii=True)


@st.composite
def outputs(draw: st.DrawFn) -> str:
    """What a command may print: a real answer, one that is damaged or cut off, or anything."""
    kind = draw(st.integers(0, 5))
    if kind == 0:
        return draw(st.text(max_size=80))
    if kind == 1:
        return said(draw(JSON))
    if kind == 2:
        text = draw(st.sampled_from(TEXTS))
        return text[: draw(st.integers(0, len(text)))]
    text = said(damaged(draw, draw(st.sampled_from(DOCUMENTS))))
    return text if kind < 5 else text[: draw(st.integers(0, len(text)))]


class Engine:
    """A host whose commands print what was drawn; it keeps what was asked of it."""

    def __init__(self, data: st.DataObject, garbage_only: bool) -> None:
        self.data, self.garbage_only, self.time = data, garbage_only, 1_795_421_651.0
        self.asked: list[list[str]] = []

    def execute(self, command: Sequence[str], stdin: str) -> Completed:
        del stdin
        self.asked.append(list(command))
        assert len(self.asked) < 500, "it asks for ever"
        words = list(command)[4:]
        rc = self.data.draw(st.sampled_from([0, 0, 0, 0, 1, 124, 127]))
        if "ps" in words[:2] and self.data.draw(st.integers(0, 4)):
            return Completed(rc, "1\tredis\tFalse\n2\tbackend\tFalse\n3\tpostgres\tFalse\n", "")
        if "inspect" in words[:2] and not self.garbage_only and self.data.draw(st.integers(0, 3)):
            first = self.data.draw(st.sampled_from(DOCUMENTS[:7]))
            return Completed(rc, said(self.data.draw(st.just(damaged_of(self.data, first)))), "")
        text = st.text(max_size=80) | JSON.map(said) if self.garbage_only else outputs()
        return Completed(rc, self.data.draw(text), self.data.draw(st.text(max_size=30)))

    def sleep(self, seconds: float) -> None:
        self.time += max(seconds, 0.01)
        assert self.time < 1_795_421_651.0 + 90_000, "it waits for ever"

    def carrier(self) -> Carrier:
        return Carrier(self.execute, lambda: self.time, self.sleep)

    @property
    def writes(self) -> list[list[str]]:
        verbs = [next((word for word in each[4:] if word != "docker"), "") for each in self.asked]
        return [each for each, verb in zip(self.asked, verbs, strict=True) if verb not in READS]


def damaged_of(data: st.DataObject, document: Any) -> Any:
    return data.draw(st.composite(lambda draw: damaged(draw, document))())


@cache
def logic(name: str) -> ModuleType:
    return importlib.import_module(f"ansible_collections.saveit.remediation.plugins.module_utils._{name}")


def parameters(name: str, **more: Any) -> dict[str, Any]:
    usual = {key: spec.get("default") for key, spec in logic(name).ARGUMENTS.items()}
    return {**usual, "platform": "compose", "service": "redis", **more}


def sentence_of(name: str, carrier: Carrier, given: dict[str, Any]) -> str:
    """What the module says; anything but a result or a failure with a sentence is the defect looked for."""
    try:
        told = attempt(logic(name).run, given, carrier).as_return()
    except FailedError as error:
        told = error.as_return()
    assert told["sentence"]
    assert Path(__file__).name not in told["sentence"], "the test itself is wrong"
    json.dumps(told)
    return str(told["sentence"])


LOOKS: list[tuple[str, dict[str, Any]]] = [
    ("service_info", {}), ("service_status", {}), ("service_errors", {"since_seconds": 60.0}),
    ("service_logs", {"count": {"x": "a+"}}), ("service_usage", {"resource": "memory"}),
    ("service_usage", {"resource": "cpu"}), ("redis_check", {"writes": True}),
    ("application_check", {"service": "backend"}), ("postgres_info", {"service": "postgres"}),
]  # fmt: skip
ACTS: list[tuple[str, dict[str, Any]]] = [
    *(("service_restart", {"method": method}) for method in ("start", "unpause", "restart", "recreate")),
    ("service_limits", {"resource": "memory", "to": "1g"}), ("service_reload", {}),
    ("service_scale", {"replicas": 3}), ("postgres_idle_cleanup", {"service": "postgres"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given_"), LOOKS, ids=lambda value: value if isinstance(value, str) else "")
def test_whatever_an_engine_answers_a_look_ends_with_a_sentence(
    case: Callable[[], None], name: str, given_: dict[str, Any]
) -> None:
    @given(st.data())
    def look(data: st.DataObject) -> None:
        case()
        engine = Engine(data, garbage_only=False)
        sentence_of(name, engine.carrier(), parameters(name, **given_))
        assert engine.writes == []

    look()


@given(st.data())
def test_nothing_is_done_because_of_garbage(case: Callable[[], None], data: st.DataObject) -> None:
    case()
    name, more = data.draw(st.sampled_from(ACTS))
    engine = Engine(data, garbage_only=True)
    given_ = {key: value for key, value in more.items() if key in logic(name).ARGUMENTS or key == "service"}
    sentence_of(name, engine.carrier(), parameters(name, **given_))
    assert engine.writes == []


class Api:
    """In place of the connection to an API server: answers a real list, a damaged one, or anything."""

    def __init__(self, data: st.DataObject, state: list[dict[str, Any]], garbage_only: bool) -> None:
        self.data, self.state, self.garbage_only = data, state, garbage_only
        self.writes: list[str] = []
        self.asked = 0

    def close(self) -> None:
        pass

    def authorization(self) -> dict[str, str]:
        return {}

    def send(self, method: str, url: str, *_more: Any) -> Answer:
        self.asked += 1
        assert self.asked < 2000, "it asks for ever"
        if method != "GET" and "accessreviews" not in url:
            self.writes.append(f"{method} {url}")
        draw = self.data.draw
        status = draw(st.sampled_from([200, 200, 200, 200, 201, 403, 404, 409, 410, 429, 500]))
        kind = draw(st.sampled_from(["application/json"] * 5 + ["text/plain", "text/html"]))
        date = draw(st.sampled_from(["", "Thu, 26 Nov 2026 22:20:25 GMT", "yesterday"]))
        how = draw(st.integers(0, 3))
        if self.garbage_only or how == 0:
            content = draw(st.binary(max_size=60) | JSON.map(said).map(str.encode))
        else:
            path = url.partition("?")[0].rstrip("/")
            kind_of = path.rpartition("/")[2].removesuffix("s").removesuffix("ie").lower()
            items = [each for each in self.state if str(each.get("kind", "")).lower() == kind_of]
            document: Any = {"kind": "List", "metadata": {}, "items": items}
            content = said(damaged_of(self.data, document) if how == 1 else document).encode()
        return Answer(status, kind, content, draw(st.sampled_from(["", "1", "x", "-5"])), "", date)


def cluster_carrier(api: Api) -> tuple[Carrier, Engine]:
    clock = Engine(api.data, garbage_only=True)
    cluster = Cluster(api, Access("the cluster x", namespace="saveit"), 10, lambda: clock.time, clock.sleep)  # type: ignore[arg-type]

    def no_command(command: Sequence[str], stdin: str) -> Completed:
        raise AssertionError(f"a cluster is asked by its API, not by {command}")

    return Carrier(no_command, lambda: clock.time, clock.sleep, cluster=lambda _parameters: cluster), clock


CLUSTER_LOOKS = [*LOOKS[:6], LOOKS[7], ("certificate_info", {})]


@pytest.mark.parametrize(
    ("name", "given_"), CLUSTER_LOOKS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_whatever_a_cluster_answers_a_look_ends_with_a_sentence(
    case: Callable[[], None], name: str, given_: dict[str, Any]
) -> None:
    @given(st.data(), st.sampled_from(STATES))
    def look(data: st.DataObject, state: list[dict[str, Any]]) -> None:
        case()
        api = Api(data, state, garbage_only=False)
        carrier, _clock = cluster_carrier(api)
        names = {"backend": "saveit-backend", "redis": "redis-master"}
        service = given_.get("service", "backend")
        more = {**given_, "platform": "kubernetes", "service_names": names, "service": service}
        sentence_of(name, carrier, parameters(name, **more))
        assert api.writes == []

    look()


@given(st.data())
def test_nothing_is_done_to_a_cluster_because_of_garbage(
    case: Callable[[], None], data: st.DataObject
) -> None:
    case()
    name, more = data.draw(st.sampled_from([*ACTS[:1], *ACTS[2:3], *ACTS[4:5], *ACTS[6:7]]))
    api = Api(data, [], garbage_only=True)
    carrier, _clock = cluster_carrier(api)
    sentence_of(name, carrier, parameters(name, **more, platform="kubernetes"))
    assert api.writes == []
