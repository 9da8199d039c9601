"""The Redis playbook against a Docker engine on paper: what it does and publishes, however it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

SETTINGS = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    "platform": "compose",
    "redis_backend_url": "",
    "ladder_hold_seconds": 0,
}


@pytest.fixture
def play(
    ansible: Callable[..., Any], custom_stats: Callable[[str], Any], tmp_path: Path
) -> Callable[..., Any]:
    """Runs the playbook, and gives its exit code, what it published, and what it printed."""

    def run(docker: str, *options: str, **settings: Any) -> tuple[int, dict[str, Any], str]:
        host = {**SETTINGS, "docker_command": [docker], **settings}
        inventory = tmp_path / "hosts.yml"
        inventory.write_text(yaml.safe_dump({"all": {"hosts": {"staging": host}}}), "utf-8")
        done = ansible("ansible-playbook", "saveit.remediation.redis", "-i", str(inventory), *options)
        output = done.stdout + done.stderr
        return done.returncode, custom_stats(output)["remediation"], output

    return run


def words(published: dict[str, Any]) -> dict[str, str]:
    return {each["remedy"]: each["result"] for each in published["actions"]}


def test_a_healthy_redis_is_left_alone(engine: Any, play: Callable[..., Any]) -> None:
    docker = engine("running")
    code, published, output = play(docker.command)
    assert (code, docker.writes, published["actions"]) == (0, [], []), output
    assert published["findings"] == []
    assert {each["name"] for each in published["evidence"]} >= {"redis.answer", "redis.state"}


@pytest.mark.parametrize(
    ("state", "verb"), [("exited", "start"), ("created", "start"), ("paused", "unpause")]
)
def test_the_least_remedy_that_helps_is_taken_and_verified(
    engine: Any, play: Callable[..., Any], state: str, verb: str
) -> None:
    docker = engine(state)
    code, published, output = play(docker.command)
    assert (code, docker.writes) == (0, [verb]), output
    assert words(published)[verb] == "helped"
    assert {each["phase"] for each in published["evidence"]} == {"diagnose", "verify"}
    assert all(each["target"] == "staging" for each in published["evidence"])


def test_a_remedy_that_fails_and_helps_all_the_same_is_verified(
    engine: Any, play: Callable[..., Any], tmp_path: Path
) -> None:
    docker = engine("exited")
    broken = tmp_path / "broken"
    broken.write_text(
        f'#!/bin/sh\n"{docker.command}" "$@"; code=$?; [ "$1" != start ] && exit $code\nexit 1\n'
    )
    broken.chmod(0o755)
    code, published, output = play(str(broken))
    assert code == 0, output
    assert words(published)["start"] == "failed"
    assert not any(each["present"] for each in published["findings"])
    assert {each["after"] for each in published["evidence"] if each["phase"] == "verify"} == {"start"}


@pytest.mark.parametrize("state", ["exited", "paused", "running"])
def test_check_mode_publishes_the_plan_and_touches_nothing(
    engine: Any, play: Callable[..., Any], state: str
) -> None:
    docker = engine(state)
    code, published, output = play(docker.command, "--check", "--diff")
    assert (code, docker.writes) == (0, []), output
    planned = [each["remedy"] for each in published["actions"] if each["result"] == "planned"]
    assert planned == {"exited": ["start"], "paused": ["unpause"], "running": []}[state]


def test_diagnosis_offers_remedies_and_touches_nothing(engine: Any, play: Callable[..., Any]) -> None:
    docker = engine("exited")
    code, published, output = play(docker.command, "-e", "ladder_mode=diagnose")
    assert (code, docker.writes, words(published)["start"]) == (0, [], "possible"), output


@pytest.mark.parametrize("fault", ["noauth", "oom_reads", "readonly_reads", "misconf_reads"])
def test_what_a_restart_does_not_help_is_given_to_a_person(
    engine: Any, play: Callable[..., Any], fault: str
) -> None:
    docker = engine("running", reads=fault)
    code, published, output = play(docker.command)
    assert (code, docker.writes) == (2, []), output
    (finding,) = published["findings"]
    assert finding["next"]
    assert finding["next"] in " ".join(output.split())
    assert set(words(published).values()) == {"skipped"}


def test_an_engine_that_does_not_run_is_published_as_an_obstacle(
    play: Callable[..., Any], tmp_path: Path
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(
        "#!/bin/sh\necho Cannot connect to the Docker daemon at unix:///x >&2\nexit 1\n", "utf-8"
    )
    docker.chmod(0o755)
    code, published, output = play(str(docker))
    assert code == 2, output
    (finding,) = published["findings"]
    assert (finding["id"], finding["kind"], finding["outcome"]) == ("no-engine", "obstacle", "unreachable")
