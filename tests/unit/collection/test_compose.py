"""The compose adapter: recorded answers of the Docker engine, and the exact commands that ask it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _compose
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Completed
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError
from ansible_collections.saveit.remediation.plugins.module_utils._service import (
    Instance,
    describe,
    evidence,
    findings,
)

TARGET: dict[str, Any] = {"project": "saveit", "service_names": {}, "docker_command": ["docker"]}
ENGINES = ("docker-20.10-compose-2.40", "docker-20.10-compose-1.29")
SOCKET = "unix:///var/run/docker.sock"
STATES = [
    # recording, state, finding, health, exit code, killed for lack of memory
    ("running", "running", [], "", 0, False),
    ("unhealthy", "running", [], "unhealthy", 0, False),
    ("stopped", "stopped", ["service-stopped"], "", 3, False),
    ("oom", "stopped", ["service-stopped"], "", 137, True),
    ("paused", "paused", ["service-paused"], "", 0, False),
    ("created", "created", ["service-created"], "", 0, False),
    ("restarting", "restarting", ["service-restarting"], "", 7, False),
]


def inspected(fixtures: Path, engine: str, name: str) -> tuple[str, str]:
    text = (fixtures / engine / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text)[0]["Id"], text


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("name", "state", "found", "health", "code", "oom"), STATES, ids=[row[0] for row in STATES]
)
def test_a_recorded_container_is_what_it_is(
    fixtures: Path,
    conversation: Any,
    engine: str,
    name: str,
    state: str,
    found: list[str],
    health: str,
    code: int,
    oom: bool,
) -> None:
    id_, text = inspected(fixtures, engine, name)
    conversation.expect_look({id_: "redis"}, text)
    service = _compose.look(TARGET, conversation.carrier(), "redis")
    (instance,) = service.instances
    assert (service.state, instance.state, instance.id) == (state, state, id_)
    assert (instance.health, instance.exit_code, instance.oom_killed) == (health, code, oom)
    assert [each.id for each in findings(service)] == found
    assert bool(instance.started_at) is (name != "created")
    assert not instance.name.startswith("/")


@pytest.mark.parametrize("engine", ENGINES)
def test_one_off_containers_are_not_the_service(fixtures: Path, conversation: Any, engine: str) -> None:
    listed = (fixtures / engine / "ps.txt").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in listed.splitlines()]
    (regular,) = [id_ for id_, name, one_off in rows if (name, one_off) == ("running", "False")]
    assert sum(name == "running" for _id, name, _one_off in rows) == 2
    conversation.expect_look({}, "")
    conversation.turns.clear()
    conversation.expect(PS, listed).expect(["docker", "inspect", regular], f'[{{"Id": "{regular}"}}]')
    assert [each.id for each in _compose.look(TARGET, conversation.carrier(), "running").instances] == [
        regular
    ]


PS = [
    "docker",
    "ps",
    "--all",
    "--no-trunc",
    "--filter=label=com.docker.compose.project=saveit",
    '--format={{.ID}}\t{{.Label "com.docker.compose.service"}}\t{{.Label "com.docker.compose.oneoff"}}',
]
ERRORS = [
    # exit code, what docker says, obstacle, what the sentence says
    (1, f"Cannot connect to the Docker daemon at {SOCKET}. Is the docker daemon running?", "no-engine", "no"),
    (1, "error during connect: Get http://x: EOF", "no-engine", "no Docker engine runs on this host"),
    (1, f"permission denied while trying to connect to the Docker daemon socket at {SOCKET}: Get …",
     "engine-permission", "as a member of the group docker, or with become"),
    (1, "sudo: a password is required", "engine-permission", "nobody is here to type it"),
    (127, "timeout: failed to run command 'docker': No such file", "no-docker", "is Docker installed"),
    (126, "timeout: failed to run command 'docker': Permission denied", "no-docker", "cannot run `docker`"),
    (127, "", "no-docker", "command not found"),
    (124, "", "engine-timeout", "was ended after 15 s"),
    (137, "", "engine-timeout", "was ended after 15 s"),
    (143, "", "engine-timeout", "was ended after 15 s"),
]  # fmt: skip


@pytest.mark.parametrize(("rc", "said", "id_", "says"), ERRORS)
def test_an_engine_that_cannot_be_asked_is_an_obstacle(
    conversation: Any, rc: int, said: str, id_: str, says: str
) -> None:
    conversation.expect(PS, stderr=said, rc=rc)
    with pytest.raises(ObstacleError, match=says) as caught:
        _compose.look(TARGET, conversation.carrier(), "redis")
    assert (caught.value.id, caught.value.outcome) == (id_, "unreachable")
    assert caught.value.as_return()["obstacle"] == {"id": id_, "outcome": "unreachable"}


def test_any_other_error_keeps_the_words_of_the_engine(conversation: Any) -> None:
    conversation.expect(PS, stderr="Error response from daemon: no space left on device\n", rc=1)
    with pytest.raises(
        FailedError, match="cannot ask the Docker engine: Error response from daemon: no space"
    ):
        _compose.look(TARGET, conversation.carrier(), "redis")


def test_a_project_without_containers_is_refused(conversation: Any) -> None:
    conversation.expect(PS)
    with pytest.raises(ObstacleError, match="cannot find the compose project 'saveit'") as caught:
        _compose.look(TARGET, conversation.carrier(), "redis")
    assert (caught.value.id, caught.value.outcome) == ("no-project", "refused")


def test_a_service_without_containers_is_refused_and_the_others_are_named(conversation: Any) -> None:
    conversation.expect(PS, "1\tbackend\tFalse\n2\tpostgres\tFalse\n3\tredis\tTrue\n")
    with pytest.raises(ObstacleError, match="the project has backend, postgres") as caught:
        _compose.look(TARGET, conversation.carrier(), "redis")
    assert (caught.value.id, caught.value.outcome) == ("no-service", "refused")


def test_the_inventory_may_call_a_service_otherwise(conversation: Any) -> None:
    conversation.expect(PS, "1\tcache\tFalse\n2\tredis\tFalse\n").expect(
        ["docker", "inspect", "1"], '[{"Id": "1"}]'
    )
    parameters = {**TARGET, "service_names": {"redis": "cache"}}
    assert _compose.look(parameters, conversation.carrier(), "redis").name == "redis"


@pytest.mark.parametrize(
    "evil", ["redis; reboot", "$(reboot)", "`reboot`", "a b", "--help", "'", '"', "a\\b", "*"]
)
def test_no_name_is_ever_more_than_one_argument(conversation: Any, evil: str) -> None:
    command = [*PS]
    command[4] = f"--filter=label=com.docker.compose.project={evil}"
    conversation.expect(command, f"1\t{evil}\tFalse\n").expect(["docker", "inspect", "1"], '[{"Id": "1"}]')
    _compose.look({**TARGET, "project": evil}, conversation.carrier(), evil)


@pytest.mark.parametrize("text", ["", "not json", "{}", "[1]", "null", '["a"]'])
def test_what_is_no_list_of_containers_is_a_sentence(text: str) -> None:
    with pytest.raises(FailedError, match="cannot read what `docker inspect` printed"):
        _compose.parse_inspect(text)


def test_no_container_where_some_were_listed_is_a_sentence(conversation: Any) -> None:
    conversation.expect(PS, "1\tredis\tFalse\n").expect(["docker", "inspect", "1"], "[]")
    with pytest.raises(FailedError, match="no container, and it was asked for some"):
        _compose.look(TARGET, conversation.carrier(), "redis")


@pytest.mark.parametrize(
    ("act", "command", "limit"),
    [
        (lambda carrier, it: _compose.start(TARGET, carrier, it), ["start", "4f1c"], "60"),
        (lambda carrier, it: _compose.unpause(TARGET, carrier, it), ["unpause", "4f1c"], "15"),
        (lambda carrier, it: _compose.restart(TARGET, carrier, it, 3), ["restart", "--time=3", "4f1c"], "63"),
        (
            lambda carrier, it: _compose.logs(TARGET, carrier, it, 20, 0),
            ["logs", "--timestamps", "--tail=20", "4f1c"],
            "15",
        ),
        (
            lambda carrier, it: _compose.logs(TARGET, carrier, it, 20, 2.5),
            ["logs", "--timestamps", "--tail=20", "--since=2.5s", "4f1c"],
            "15",
        ),
        (
            lambda carrier, it: _compose.execute(TARGET, carrier, it, ["redis-cli", "a; b"], "PING\n", 2),
            ["exec", "-i", "4f1c", "timeout", "2", "redis-cli", "a; b"],
            "7",
        ),
    ],
)
def test_each_action_is_one_bounded_command(
    conversation: Any, act: Any, command: list[str], limit: str
) -> None:
    conversation.expect(["docker", *command])
    act(conversation.carrier(), Instance("4f1c", "saveit-redis", "running"))
    assert conversation.limits == [limit]


@pytest.mark.parametrize(
    ("act", "attempt"),
    [
        (_compose.start, "cannot start saveit-redis"),
        (_compose.unpause, "cannot unpause saveit-redis"),
        (lambda target, carrier, it: _compose.restart(target, carrier, it, 3), "cannot restart saveit-redis"),
    ],
)
def test_an_action_that_fails_says_what_was_attempted_and_what_happened(
    conversation: Any, act: Any, attempt: str
) -> None:
    conversation.turns.append((ANY, Completed(1, "", "Error response from daemon: Container is dead\n")))
    with pytest.raises(FailedError, match=f"{attempt}: Error response from daemon: Container is dead"):
        act(TARGET, conversation.carrier(), Instance("4f1c", "saveit-redis", "running"))


class Anything:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


ANY: Any = Anything()


def test_the_docker_command_of_the_inventory_is_the_one(conversation: Any) -> None:
    conversation.expect(["sudo", "-n", "docker", "unpause", "4f1c"])
    parameters = {**TARGET, "docker_command": ["sudo", "-n", "docker"]}
    _compose.unpause(parameters, conversation.carrier(), Instance("4f1c", "saveit-redis", "paused"))


def test_several_instances_are_judged_by_the_sickest(conversation: Any) -> None:
    states = [{"Id": str(number), "Name": f"/r{number}", "State": {"Status": status}, "RestartCount": number}
              for number, status in enumerate(("running", "exited", "paused"))]  # fmt: skip
    conversation.expect_look({"0": "redis", "1": "redis", "2": "redis"}, json.dumps(states))
    service = _compose.look(TARGET, conversation.carrier(), "redis")
    assert [each.id for each in findings(service)] == ["service-paused", "service-stopped"]
    assert findings(service)[0].sentence == "redis: 1 of 3 instances: r2 is paused"
    assert [(each.name, each.value) for each in evidence(service)] == [
        ("redis.state", "stopped"),
        ("redis.restarts", 3),
    ]


SENTENCES = [
    (Instance("1", "r", "running"), "r is running"),
    (Instance("1", "r", "dead"), "r is dead"),
    (Instance("1", "r", "created", error="port is taken"), "r was created and never started: port is taken"),
    (Instance("1", "r", "stopped", exit_code=3, finished_at="T"), "r is stopped, exit code 3 at T"),
    (Instance("1", "r", "stopped", exit_code=137, finished_at="T", oom_killed=True),
     "r is stopped, exit code 137 at T, killed for lack of memory"),
    (Instance("1", "r", "restarting", exit_code=7, restarts=6),
     "r restarts again and again (6 times, last exit code 7)"),
]  # fmt: skip


@pytest.mark.parametrize(("instance", "sentence"), SENTENCES, ids=[row[1] for row in SENTENCES])
def test_a_state_in_words(instance: Instance, sentence: str) -> None:
    assert describe(instance) == sentence
