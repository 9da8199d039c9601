"""service_reload: validate first, then signal; the whole conversation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _service_reload
from ansible_collections.saveit.remediation.plugins.module_utils._compose import look
from ansible_collections.saveit.remediation.plugins.module_utils._reload import reload
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

PARAMETERS: dict[str, Any] = {
    "platform": "compose",
    "project": "saveit",
    "service_names": {},
    "docker_command": ["docker"],
    "service": "nginx",
    "validate_command": ["nginx", "-t"],
    "signal": "HUP",
    "validate_timeout_seconds": 4.0,
}
EXEC = ["docker", "exec", "-i", "1", "timeout", "4", "nginx", "-t"]
KILL = ["docker", "kill", "--signal=HUP", "1"]


def seen(conversation: Any, *states: str) -> None:
    inspected = [
        {"Id": str(number), "Name": f"/saveit-nginx-{number}", "State": {"Status": state}}
        for number, state in enumerate(states, 1)
    ]
    names = {str(number): "nginx" for number, _state in enumerate(states, 1)}
    conversation.expect_look(names, json.dumps(inspected), of="nginx")


def test_it_validates_and_then_signals(conversation: Any) -> None:
    seen(conversation, "running")
    conversation.expect(EXEC).expect(KILL)
    result = _service_reload.run(PARAMETERS, conversation.carrier())
    assert (result.verdict, result.changed) == ("reloaded", True)
    assert result.sentence == "nginx: saveit-nginx-1 reloaded, after `nginx -t` found it valid"


def test_check_mode_signals_nothing(conversation: Any) -> None:
    seen(conversation, "running")
    result = _service_reload.run(PARAMETERS, conversation.carrier(check_mode=True))
    assert (result.verdict, result.changed) == ("planned", True)
    assert result.sentence == ("would send SIGHUP to nginx (saveit-nginx-1), after `nginx -t` found it valid")
    assert result.diff is not None
    assert result.diff["before"] != result.diff["after"]


def test_without_a_validation_it_only_signals(conversation: Any) -> None:
    seen(conversation, "running")
    conversation.expect(KILL)
    result = _service_reload.run({**PARAMETERS, "validate_command": []}, conversation.carrier())
    assert result.sentence == "nginx: saveit-nginx-1 reloaded"


@pytest.mark.parametrize("state", ["exited", "paused", "restarting"])
def test_what_does_not_run_is_left_alone(conversation: Any, state: str) -> None:
    seen(conversation, state)
    result = _service_reload.run(PARAMETERS, conversation.carrier())
    assert (result.verdict, result.changed) == ("unchanged", False)


@pytest.mark.parametrize(
    ("code", "said", "why"),
    [(1, "key values mismatch", "key values mismatch"), (124, "", "no answer within 4 s")],
)
def test_what_is_not_valid_gets_no_signal(conversation: Any, code: int, said: str, why: str) -> None:
    seen(conversation, "running", "running")
    conversation.expect(EXEC, stderr=said, rc=code)
    seen(conversation, "running", "running")
    with pytest.raises(FailedError) as caught:
        _service_reload.run(PARAMETERS, conversation.carrier())
    assert str(caught.value) == (
        f"saveit-nginx-1 is not reloaded: `nginx -t` says that what it would read is not valid: {why}"
    )


def test_one_that_waits_for_good_files_is_started(conversation: Any) -> None:
    seen(conversation, "restarting", "exited")
    service = look(PARAMETERS, conversation.carrier(), "nginx")
    conversation.expect(["docker", "start", "2"]).expect(["docker", "restart", "--time=3", "1"])
    did = reload(PARAMETERS, conversation.carrier(), service)
    assert did == "saveit-nginx-1 started, saveit-nginx-2 started"


def test_one_that_ends_during_the_validation_is_restarted(conversation: Any) -> None:
    """A container in a crash loop runs for a moment at each start."""
    seen(conversation, "running")
    service = look(PARAMETERS, conversation.carrier(), "nginx")
    conversation.expect(EXEC, stderr="container 1 is restarting", rc=1)
    seen(conversation, "restarting")
    conversation.expect(["docker", "restart", "--time=3", "1"])
    assert reload(PARAMETERS, conversation.carrier(), service) == "saveit-nginx-1 started"


def test_a_paused_one_cannot_be_reloaded(conversation: Any) -> None:
    seen(conversation, "paused")
    service = look(PARAMETERS, conversation.carrier(), "nginx")
    with pytest.raises(FailedError, match="cannot reload nginx: saveit-nginx-1 is paused"):
        reload(PARAMETERS, conversation.carrier(), service)
