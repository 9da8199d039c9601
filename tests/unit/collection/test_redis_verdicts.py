"""What Redis answers, and what we say about it: recorded conversations with redis-cli --no-raw 7.0."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _redis
from ansible_collections.saveit.remediation.plugins.module_utils._redis import Answers

KEY = "saveit-remediate:check:0123"


def recorded(fixtures: Path, name: str, username: str = "", password: str = "") -> dict[str, str]:
    output = (fixtures / "redis-cli-7.0" / f"{name}.txt").read_text(encoding="utf-8")
    commands = _redis.conversation(KEY, "_reads" not in name, username, password)
    return _redis.parse_cli(commands, output)


RECORDED = [
    # recording, password, verdict, what the sentence says
    ("healthy_reads", "", "healthy", "answers, "),
    ("healthy_writes", "", "healthy", " ms a command"),
    ("auth_right", "secret", "healthy", "answers, "),
    ("loading", "", "loading", "answers PING with LOADING Redis is loading the dataset in memory"),
    ("misconf_reads", "", "misconf", "answers PING with MISCONF Redis is configured to save RDB snapshots"),
    ("misconf", "", "misconf", "answers PING with MISCONF"),
    ("oom_reads", "", "oom", "bytes used of maxmemory 1048576, policy noeviction; writes fail with OOM"),
    ("oom_writes", "", "oom", "answers SET with OOM command not allowed"),
    ("readonly_reads", "", "readonly", "is a read-only replica of 127.0.0.1:17399 (link down)"),
    (
        "readonly_writes",
        "",
        "readonly",
        "answers SET with READONLY You can't write against a read only replica",
    ),
    ("noauth", "", "auth", "answers TIME with NOAUTH Authentication required."),
    ("wrongpass", "wrong", "auth", "answers AUTH with WRONGPASS invalid username-password pair"),
    ("noperm", "pw", "auth", "answers TIME with NOPERM this user has no permissions"),
]


@pytest.mark.parametrize(("name", "password", "word", "says"), RECORDED, ids=[row[0] for row in RECORDED])
def test_each_recorded_conversation_has_its_verdict(
    fixtures: Path, name: str, password: str, word: str, says: str
) -> None:
    username = "limited" if name == "noperm" else ""
    replies = recorded(fixtures, name, username, password)
    verdict, sentence = _redis.verdict(Answers(replies), slow_milliseconds=100)
    assert (verdict, says in sentence) == (word, True), sentence


@pytest.mark.parametrize(("name", "password", "word", "says"), RECORDED, ids=[row[0] for row in RECORDED])
def test_each_recorded_conversation_has_a_reply_to_every_command(
    fixtures: Path, name: str, password: str, word: str, says: str
) -> None:
    username = "limited" if name == "noperm" else ""
    commands = _redis.conversation(KEY, "_reads" not in name, username, password)
    assert list(recorded(fixtures, name, username, password)) == _redis.names(commands)


def test_an_error_in_place_of_an_info_text_is_an_error(fixtures: Path) -> None:
    # redis-cli prints INFO bare even with --no-raw, and so it does with the error that came instead
    replies = recorded(fixtures, "noperm", "limited", "pw")
    assert replies["INFO memory"].startswith("(error) NOPERM")
    assert replies["SET"].startswith("(error) NOPERM")


def test_a_user_who_may_do_all_but_info_is_told_so() -> None:
    text = '1) "1"\n2) "0"\nPONG\nNOPERM this user has no permissions to run the \'info\' command\n'
    replies = _redis.parse_cli([["TIME"], ["PING"], ["INFO", "memory"]], text)
    assert _redis.verdict(Answers(replies), 100)[0] == "auth"


def test_a_conversation_that_stops_gives_the_replies_that_came(fixtures: Path) -> None:
    replies = recorded(fixtures, "timeout_writes")
    assert list(replies) == ["TIME", "PING", "INFO memory", "INFO persistence", "INFO replication"]


@pytest.mark.parametrize("cut", range(0, 2700, 50))
def test_output_that_is_cut_anywhere_is_no_traceback(fixtures: Path, cut: int) -> None:
    output = (fixtures / "redis-cli-7.0" / "healthy_writes.txt").read_text(encoding="utf-8")[:cut]
    replies = _redis.parse_cli(_redis.conversation(KEY, True, "", ""), output)
    word, _sentence = _redis.verdict(Answers(replies), 100)
    assert word in _redis.VERDICTS


@pytest.mark.parametrize(
    "output", ["", "\n\n", "\x00\xff", "<html>", "1)", "bad:line:" * 9, "(error)", "(error) "]
)
def test_garbage_is_no_traceback(output: str) -> None:
    replies = _redis.parse_cli(_redis.conversation(KEY, True, "", ""), output)
    assert _redis.verdict(Answers(replies), 100)[0] in _redis.VERDICTS


def test_garbled_numbers_in_info_are_no_traceback() -> None:
    replies = {"INFO memory": "# Memory\nmaxmemory:many\nused_memory:\nmaxmemory_policy:noeviction"}
    assert _redis.verdict(Answers(replies), 100)[0] == "healthy"


@pytest.mark.parametrize(
    ("ended", "word", "sentence"),
    [
        ("refused", "refused", "refuses connections: port closed"),
        ("timeout", "timeout", "does not answer: port closed"),
        ("error", "error", "cannot be understood: port closed"),
    ],
)
def test_how_the_conversation_ended_comes_first(ended: str, word: str, sentence: str) -> None:
    assert _redis.verdict(Answers({"PING": "(error) LOADING"}, ended, "port closed"), 100) == (word, sentence)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("LOADING Redis is loading", "loading"),
        ("BUSY Redis is busy running a script", "error"),
        ("CLUSTERDOWN The cluster is down", "error"),
        ("ERR unknown command", "error"),
    ],
)
def test_an_error_is_named_by_its_code(code: str, word: str) -> None:
    assert _redis.verdict(Answers({"PING": f"(error) {code}"}), 100)[0] == word


@pytest.mark.parametrize(
    ("limit", "word", "sentence"),
    [
        (249.9, "slow", "answers slowly, 250 ms a command (more than 249.9 ms)"),
        (250, "healthy", "answers, 250 ms a command"),
    ],
)
def test_slow_is_above_the_limit_by_the_clock_of_the_server(limit: float, word: str, sentence: str) -> None:
    replies = {"TIME": '1) "100"\n2) "0"', "PING": "PONG", "GET": '"1"', "DEL": "(integer) 1"}
    replies["TIME 2"] = '1) "101"\n2) "0"'
    assert _redis.verdict(Answers(replies), limit) == (word, sentence)


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_a_full_memory_with_eviction_is_healthy(policy: str) -> None:
    info = f"maxmemory:100\nused_memory:200\nmaxmemory_policy:{policy}"
    assert _redis.verdict(Answers({"INFO memory": info}), 100)[0] == "healthy"


def test_memory_that_is_not_counted_for_eviction_is_not_out_of_memory() -> None:
    info = "maxmemory:100\nused_memory:120\nmem_not_counted_for_evict:40\nmaxmemory_policy:noeviction"
    assert _redis.verdict(Answers({"INFO memory": info}), 100)[0] == "healthy"


def test_a_replica_that_takes_writes_is_healthy() -> None:
    info = "role:slave\nslave_read_only:0\nmaster_host:primary"
    assert _redis.verdict(Answers({"INFO replication": info}), 100)[0] == "healthy"


@pytest.mark.parametrize(
    ("replies", "came_back"),
    [
        ({}, None),
        ({"SET": "OK", "GET": '"1"', "DEL": "(integer) 1"}, True),
        ({"SET": "OK", "GET": "(nil)", "DEL": "(integer) 1"}, False),
        ({"SET": "OK", "GET": '"1"', "DEL": "(integer) 0"}, False),
        ({"SET": "OK"}, False),
        ({"SET": "(error) READONLY", "GET": "(nil)", "DEL": "(error) READONLY"}, False),
    ],
)
def test_a_round_trip_is_a_key_that_went_in_came_back_and_is_gone(
    replies: dict[str, str], came_back: bool | None
) -> None:
    assert _redis.roundtrip(replies) is came_back


def test_reads_only_means_no_write_in_the_conversation() -> None:
    commands = _redis.conversation(KEY, False, "", "")
    assert [command[0] for command in commands] == ["TIME", "PING", "INFO", "INFO", "INFO", "TIME"]


@pytest.mark.parametrize(
    ("username", "password", "first"),
    [
        ("", "", ["TIME"]),
        ("", "pw", ["AUTH", "pw"]),
        ("me", "pw", ["AUTH", "me", "pw"]),
        ("me", "", ["TIME"]),
    ],
)
def test_a_password_is_given_first(username: str, password: str, first: list[str]) -> None:
    assert _redis.conversation(KEY, True, username, password)[0] == first
