"""service_scale: one more container where the compose file allows it, and the reason where it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _service_scale
from ansible_collections.saveit.remediation.plugins.module_utils._compose_scale import read_composed
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

PARAMETERS: dict[str, Any] = {
    "platform": "compose",
    "project": "saveit",
    "service_names": {},
    "docker_command": ["docker"],
    "service": "worker",
    **{key: spec["default"] for key, spec in _service_scale.ARGUMENTS.items() if "default" in spec},
    "record": False,
}
UP = ["-p", "saveit", "--project-directory", "/srv/saveit", "-f", "/srv/saveit/compose.yml"]
UP += ["up", "-d", "--no-deps", "--no-recreate", "--scale"]
NAME = r"container_name:[[:space:]]*[\"']?saveit-backend"
PORT = r"(^|[^0-9])8000:8000([^0-9]|$)|published:[[:space:]]*[\"']?8000"


def made(
    number: int, status: str = "running", name: str = "", hash_: str = "h", **bindings: Any
) -> dict[str, Any]:
    """A container as `docker inspect` shows it."""
    labels = {
        "project": "saveit",
        "service": "worker",
        "project.working_dir": "/srv/saveit",
        "project.config_files": "/srv/saveit/compose.yml",
        "config-hash": hash_,
    }
    return {
        "Id": str(number),
        "Name": f"/{name or f'saveit-worker-{number}'}",
        "State": {"Status": status, "FinishedAt": "T"},
        "Config": {"Labels": {f"com.docker.compose.{key}": value for key, value in labels.items()}},
        "HostConfig": {"PortBindings": bindings.get("ports", {})},
    }


def look(conversation: Any, *containers: dict[str, Any]) -> None:
    ids = {each["Id"]: "worker" for each in containers}
    conversation.expect_look(ids, json.dumps(containers), of="worker")


def composed(conversation: Any, container: dict[str, Any]) -> None:
    conversation.expect(["docker", "inspect", container["Id"]], json.dumps([container]))


def run(conversation: Any, check_mode: bool = False, **more: Any) -> Any:
    return _service_scale.run({**PARAMETERS, **more}, conversation.carrier(check_mode))


def up_to_the_tool(conversation: Any) -> None:
    look(conversation, made(1))
    composed(conversation, made(1))
    conversation.expect(["docker", "compose", "version"], "v2.40.3")


def test_one_more_is_made_and_the_way_back_is_told(conversation: Any) -> None:
    up_to_the_tool(conversation)
    conversation.expect(["docker", "compose", "version"], "v2.40.3")
    conversation.expect(["docker", "compose", *UP, "worker=2", "worker"])
    look(conversation, made(1), made(2))
    composed(conversation, made(2))
    result = run(conversation)
    assert (result.verdict, result.changed) == ("scaled", True)
    back = f"docker compose {' '.join(UP)} worker=1 worker"
    assert result.sentence == (
        f"scaled worker from 1 to 2 instances; put it back with `{back}`, before 1970-01-12T14:46:40+00:00"
    )
    assert (result.returned["put_back"], result.returned["instances_after"]) == (back, 2)
    assert result.diff == {"before": "worker: 1 instances\n", "after": "worker: 2 instances\n"}


def test_check_mode_makes_none(conversation: Any) -> None:
    up_to_the_tool(conversation)
    result = run(conversation, check_mode=True)
    assert (result.verdict, result.changed) == ("planned", True)
    assert result.sentence == "would scale worker from 1 to 2 instances"


@pytest.mark.parametrize("check_mode", [False, True])
def test_the_lines_of_the_file_that_prevent_it_are_named(conversation: Any, check_mode: bool) -> None:
    ports = {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8000"}]}
    backend = made(1, name="saveit-backend", ports=ports)
    look(conversation, backend)
    composed(conversation, backend)
    grep = ["grep", "-nHE", "-m1", "-e"]
    file = "/srv/saveit/compose.yml"
    conversation.expect([*grep, NAME, "--", file], f"{file}:13:    container_name: saveit-backend\n")
    conversation.expect([*grep, PORT, "--", file], f'{file}:24:    ports: ["127.0.0.1:8000:8000"]\n')
    result = run(conversation, check_mode)
    assert (result.verdict, result.changed) == ("unchanged", False)
    assert result.sentence == (
        "worker is not scaled: compose cannot make a second container: its file has "
        "`container_name: saveit-backend` (/srv/saveit/compose.yml:13) and "
        "the fixed host port `127.0.0.1:8000:8000` (/srv/saveit/compose.yml:24)"
    )


def test_a_file_that_is_not_to_be_seen_leaves_the_lines_without_a_number(conversation: Any) -> None:
    backend = made(1, name="saveit-backend")
    look(conversation, backend)
    composed(conversation, backend)
    command = ["grep", "-nHE", "-m1", "-e", NAME, "--", "/srv/saveit/compose.yml"]
    conversation.expect(command, stderr="No such file", rc=2)
    assert run(conversation).sentence.endswith("its file has `container_name: saveit-backend`")


@pytest.mark.parametrize(
    ("after", "said", "why"),
    [
        ([made(1), made(2, "exited")], "", "saveit-worker-2 is stopped"),
        ([made(1), made(2, "created")], "port is already allocated", "port is already allocated"),
        ([made(1), made(2, hash_="other")], "", "its configuration would be another one"),
    ],
)
def test_what_does_not_come_up_as_the_others_is_removed_again(
    conversation: Any, after: list[dict[str, Any]], said: str, why: str
) -> None:
    up_to_the_tool(conversation)
    conversation.expect(["docker", "compose", "version"], "v2.40.3")
    conversation.expect(["docker", "compose", *UP, "worker=2", "worker"], stderr=said, rc=1 if said else 0)
    look(conversation, *after)
    composed(conversation, after[1])
    conversation.expect(["docker", "rm", "--force", "2"])
    with pytest.raises(
        FailedError, match=f"cannot scale worker to 2: {why}.*; removed again: saveit-worker-2"
    ):
        run(conversation)


def test_compose_that_does_nothing_or_hangs_is_said(conversation: Any) -> None:
    up_to_the_tool(conversation)
    conversation.expect(["docker", "compose", "version"], "v2.40.3")
    conversation.expect(["docker", "compose", *UP, "worker=2", "worker"], rc=124)
    look(conversation, made(1))
    with pytest.raises(
        FailedError, match="cannot scale worker to 2: docker compose did not end within 120 s"
    ):
        run(conversation)
    assert conversation.limits[-3] == "120"


def test_docker_compose_v1_is_taken_where_there_is_no_plugin(conversation: Any) -> None:
    look(conversation, made(1))
    composed(conversation, made(1))
    conversation.expect(["docker", "compose", "version"], stderr="docker: 'compose' is not", rc=1)
    conversation.expect(["docker-compose", "version"], "1.29.2")
    assert run(conversation, check_mode=True).returned["put_back"].startswith("docker-compose -p saveit ")


def test_a_host_without_compose_is_told_so(conversation: Any) -> None:
    look(conversation, made(1))
    composed(conversation, made(1))
    conversation.expect(["docker", "compose", "version"], rc=1).expect(["docker-compose", "version"], rc=127)
    assert "neither `docker compose` nor `docker-compose`" in run(conversation).sentence


def test_the_given_compose_tool_is_not_doubted(conversation: Any) -> None:
    look(conversation, made(1))
    composed(conversation, made(1))
    result = run(conversation, check_mode=True, compose_command=["sudo", "docker-compose"])
    assert result.returned["put_back"].startswith("sudo docker-compose -p saveit ")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"maximum": 1}, "it has 1, and the maximum is 1"),
        ({"instances": 1}, "it has 1 already, and this only adds"),
    ],
)
def test_it_never_goes_beyond_the_maximum_and_never_down(
    conversation: Any, more: dict[str, Any], reason: str
) -> None:
    look(conversation, made(1))
    assert run(conversation, **more).sentence == f"worker is not scaled: {reason}"


@pytest.mark.parametrize("more", [{"instances": -1}, {"maximum": 0}, {"minutes": 0}])
def test_a_number_that_is_none_is_said_before_anything_is_asked(
    conversation: Any, more: dict[str, Any]
) -> None:
    with pytest.raises(FailedError, match="cannot scale worker: "):
        run(conversation, **more)


def named(name: str) -> str:
    return read_composed({**made(1), "Name": f"/{name}"}).fixed_name


@pytest.mark.parametrize(
    ("name", "fixed"),
    [
        ("saveit-worker-1", ""),
        ("saveit_worker_12", ""),  # version 1
        ("saveit_worker_1_0f3a9b", ""),  # version 1.23
        ("saveit-worker", "saveit-worker"),
        ("my-saveit-worker-1", "my-saveit-worker-1"),
    ],
)
def test_a_name_that_compose_gave_is_not_fixed(name: str, fixed: str) -> None:
    assert named(name) == fixed


@pytest.mark.parametrize(
    ("bindings", "fixed"),
    [
        ({"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}, (("8080", "80/tcp"),)),
        ({"80/tcp": [{"HostIp": "", "HostPort": ""}]}, ()),  # the engine chooses one
        ({"80/tcp": [{"HostIp": "", "HostPort": "0"}]}, ()),
        ({"80/tcp": None}, ()),
    ],
)
def test_a_port_that_the_engine_chooses_is_not_fixed(bindings: Any, fixed: Any) -> None:
    assert read_composed(made(1, ports=bindings)).fixed_ports == fixed


def test_version_1_names_files_as_seen_from_the_folder() -> None:
    container = made(1)
    container["Config"]["Labels"]["com.docker.compose.project.config_files"] = "a.yml,/etc/b.yml"
    assert read_composed(container).files == ("/srv/saveit/a.yml", "/etc/b.yml")


BACK = [{"object": "worker", "field": "instances", "before": 1, "after": 2}]


def test_what_was_added_is_removed_again(conversation: Any) -> None:
    look(conversation, made(1), made(2))
    conversation.expect(["docker", "compose", "version"], "v2.40.3")
    composed(conversation, made(1))
    conversation.expect(["docker", "compose", *UP, "worker=1", "worker"])
    look(conversation, made(1))
    result = run(conversation, put_back=BACK)
    assert (result.verdict, result.returned["over"]) == ("put-back", True)
    assert result.sentence == "put back worker: instances of worker from 2 to 1"


@pytest.mark.parametrize(
    ("there", "over", "reason"),
    [
        (1, True, "it has its old 1 instances again"),
        (3, False, "it has 3 instances, not the 2 that were made"),
    ],
)
def test_as_many_as_nobody_of_us_made_are_left_alone(
    conversation: Any, there: int, over: bool, reason: str
) -> None:
    look(conversation, *(made(number + 1) for number in range(there)))
    result = run(conversation, put_back=BACK)
    assert (result.verdict, result.returned["over"]) == ("unchanged", over)
    assert reason in result.sentence


def test_compose_that_refuses_to_remove_is_an_error(conversation: Any) -> None:
    look(conversation, made(1), made(2))
    conversation.expect(["docker", "compose", "version"], "v2.40.3")
    composed(conversation, made(1))
    conversation.expect(["docker", "compose", *UP, "worker=1", "worker"], stderr="no such file", rc=1)
    look(conversation, made(1), made(2))
    with pytest.raises(FailedError, match="cannot put back worker to 1 instances: it has 2; no such file"):
        run(conversation, put_back=BACK)


def test_what_was_never_made_is_not_removed(conversation: Any) -> None:
    look(conversation, made(1))
    with pytest.raises(FailedError, match="cannot put back worker: 'before' in put_back"):
        run(conversation, put_back=[{"after": 2}])
