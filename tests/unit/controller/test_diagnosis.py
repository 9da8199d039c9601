"""What stands in the way of a look decides the exit code: refused only where the module says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from saveit_remediate.respond.diagnosis import with_obstacles
from saveit_remediate.respond.untouched import judge_obstacles
from saveit_remediate.run import Failure, Job, RunResult
from saveit_remediate.run.events import Recorder

JOB = Job("status", "hosts.yml", "from option --inventory", Path(), Path(), 60)


@pytest.mark.parametrize(
    ("outcome", "code"), [("refused", 4), ("unreachable", 5), ("", 5), ("something-new", 5)]
)
def test_the_obstacle_of_a_module_decides(outcome: str, code: int) -> None:
    failure = Failure("a", "Look at all services", "the context nowhere is none", outcome=outcome)
    result = RunResult("ended", 2, hosts=("a",), failures=(failure,))
    seen = with_obstacles(result, JOB)
    judged = judge_obstacles(seen.findings)
    assert judged.outcome.exit_code == code
    assert "cannot look at a: Look at all services: the context nowhere is none" in judged.sentence


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ({"msg": "x", "obstacle": {"id": "no-namespace", "outcome": "refused"}}, "refused"),
        ({"msg": "x", "obstacle": "odd"}, ""),
        ({"msg": "x"}, ""),
    ],
)
def test_it_is_read_from_the_result_of_the_task(result: dict[str, object], outcome: str) -> None:
    recorder = Recorder(lambda _event: None)
    data = {"host": "a", "task": "Look", "task_action": "service_status", "res": result}
    recorder.take({"event": "runner_on_failed", "event_data": data})
    assert [each.outcome for each in recorder.failures] == [outcome]
