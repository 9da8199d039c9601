"""Several hosts under plain ansible-playbook, as in AWX: batches, and what keeps the rest from harm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.once

COLLECTION = Path(__file__).resolve().parents[2] / "collections/ansible_collections/saveit/remediation"
COMMON = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    "platform": "compose",
    "redis_backend_url": "",
    "ladder_hold_seconds": 0,
    "ladder_agreed": True,
}


@pytest.fixture
def play(ansible: Callable[..., Any], tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs the playbook on hosts with these engines, and gives its exit code and what it printed."""

    def run(engines: dict[str, Any], **settings: Any) -> tuple[int, str]:
        hosts = {
            name: {"docker_command": [each.command], "interlock_folder": str(each.folder / "interlock")}
            for name, each in engines.items()
        }
        inventory = tmp_path / "hosts.yml"
        inventory.write_text(
            yaml.safe_dump({"all": {"hosts": hosts, "vars": {**COMMON, **settings}}}), "utf-8"
        )
        done = ansible("ansible-playbook", "saveit.remediation.redis", "-i", str(inventory))
        return done.returncode, done.stdout + done.stderr

    return run


def test_when_the_first_one_gets_worse_no_other_is_touched(
    engine: Any, play: Callable[..., Any], tmp_path: Path
) -> None:
    """Redis counts as slow, and a restart leaves it stopped."""
    book = yaml.safe_load((COLLECTION / "roles/redis/meta/runbook.yml").read_text("utf-8"))
    state = {"evidence": "redis.state", "is": "running", "keep": True}
    book["verify"] |= {"patience_seconds": 0, "criteria": [state]}
    (tmp_path / "runbook.yml").write_text(yaml.safe_dump(book), "utf-8")
    engines = {name: engine("running", host=name) for name in ("one", "two", "three")}
    for each in engines.values():
        script = each.folder / "docker"
        script.write_text(
            script.read_text("utf-8").replace("restart) echo running", "restart) echo exited"), "utf-8"
        )
    code, output = play(
        engines, ladder_runbook=str(tmp_path / "runbook.yml"), redis_slow_milliseconds=1e-7,
        ladder_max_unhealthy_percent=100,
    )  # fmt: skip
    assert {name: each.writes for name, each in engines.items()} == {
        "one": ["restart"],
        "two": [],
        "three": [],
    }
    assert code != 0
    for name in ("two", "three"):
        assert f"{name} was not touched, as one got worse by restart" in output


def test_when_too_many_are_sick_none_is_touched_and_the_rest_of_a_plain_run_fails_loudly(
    engine: Any, play: Callable[..., Any]
) -> None:
    engines = {
        name: engine(state, host=name) for name, state in (("a", "exited"), ("b", "running"), ("c", "exited"))
    }
    code, output = play(engines)
    assert [each.writes for each in engines.values()] == [[], [], []]
    assert code != 0
    assert "2 of 3 targets are sick at once (a, c), and no more than 50 % may be" in output


def test_an_inventory_without_hosts_is_an_error(play: Callable[..., Any]) -> None:
    code, output = play({})
    assert code != 0
    assert "the inventory has no host" in output
