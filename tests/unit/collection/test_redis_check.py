"""redis_check: inside the container by redis-cli, and directly against a real server on loopback."""

from __future__ import annotations

import json
import shlex
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _redis_check
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result

INSIDE = ["docker", "exec", "-i", "1", "timeout", "2"]
CLI = ["redis-cli", "--no-raw", "-h", "127.0.0.1", "-p", "6379"]


def parameters(**more: Any) -> dict[str, Any]:
    defaults = {name: spec.get("default") for name, spec in _redis_check.ARGUMENTS.items()}
    return {**defaults, "platform": "compose", **more}


def container(status: str) -> str:
    return json.dumps([{"Id": "1", "Name": "/saveit-redis", "State": {"Status": status, "FinishedAt": "T"}}])


def look(conversation: Any, status: str = "running") -> None:
    conversation.expect_look({"1": "redis"}, container(status))


def values(result: Result) -> dict[str, Any]:
    return {each.name: each.value for each in result.evidence}


def test_it_asks_inside_the_container_and_tells_what_it_heard(conversation: Any, fixtures: Path) -> None:
    look(conversation)
    conversation.expect([*INSIDE, *CLI], (fixtures / "redis-cli-7.0/healthy_writes.txt").read_text("utf-8"))
    result = _redis_check.run(parameters(writes=True), conversation.carrier())
    assert (result.verdict, result.changed, result.findings) == ("healthy", False, [])
    assert result.sentence.startswith("redis (saveit-redis) answers, ")
    assert values(result)["redis.answer"] == "healthy"
    assert values(result)["redis.roundtrip"] is True


@pytest.mark.parametrize("check_mode", [False, True])
def test_check_mode_writes_no_key(conversation: Any, fixtures: Path, check_mode: bool) -> None:
    name = "healthy_reads" if check_mode else "healthy_writes"
    look(conversation)
    conversation.expect([*INSIDE, *CLI], (fixtures / f"redis-cli-7.0/{name}.txt").read_text("utf-8"))
    result = _redis_check.run(parameters(writes=True), conversation.carrier(check_mode))
    assert ("SET" in conversation.stdin[-1]) is not check_mode
    assert values(result)["redis.roundtrip"] is (None if check_mode else True)


def test_a_password_goes_in_by_standard_input_and_comes_out_nowhere(
    conversation: Any, fixtures: Path
) -> None:
    secret = "a b'c\"d"
    look(conversation)
    conversation.expect([*INSIDE, *CLI], (fixtures / "redis-cli-7.0/wrongpass.txt").read_text("utf-8"))
    result = _redis_check.run(
        parameters(password=secret, username="app", writes=True), conversation.carrier()
    )
    first, *_others = conversation.stdin[-1].splitlines()
    assert shlex.split(first) == ["AUTH", "app", secret]
    assert [each.id for each in result.findings] == ["redis-auth"]
    assert secret not in json.dumps(result.as_return())


@pytest.mark.parametrize(
    ("given", "more"),
    [
        ({"port": 6380}, ["-p", "6380"]),
        ({"tls": True}, ["-p", "6379", "--tls", "--insecure"]),
        ({"tls": True, "ca_file": "/ca.pem"}, ["-p", "6379", "--tls", "--cacert", "/ca.pem"]),
    ],
)
def test_port_and_tls_are_arguments(conversation: Any, given: dict[str, Any], more: list[str]) -> None:
    look(conversation)
    conversation.expect([*INSIDE, *CLI[:-2], *more], rc=1, stderr="Could not connect")
    assert _redis_check.run(parameters(**given), conversation.carrier()).verdict == "refused"


NOBODY = "Could not connect to Redis at 127.0.0.1:6379: Connection refused"
ENDINGS = [
    # exit code, recording, errors, verdict, what the sentence says
    (124, "timeout_writes", "", "timeout", "does not answer: no answer to SET within 2 s"),
    (143, "timeout_writes", "", "timeout", "does not answer: no answer to SET within 2 s"),
    (124, "", "", "timeout", "no answer to TIME within 2 s"),
    (1, "", NOBODY, "refused", "Connection refused"),
    (0, "refused", f"{NOBODY}\n" * 9, "refused", "refused"),
    (0, "healthy_reads", "Error: Server closed the connection", "error", "Server closed the connection"),
    (0, "", "Error: Protocol error, got \"H\" as reply type byte", "error", "Protocol error"),
]  # fmt: skip


@pytest.mark.parametrize(("rc", "name", "said", "verdict", "says"), ENDINGS)
def test_a_conversation_that_ends_early_has_its_verdict(
    conversation: Any, fixtures: Path, rc: int, name: str, said: str, verdict: str, says: str
) -> None:
    output = (fixtures / f"redis-cli-7.0/{name}.txt").read_text("utf-8") if name else ""
    look(conversation)
    conversation.expect([*INSIDE, *CLI], output, said, rc)
    result = _redis_check.run(parameters(writes=True), conversation.carrier())
    assert result.verdict == verdict
    assert says in result.sentence
    assert [each.id for each in result.findings] == [f"redis-{verdict}"]


@pytest.mark.parametrize(
    ("status", "verdict", "says"),
    [
        ("exited", "refused", "refuses connections: saveit-redis is stopped, exit code 0 at T"),
        ("created", "refused", "was created and never started"),
        ("restarting", "refused", "restarts again and again"),
        ("paused", "timeout", "does not answer: saveit-redis is paused"),
    ],
)
def test_a_container_that_does_not_run_is_not_asked(
    conversation: Any, status: str, verdict: str, says: str
) -> None:
    look(conversation, status)
    result = _redis_check.run(parameters(), conversation.carrier())
    assert (result.verdict, says in result.sentence) == (verdict, True), result.sentence


@pytest.mark.parametrize(
    ("rc", "said"),
    [
        (127, "timeout: failed to run command 'redis-cli': No such file or directory"),
        (126, 'OCI runtime exec failed: exec failed: exec: "timeout": executable file not found in $PATH'),
    ],
)
def test_a_container_without_redis_cli_is_a_failure_that_says_what_to_do(
    conversation: Any, rc: int, said: str
) -> None:
    look(conversation)
    conversation.expect([*INSIDE, *CLI], stderr=said, rc=rc)
    with pytest.raises(FailedError, match=r"cannot run redis-cli in saveit-redis: .*; set redis_host"):
        _redis_check.run(parameters(), conversation.carrier())


def loading(conversation: Any, fixtures: Path, times: int, then: str = "") -> None:
    for name in ["loading"] * times + [then] * bool(then):
        text = (fixtures / f"redis-cli-7.0/{name}.txt").read_text("utf-8")
        look(conversation)
        conversation.expect([*INSIDE, *CLI], text)


def test_it_waits_while_redis_loads_and_no_longer(conversation: Any, fixtures: Path) -> None:
    loading(conversation, fixtures, 3, "healthy_writes")
    result = _redis_check.run(parameters(wait_seconds=300, writes=True), conversation.carrier())
    assert (result.verdict, conversation.clock.slept) == ("healthy", [1, 1, 1])


def test_waiting_ends(conversation: Any, fixtures: Path) -> None:
    loading(conversation, fixtures, 4)
    result = _redis_check.run(parameters(wait_seconds=3, writes=True), conversation.carrier())
    assert (result.verdict, result.returned["loading_eta_seconds"]) == ("loading", 40)
    assert sum(conversation.clock.slept) == 3


@pytest.mark.parametrize(("wait", "check_mode"), [(0, False), (300, True)])
def test_without_wait_and_in_check_mode_one_look_is_all(
    conversation: Any, fixtures: Path, wait: int, check_mode: bool
) -> None:
    loading(conversation, fixtures, 1)
    given = parameters(wait_seconds=wait, writes=not check_mode)
    text = conversation.turns[-1][1].stdout
    if check_mode:  # reads only: cut the replies to the three writes out of the recording
        lines = [line for number, line in enumerate(text.splitlines()) if number < len(text.splitlines()) - 5]
        conversation.turns[-1] = (
            conversation.turns[-1][0],
            conversation.turns[-1][1]._replace(stdout="\n".join([*lines, *text.splitlines()[-2:]])),
        )
    assert _redis_check.run(given, conversation.carrier(check_mode)).verdict == "loading"
    assert conversation.clock.slept == []


# The rest speaks to a real server.

Server = Callable[..., dict[str, Any]]


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Server]:
    """Starts redis-server on loopback, and gives what redis_check needs to reach it."""
    binary = shutil.which("redis-server")
    if not binary:
        pytest.skip("redis-server is not on PATH (Debian: apt-get install redis-server)")
    started: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> dict[str, Any]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        fixed = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
        with (tmp_path / "log").open("wb") as log:
            started.append(subprocess.Popen([binary, *fixed, *options], stdout=log, stderr=log))
        _until_it_listens(port)
        return {"host": "127.0.0.1", "port": port, "writes": True}

    yield start
    for process in started:
        process.kill()
        process.wait()


def _until_it_listens(port: int) -> None:
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            threading.Event().wait(0.02)
        else:
            return
    raise AssertionError("redis-server did not start")


def directly(**given: Any) -> Result:
    def no_command(command: Any, stdin: str) -> Any:
        raise AssertionError(command)

    return _redis_check.run(parameters(**given), Carrier(no_command, time.time, lambda _seconds: None))


def test_a_real_server_is_healthy_and_keeps_no_key(redis_server: Server) -> None:
    import redis

    server = redis_server()
    result = directly(**server)
    assert (result.verdict, values(result)["redis.roundtrip"]) == ("healthy", True)
    assert result.sentence.startswith(f"redis (127.0.0.1:{server['port']}) answers, ")
    assert redis.Redis(port=server["port"]).dbsize() == 0


@pytest.mark.parametrize(
    ("options", "given", "verdict"),
    [
        (["--requirepass", "right"], {}, "auth"),
        (["--requirepass", "right"], {"password": "wrong"}, "auth"),
        (["--requirepass", "right"], {"password": "right"}, "healthy"),
        (["--requirepass", "right"], {"username": "nobody", "password": "right"}, "auth"),
        (["--requirepass", "right"], {"username": "default", "password": "right"}, "healthy"),
        ([], {"password": "not wanted"}, "auth"),
        (["--maxmemory", "500kb", "--maxmemory-policy", "noeviction"], {"writes": False}, "oom"),
        (["--maxmemory", "500kb", "--maxmemory-policy", "noeviction"], {"writes": True}, "oom"),
        (["--replicaof", "127.0.0.1", "1"], {"writes": False}, "readonly"),
        (["--replicaof", "127.0.0.1", "1"], {"writes": True}, "readonly"),
        (["--rename-command", "INFO", ""], {}, "error"),
    ],
)
def test_a_real_server_with_a_fault(
    redis_server: Server, options: list[str], given: dict[str, Any], verdict: str
) -> None:
    result = directly(**{**redis_server(*options), **given})
    assert result.verdict == verdict, result.sentence


def test_a_real_server_that_is_stopped_does_not_answer_in_time(redis_server: Server) -> None:
    import redis

    server = redis_server()
    redis.Redis(port=server["port"]).execute_command("CLIENT", "PAUSE", "3000", "ALL")
    begun = time.monotonic()
    result = directly(**server, timeout_seconds=0.2)
    assert (result.verdict, time.monotonic() - begun < 2) == ("timeout", True)
    assert "no answer to TIME within 0.2 s" in result.sentence


def test_a_real_server_that_is_slow_by_its_own_clock(redis_server: Server) -> None:
    assert directly(**redis_server(), slow_milliseconds=0).verdict == "slow"


def test_nothing_listens() -> None:
    result = directly(host="127.0.0.1", port=1)
    assert (result.verdict, "refuses connections" in result.sentence) == ("refused", True)


@pytest.mark.parametrize(
    "speaks", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\x00\x01\x02\r\n", b"$-5\r\n"]
)
def test_what_is_no_redis_is_a_finding_and_no_traceback(speaks: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            client, _address = listening.accept()
            with client:
                client.recv(100)
                client.sendall(speaks)

        threading.Thread(target=serve, daemon=True).start()
        result = directly(host="127.0.0.1", port=listening.getsockname()[1], timeout_seconds=0.5)
    assert result.verdict in ("refused", "error", "timeout"), result.sentence


def test_loading_is_told_apart_over_a_connection_of_our_own(redis_server: Server, tmp_path: Path) -> None:
    import redis

    server = redis_server()
    client = redis.Redis(port=server["port"])
    client.mset({f"key:{number}": number for number in range(20_000)})
    client.save()
    delays = ["--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024"]
    result = directly(**redis_server(*delays))
    assert result.verdict == "loading", result.sentence
    assert result.returned["loading_eta_seconds"] is not None


def test_misconf_is_told_apart_over_a_connection_of_our_own(redis_server: Server, tmp_path: Path) -> None:
    import redis

    server = redis_server("--save", "3600 1", "--dbfilename", "blocked.rdb")
    client = redis.Redis(port=server["port"], decode_responses=True)
    client.ping()  # it listens before it has looked for a file to load, and ends where that is a folder
    (tmp_path / "blocked.rdb").mkdir()
    client.set("a", 1)
    client.bgsave()
    ends = time.monotonic() + 10
    while time.monotonic() < ends and client.info("persistence")["rdb_last_bgsave_status"] == "ok":
        threading.Event().wait(0.02)
    assert directly(**server).verdict == "misconf"
