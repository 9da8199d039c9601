"""What Ansible tells while it runs: events of another shape say nothing, and secrets stay out."""

from __future__ import annotations

from typing import Any

import pytest

from saveit_remediate.run.events import Recorder
from saveit_remediate.run.result import RemedyEvent, RunEvent, StepFinished

URL = "redis://:hunter2@redis:6379"


def told(*events: dict[str, Any]) -> tuple[Recorder, list[RunEvent]]:
    said: list[RunEvent] = []
    recorder = Recorder(said.append)
    for event in events:
        recorder.take(event)
    return recorder, said


def failed(**result: Any) -> dict[str, Any]:
    return {"event": "runner_on_failed", "event_data": {"host": "a", "task": "b", "res": result}}


@pytest.mark.parametrize(
    "event",
    [
        {"event": "playbook_on_stats", "event_data": {"artifact_data": 1.5, "processed": 2, "failures": "x"}},
        {"event": "playbook_on_stats", "event_data": [1]},
        {"event": "runner_on_ok", "event_data": {"res": {"results": 3, "ansible_stats": {"data": 1}}}},
        {"event": "runner_on_ok", "event_data": {"res": {"results": ["x"], "remediation_events": {"a": 1}}}},
        {"event": None, "stdout": 5, "event_data": None},
    ],
)
def test_an_event_of_another_shape_says_nothing(event: dict[str, Any]) -> None:
    recorder, said = told(event)
    assert recorder.published == {}
    assert not [each for each in said if isinstance(each, RemedyEvent)]


def test_secrets_end_here() -> None:
    event = {"kind": "remedy-started", "sentence": URL, "password": "hunter2"}
    published = {"remediation": {"findings": [{"sentence": URL}]}}
    recorder, said = told(
        {**failed(msg=URL, remediation_events=[event], ansible_stats={"data": published}), "stdout": URL},
        {"event": "playbook_on_stats", "event_data": {"artifact_data": published}},
    )
    assert [type(each) for each in said] == [RemedyEvent, StepFinished]
    assert recorder.failures[0].sentence == "redis://:********@redis:6379"
    assert "hunter2" not in repr((recorder, said))
