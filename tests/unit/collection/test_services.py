"""service_info, service_restart, service_exec and service_logs: the whole conversation of each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _service_exec,
    _service_info,
    _service_logs,
    _service_restart,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    FailedError,
    ObstacleError,
)

TARGET: dict[str, Any] = {
    "platform": "compose",
    "project": "saveit",
    "service_names": {},
    "docker_command": ["docker"],
    "service": "redis",
}
ONLY_THIS: dict[str, Any] = {"required": True, "otherwise": "", "otherwise_port": 0}
STATUSES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")
EXEC = ["docker", "exec", "-i", "1", "timeout", "10"]


def containers(*statuses: str) -> str:
    return json.dumps(
        [
            {
                "Id": str(number),
                "Name": f"/saveit-redis-{number}",
                "State": {"Status": status, "StartedAt": f"2026-11-23T02:4{number}:00Z", "FinishedAt": "T"},
            }
            for number, status in enumerate(statuses, 1)
        ]
    )


def ids(*statuses: str) -> dict[str, str]:
    return {str(number): "redis" for number, _status in enumerate(statuses, 1)}


def look(conversation: Any, *statuses: str) -> None:
    conversation.expect_look(ids(*statuses), containers(*statuses))


def restart(conversation: Any, method: str, check_mode: bool = False) -> Any:
    parameters = {**TARGET, "method": method, "grace_seconds": 3}
    return _service_restart.run(parameters, conversation.carrier(check_mode))


ACTIONS = [
    # method, the state it is for, docker's command, word
    ("start", "exited", ["start"], "started"),
    ("start", "created", ["start"], "started"),
    ("unpause", "paused", ["unpause"], "unpaused"),
    ("restart", "running", ["restart", "--time=3"], "restarted"),
]


@pytest.mark.parametrize(("method", "status", "command", "word"), ACTIONS)
def test_it_looks_acts_and_looks_again(
    conversation: Any, method: str, status: str, command: list[str], word: str
) -> None:
    look(conversation, status)
    conversation.expect(["docker", *command, "1"])
    look(conversation, "running")
    result = restart(conversation, method)
    assert (result.verdict, result.changed) == (word, True)
    assert result.sentence == f"redis was {word} (saveit-redis-1)"
    assert result.diff["before"].startswith("saveit-redis-1: ")
    assert result.diff["after"] == "saveit-redis-1: running since 2026-11-23T02:41:00Z\n"
    assert result.returned["service"]["state"] == "running"


@pytest.mark.parametrize(("method", "status", "command", "word"), ACTIONS)
def test_check_mode_looks_and_does_not_act(
    conversation: Any, method: str, status: str, command: list[str], word: str
) -> None:
    look(conversation, status)
    result = restart(conversation, method, check_mode=True)
    assert (result.verdict, result.changed) == ("planned", True)
    assert result.sentence == f"would {method} redis (saveit-redis-1)"
    assert result.diff["after"] == f"saveit-redis-1: running, {word} by this task\n"


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("method", "status"),
    [
        (method, status)
        for method in ("start", "unpause", "restart")
        for status in STATUSES
        if (method, status) not in {(row[0], row[1]) for row in ACTIONS}
    ],
)
def test_in_any_other_state_nothing_is_done_and_the_reason_is_said(
    conversation: Any, method: str, status: str, check_mode: bool
) -> None:
    look(conversation, status)
    result = restart(conversation, method, check_mode)
    assert (result.verdict, result.changed) == ("unchanged", False)
    assert f"{method} acts only on " in result.sentence


def test_only_the_instances_that_need_it_are_touched(conversation: Any) -> None:
    look(conversation, "running", "exited", "paused", "exited")
    conversation.expect(["docker", "start", "2"]).expect(["docker", "start", "4"])
    look(conversation, "running", "running", "paused", "running")
    result = restart(conversation, "start")
    assert result.sentence == "redis was started (saveit-redis-2, saveit-redis-4)"
    assert len(result.diff["before"].splitlines()) == len(result.diff["after"].splitlines()) == 2


def begun(took: float | None, start_period: float = 0) -> tuple[str, str]:
    """A container that began its last start at 02:47:11.5, and what it logged of that."""
    state = {"Status": "running", "StartedAt": "2026-11-23T02:47:11.5Z"}
    check = {"Healthcheck": {"Test": ["CMD", "x"], "StartPeriod": int(start_period * 1e9)}}
    container = [{"Id": "1", "Name": "/saveit-redis-1", "State": state, "Config": check}]
    ready = "" if took is None else f"2026-11-23T02:47:{11.5 + took}Z Ready to accept connections\n"
    return json.dumps(container), f"2026-11-23T02:47:11.6Z starting\n{ready}"


@pytest.mark.parametrize(
    ("took", "start_period", "patience"),
    [(19.0, 0, 57), (2.0, 0, 6), (2.0, 90, 90), (None, 90, 90), (None, 0, None), (None, 900, 300)],
)
def test_a_start_may_take_three_times_what_the_last_one_took_and_what_its_own_check_gives_it(
    conversation: Any, took: float | None, start_period: float, patience: float | None
) -> None:
    inspected, log = begun(took, start_period)
    conversation.expect_look(ids("running"), inspected)
    for until in ("1795402069.000", "1795402331.500")[: 1 if took else 2]:  # the first seconds, then more
        window = ["--since=1795402031.500", f"--until={until}"]
        conversation.expect(["docker", "logs", "--timestamps", *window, "1"], log)
    conversation.expect(["docker", "restart", "--time=3", "1"])
    conversation.expect_look(ids("running"), inspected)
    parameters = {**TARGET, "method": "restart", "grace_seconds": 3, "started_pattern": "Ready to accept"}
    result = _service_restart.run(parameters, conversation.carrier())
    assert result.returned.get("patience_seconds") == patience
    assert ("its last start took" in result.sentence) == (took is not None)


def test_what_is_unpaused_does_not_start(conversation: Any) -> None:
    look(conversation, "paused")
    conversation.expect(["docker", "unpause", "1"])
    look(conversation, "running")
    parameters = {**TARGET, "method": "unpause", "grace_seconds": 3, "started_pattern": "Ready"}
    assert "patience_seconds" not in _service_restart.run(parameters, conversation.carrier()).returned


def test_a_pattern_that_is_none_is_said_before_anything_is_touched(conversation: Any) -> None:
    with pytest.raises(FailedError, match=r"cannot restart redis: started_pattern '\(' is no regular"):
        _service_restart.run({**TARGET, "method": "restart", "started_pattern": "("}, conversation.carrier())


def test_several_services_are_acted_upon_each_as_its_own_state_wants(conversation: Any) -> None:
    """`others` are the other sick ones; one that is in another state is left alone."""
    both = {"1": "redis", "2": "frontend"}
    conversation.expect_look(both, containers("running"))
    conversation.expect_look(both, containers("exited"), of="frontend")
    conversation.expect(["docker", "start", "1"])
    conversation.expect_look(both, containers("running"), of="frontend")
    parameters = {**TARGET, "method": "start", "grace_seconds": 3, "others": ["redis", "frontend"]}
    result = _service_restart.run(parameters, conversation.carrier())
    assert (result.verdict, result.changed) == ("started", True)
    assert result.sentence == "frontend was started (saveit-redis-1)"


LABELS = {
    "com.docker.compose.service": "redis",
    "com.docker.compose.project.config_files": "/srv/compose.yml",
    "com.docker.compose.project.working_dir": "/srv",
}
MADE = json.dumps([{"Id": "1", "Image": "sha256:1", "Config": {"Image": "redis:7", "Labels": LABELS}}])
COMPOSE = ["docker", "compose", "--project-name", "saveit", "--project-directory", "/srv",
           "--file", "/srv/compose.yml"]  # fmt: skip


def ask_how_to_recreate(conversation: Any) -> None:
    conversation.expect(["docker", "inspect", "1"], MADE).expect(["test", "-r", "/srv/compose.yml"])
    conversation.expect(["docker", "image", "inspect", "--format={{.Id}}", "redis:7"], "sha256:1\n")
    conversation.expect(["docker", "compose", "version", "--short"], "2.40.3\n")
    conversation.expect([*COMPOSE, "config", "--quiet"])


@pytest.mark.parametrize("status", ["running", "exited", "created", "dead"])
@pytest.mark.parametrize("check_mode", [False, True])
def test_recreate_asks_whether_it_can_and_check_mode_goes_no_further(
    conversation: Any, status: str, check_mode: bool
) -> None:
    look(conversation, status)
    ask_how_to_recreate(conversation)
    if not check_mode:
        up = ["up", "--detach", "--no-deps", "--no-build", "--force-recreate", "--timeout=3", "redis"]
        conversation.expect([*COMPOSE, *up])
        look(conversation, "running")
    result = restart(conversation, "recreate", check_mode)
    assert (result.verdict, result.changed) == ("planned" if check_mode else "recreated", True)
    assert result.diff


def test_compose_that_fails_is_quoted(conversation: Any) -> None:
    look(conversation, "running")
    ask_how_to_recreate(conversation)
    up = ["up", "--detach", "--no-deps", "--no-build", "--force-recreate", "--timeout=3", "redis"]
    conversation.expect([*COMPOSE, *up], rc=1, stderr="Error: port is already allocated")
    with pytest.raises(FailedError, match="cannot recreate redis: Error: port is already allocated"):
        restart(conversation, "recreate")


def test_the_engine_that_refuses_is_quoted(conversation: Any) -> None:
    look(conversation, "exited")
    conversation.expect(["docker", "start", "1"], stderr="Error response from daemon: port is taken", rc=1)
    with pytest.raises(FailedError, match="cannot start saveit-redis-1: Error response from daemon: port"):
        restart(conversation, "start")


@pytest.mark.parametrize("check_mode", [False, True])
def test_service_info_says_what_it_saw_and_changes_nothing(conversation: Any, check_mode: bool) -> None:
    look(conversation, "running", "paused")
    result = _service_info.run({**TARGET, **ONLY_THIS}, conversation.carrier(check_mode))
    assert (result.verdict, result.changed) == ("paused", False)
    assert result.sentence == "redis: saveit-redis-1 is running; saveit-redis-2 is paused"
    assert result.returned["found"] == "redis"


def test_a_service_that_is_required_and_absent_is_an_obstacle(conversation: Any) -> None:
    conversation.expect_list({"1": "backend"})
    with pytest.raises(ObstacleError, match=r"cannot find the service 'redis'.*the project has backend"):
        _service_info.run({**TARGET, **ONLY_THIS}, conversation.carrier())


def test_a_service_that_is_not_required_may_be_absent(conversation: Any) -> None:
    conversation.expect_list({"1": "backend"})
    result = _service_info.run({**TARGET, **ONLY_THIS, "required": False}, conversation.carrier())
    assert (result.verdict, result.returned["found"]) == ("absent", "")
    assert [each.id for each in result.findings] == ["service-elsewhere"]
    assert result.sentence == "redis: there is no such service"


def test_the_other_service_is_looked_at_where_the_first_is_absent(conversation: Any) -> None:
    conversation.expect_list({"1": "backend"})
    conversation.expect_look({"1": "backend"}, containers("paused"), of="backend")
    given = {**TARGET, "required": False, "otherwise": "backend", "otherwise_port": 0}
    result = _service_info.run(given, conversation.carrier())
    assert (result.verdict, result.returned["found"]) == ("paused", "backend")
    assert result.sentence.startswith("there is no service redis, so backend is looked at; backend: ")
    assert [(each.id, each.subject) for each in result.findings] == [("service-paused", "backend")]


def test_the_other_service_is_not_asked_for_where_the_first_is_there(conversation: Any) -> None:
    look(conversation, "exited")
    given = {**TARGET, "required": True, "otherwise": "backend", "otherwise_port": 0}
    result = _service_info.run(given, conversation.carrier())
    assert (result.verdict, result.returned["found"]) == ("stopped", "redis")


@pytest.mark.parametrize(("port", "found"), [(1883, "backend"), (8883, "")])
def test_the_other_service_stands_in_only_when_it_publishes_the_port(
    conversation: Any, port: int, found: str
) -> None:
    (container,) = json.loads(containers("exited"))
    bound = {
        "8000/tcp": [{"HostPort": "8000"}],
        "1883/tcp": [{"HostIp": "", "HostPort": "1883"}],
        "9/udp": None,
    }
    conversation.expect_list({"1": "backend"})
    conversation.expect_look(
        {"1": "backend"}, json.dumps([{**container, "HostConfig": {"PortBindings": bound}}]), of="backend"
    )
    given = {**TARGET, "required": False, "otherwise": "backend", "otherwise_port": port}
    result = _service_info.run(given, conversation.carrier())
    assert result.returned["found"] == found
    assert [each.id for each in result.findings] == ["service-stopped"] * bool(found)
    if not found:
        assert result.sentence == "backend does not publish port 8883; redis: there is no such service"


def run_inside(conversation: Any, check_mode: bool = False, **more: Any) -> Any:
    given = {
        "command": ["redis-cli", "BGSAVE"],
        "stdin": "",
        "timeout_seconds": 10,
        "reads_only": False,
        **more,
    }
    return _service_exec.run({**TARGET, **given}, conversation.carrier(check_mode))


def test_a_command_runs_in_the_first_running_instance(conversation: Any) -> None:
    conversation.expect_look(ids("running", "running"), containers("running", "running"))
    conversation.expect([*EXEC, "redis-cli", "BGSAVE"], "Background saving started\n", "warning")
    result = run_inside(conversation)
    assert (result.verdict, result.changed) == ("done", True)
    assert result.returned == {"rc": 0, "stdout": "Background saving started\n", "stderr": "warning"}


def test_a_command_keeps_its_arguments_and_its_standard_input(conversation: Any) -> None:
    evil = ["sh", "-c", "echo $HOME; exit", "a b", "*", "'"]
    look(conversation, "running")
    conversation.expect([*EXEC, *evil])
    run_inside(conversation, command=evil, stdin="secret")
    assert conversation.stdin == ["", "", "secret"]


def test_check_mode_runs_nothing_that_may_write(conversation: Any) -> None:
    look(conversation, "running")
    result = run_inside(conversation, check_mode=True)
    assert (result.verdict, result.changed) == ("planned", True)
    assert "rc" not in result.as_return(), "Ansible takes an rc that is not 0 for a failure, and so None"


def test_what_only_reads_runs_in_check_mode_and_changes_nothing(conversation: Any) -> None:
    look(conversation, "running")
    conversation.expect([*EXEC, "redis-cli", "BGSAVE"])
    assert not run_inside(conversation, check_mode=True, reads_only=True).changed


@pytest.mark.parametrize(
    ("rc", "said", "sentence"),
    [
        (1, "ERR no", "'redis-cli' in saveit-redis-1 failed with exit code 1: ERR no"),
        (124, "", "'redis-cli' in saveit-redis-1 did not end within 10 s, and was ended"),
        (143, "", "'redis-cli' in saveit-redis-1 did not end within 10 s, and was ended"),
        (127, "timeout: failed to run command", "failed with exit code 127: timeout: failed to run command"),
    ],
)
def test_a_command_that_fails_fails_the_task(conversation: Any, rc: int, said: str, sentence: str) -> None:
    look(conversation, "running")
    conversation.expect([*EXEC, "redis-cli", "BGSAVE"], stderr=said, rc=rc)
    with pytest.raises(FailedError, match=sentence):
        run_inside(conversation)


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "running"])
def test_nothing_runs_in_an_instance_that_does_not_run(conversation: Any, status: str) -> None:
    look(conversation, status)
    with pytest.raises(FailedError, match="cannot run 'redis-cli' in redis: saveit-redis-1"):
        run_inside(conversation)


def test_an_empty_command_is_refused_before_anything_is_asked(conversation: Any) -> None:
    with pytest.raises(FailedError, match="the command is empty"):
        run_inside(conversation, command=[])


LOG = (
    "2026-11-23T02:48:10Z ✗ Redis connection failed: redis://app:hunter2@redis:6379\n"
    "2026-11-23T02:48:11Z served\n"
)


def read_log(conversation: Any, **more: Any) -> Any:
    given = {
        "required": True,
        "tail": 100,
        "since_seconds": 60.0,
        "since_start": False,
        "count": {"redis_errors": "(?i)redis.*failed"},
        **more,
    }
    return _service_logs.run({**TARGET, **given}, conversation.carrier())


def expect_log(conversation: Any, stdout: str, stderr: str = "") -> None:
    look(conversation, "running")
    conversation.expect(["docker", "logs", "--timestamps", "--tail=100", "--since=60s", "1"], stdout, stderr)


def test_what_was_said_before_the_last_start_says_nothing_about_this_life(conversation: Any) -> None:
    """The container was started at 02:41:00."""
    before = "2026-11-23T02:40:59.9Z redis: connection refused\n"
    expect_log(conversation, f"{before}2026-11-23T02:41:00.1Z redis: connection refused\nwithout a time\n")
    result = read_log(conversation, since_start=True)
    assert result.returned["lines"] == ["2026-11-23T02:41:00.1Z redis: connection refused"]


def test_matching_lines_are_counted_and_shown_without_secrets(conversation: Any) -> None:
    expect_log(conversation, LOG, "2026-11-23T02:48:12Z on stderr\n")
    result = read_log(conversation)
    assert result.sentence == "redis: 3 log lines of the last 60 s: 1 redis_errors"
    assert [(each.name, each.value) for each in result.evidence] == [("redis.redis_errors", 1)]
    assert "hunter2" not in json.dumps(result.as_return())
    assert result.returned["matching"]["redis_errors"] == [result.returned["lines"][0]]


def test_no_line_is_zero_and_not_no_data(conversation: Any) -> None:
    expect_log(conversation, "")
    result = read_log(conversation)
    assert (result.evidence[0].value, result.returned["lines"]) == (0, [])


def test_a_service_that_is_not_required_may_have_no_log_which_is_no_data(conversation: Any) -> None:
    conversation.expect_list({"1": "backend"})
    result = read_log(conversation, required=False)
    assert (result.verdict, result.returned["lines"]) == ("absent", [])
    assert [(each.name, each.value) for each in result.evidence] == [("redis.redis_errors", None)]


@pytest.mark.parametrize("pattern", ["(", "*", "[a"])
def test_a_bad_pattern_is_said_before_anything_is_asked(conversation: Any, pattern: str) -> None:
    with pytest.raises(FailedError, match=r"cannot count 'bad' in the log: .* is no regular expression"):
        read_log(conversation, count={"bad": pattern})
