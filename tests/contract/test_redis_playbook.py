"""The Redis playbook against a Docker engine on paper: what it does and publishes, however it ends."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Sequence
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
    "ladder_agreed": True,
}


@pytest.fixture
def play(
    ansible: Callable[..., Any], custom_stats: Callable[[str], Any], tmp_path: Path
) -> Callable[..., Any]:
    """Runs the playbook, and gives its exit code, what it published, and what it printed."""

    def run(docker: str, *options: str, **settings: Any) -> tuple[int, dict[str, Any], str]:
        folder = str(tmp_path / "interlock")
        host = {**SETTINGS, "docker_command": [docker], "interlock_folder": folder, **settings}
        inventory = tmp_path / "hosts.yml"
        inventory.write_text(yaml.safe_dump({"all": {"hosts": {"staging": host}}}), "utf-8")
        done = ansible("ansible-playbook", "saveit.remediation.redis", "-i", str(inventory), *options)
        output = done.stdout + done.stderr
        return done.returncode, custom_stats(output)["remediation"], output

    return run


def begin_of(remedy: str, folder: Path) -> dict[str, Any]:
    return {
        "step": "begin",
        "platform": "compose",
        "services": ["redis"],
        "remedy": remedy,
        "interlock_folder": str(folder / "interlock"),
    }


def interlock(parameters: dict[str, Any]) -> Any:
    """What another operator does on the same host."""
    from ansible_collections.saveit.remediation.plugins.module_utils import _interlock
    from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed

    def execute(command: Sequence[str], stdin: str) -> Completed:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=30, check=False)
        return Completed(done.returncode, done.stdout, done.stderr)

    given = {name: spec.get("default") for name, spec in _interlock.ARGUMENTS.items()} | parameters
    return _interlock.run(given, Carrier(execute, time.time, time.sleep)).returned


def words(published: dict[str, Any]) -> dict[str, str]:
    return {each["remedy"]: each["result"] for each in published["actions"]}


def test_a_healthy_redis_is_left_alone(engine: Any, play: Callable[..., Any], tmp_path: Path) -> None:
    docker = engine("running")
    code, published, output = play(docker.command)
    assert (code, docker.writes, published["actions"]) == (0, [], []), output
    assert published["findings"] == []
    assert not (tmp_path / "interlock").exists()
    assert {each["name"] for each in published["evidence"]} >= {"redis.answer", "redis.state"}


@pytest.mark.parametrize(
    ("state", "verb"), [("exited", "start"), ("created", "start"), ("paused", "unpause")]
)
def test_the_least_remedy_that_helps_is_taken_and_verified(
    engine: Any, play: Callable[..., Any], tmp_path: Path, state: str, verb: str
) -> None:
    docker = engine(state)
    code, published, output = play(docker.command)
    assert (code, docker.writes) == (0, [verb]), output
    assert words(published)[verb] == "helped"
    assert {each["phase"] for each in published["evidence"]} == {"diagnose", "verify"}
    assert all(each["target"] == "staging" for each in published["evidence"])
    kept = json.loads((tmp_path / "interlock/saveit/interlock.json").read_text("utf-8"))
    assert [(each["remedy"], each["result"]) for each in kept["attempts"]] == [(f"redis.{verb}", "helped")]
    assert kept["leases"] == {}


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
    engine: Any, play: Callable[..., Any], state: str, tmp_path: Path
) -> None:
    docker = engine(state)
    code, published, output = play(docker.command, "--check", "--diff")
    assert (code, docker.writes) == (0, []), output
    assert not (tmp_path / "interlock").exists()
    planned = [each["remedy"] for each in published["actions"] if each["result"] == "planned"]
    assert planned == {"exited": ["start"], "paused": ["unpause"], "running": []}[state]


def test_who_comes_second_is_told_who_is_at_work_and_until_when(
    engine: Any, play: Callable[..., Any], tmp_path: Path
) -> None:
    docker = engine("exited")
    options = {"ladder_limits": [{"times": 1, "minutes": 60}], "ladder_holder": "alice@ops1"}
    begun = {**begin_of("redis.start", tmp_path), "holder": "alice@ops1", "incident": "redis-1"}
    claim = interlock(begun)["claim"]
    code, published, output = play(docker.command)
    assert (code, docker.writes) == (2, []), output
    (finding,) = [each for each in published["findings"] if each["kind"] == "obstacle"]
    assert (finding["id"], finding["outcome"]) == ("lease-held", "refused")
    held = "saveit/redis on staging is being remediated by alice@ops1 (incident redis-1)"
    assert held in finding["sentence"]
    assert set(words(published).values()) == {"skipped"}
    interlock({**begun, "step": "release", "claim": claim})
    code, published, output = play(docker.command, **options)
    assert (code, docker.writes) == (2, []), output
    assert "it does not hold" in output
    code, published, output = play(docker.command)
    assert (code, docker.writes) == (0, ["start"]), output


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
