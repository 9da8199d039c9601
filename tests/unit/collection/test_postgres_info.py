"""postgres_info: what is asked inside the container, and what the answers mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _postgres_info, _postgres_sql
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    FailedError,
    ObstacleError,
    Result,
)

ENVIRONMENT = [
    "env",
    "PGAPPNAME=saveit-remediate",
    "PGCONNECT_TIMEOUT=4",
    "PGDATABASE=saveit",
    "PGPORT=5432",
    "PGOPTIONS=-c statement_timeout=4000",
]
PSQL = [*ENVIRONMENT, "psql", "-X", "-A", "-t", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-U"]
INSIDE = ["docker", "exec", "-i", "1", "timeout", "4"]
FAILING = {"name": "backend", "verdict": "failing", "sentence": "5 of 12 answers 503", "said": []}
POOL = "QueuePool limit of size 10 overflow 20 reached, connection timed out, timeout 30.00"
AUTH = 'connection to server at "postgres" failed: FATAL:  password authentication failed for user "saveit"'
SLOTS = 'connection to server at "postgres", port 5432 failed: FATAL:  sorry, too many clients already'


def parameters(**more: Any) -> dict[str, Any]:
    defaults = {name: spec.get("default") for name, spec in _postgres_info.ARGUMENTS.items()}
    return {**defaults, "platform": "compose", **more}


def look(conversation: Any, status: str = "running") -> None:
    container = [{"Id": "1", "Name": "/saveit-postgres", "State": {"Status": status, "FinishedAt": "T"}}]
    conversation.expect_look({"1": "postgres"}, json.dumps(container), of="postgres")


def session(pid: int, state: str | None = "idle", **more: Any) -> dict[str, Any]:
    common = {"pid": pid, "database": "saveit", "user": "saveit", "application": "shop", "client": "10.0.0.7"}
    times = {"seconds": 20.0, "query_seconds": 20.0, "waiting": False, "blocked_by": [], "query": None}
    return {**common, "state": state, **times, **more}


def document(*sessions: dict[str, Any], **about: Any) -> str:
    said = {
        "version": 150018,
        "max_connections": 10,
        "superuser_reserved": 3,
        "reserved": 0,
        "in_recovery": False,
        "read_only": False,
        "user": "saveit",
        "superuser": True,
        "may_signal": True,
        "may_read": True,
    }
    return json.dumps({"about": {**said, **about}, "sessions": list(sessions), "milliseconds": 2.5})


def judged(conversation: Any, answer: str, **more: Any) -> Result:
    look(conversation)
    conversation.expect([*INSIDE, *PSQL, "saveit"], answer)
    return _postgres_info.run(parameters(**more), conversation.carrier())


def ids(result: Result) -> list[str]:
    return [each.id for each in result.findings]


def values(result: Result) -> dict[str, Any]:
    return {each.name: each.value for each in result.evidence}


def test_a_recorded_answer_of_the_lab_is_healthy(conversation: Any, fixtures: Path) -> None:
    result = judged(conversation, (fixtures / "postgresql-15.18/healthy.json").read_text("utf-8"))
    assert (result.verdict, result.changed, result.findings) == ("healthy", False, [])
    assert conversation.stdin[-1] == _postgres_sql.INFO
    assert "PostgreSQL 15.18, " in result.sentence
    assert values(result)["postgres.slots"] == "free"
    assert values(result)["postgres.waiting"] == 0


WAITER = session(1, "active", waiting=True, blocked_by=[2], query="SELECT 1")
HELD = [
    ([session(2, "idle in transaction", application="nightly")], "database-idle-in-transaction", "(nightly)"),
    ([session(2, "active")], "database-lock-waiting", "session 2 of saveit"),
    ([], "database-lock-waiting", "a session that cannot be seen"),
    # 3 holds what 2 waits for: 2 is no cause.
    (
        [session(2, "active", waiting=True, blocked_by=[3]), session(3, "idle in transaction (aborted)")],
        "database-idle-in-transaction",
        "2 queries wait for locks, up to 20 s, held by session 3 ",
    ),
]


@pytest.mark.parametrize(("others", "finding", "said"), HELD)
def test_who_holds_up_others_is_named(
    conversation: Any, others: list[dict[str, Any]], finding: str, said: str
) -> None:
    result = judged(conversation, document(WAITER, *others))
    assert ids(result) == [finding]
    assert said in result.findings[0].sentence


def test_a_short_wait_is_no_finding(conversation: Any) -> None:
    result = judged(conversation, document({**WAITER, "query_seconds": 4.9}, session(2)))
    assert (result.findings, values(result)["postgres.waiting"]) == ([], 0)


@pytest.mark.parametrize(
    ("used", "about", "finding", "slots"),
    [
        (6, {}, [], "free"),
        (7, {}, ["database-slots-exhausted"], "exhausted"),  # an ordinary client gets none of the last three
        (9, {"superuser_reserved": 0}, ["database-slots-high"], "high"),
        (6, {"reserved": 1}, ["database-slots-exhausted"], "exhausted"),  # PostgreSQL 16 and later
        (10, {"superuser_reserved": 0}, ["database-slots-exhausted"], "exhausted"),
    ],
)
def test_slots_are_judged_as_an_ordinary_client_finds_them(
    conversation: Any, used: int, about: dict[str, Any], finding: list[str], slots: str
) -> None:
    result = judged(conversation, document(*(session(pid) for pid in range(used)), **about))
    assert (ids(result), values(result)["postgres.slots"]) == (finding, slots)


@pytest.mark.parametrize(
    ("about", "verdict", "said"),
    [
        ({"in_recovery": True}, "readonly", "a standby"),
        ({"read_only": True}, "readonly", "default_transaction_read_only"),
        ({"superuser": False, "may_read": False}, "healthy", "saveit lacks pg_read_all_stats"),
    ],
)
def test_what_the_server_says_about_itself(
    conversation: Any, about: dict[str, Any], verdict: str, said: str
) -> None:
    result = judged(conversation, document(**about))
    assert result.verdict == verdict
    assert said in result.sentence


def test_a_slow_answer_is_measured_by_the_server(conversation: Any) -> None:
    assert judged(conversation, document(), slow_milliseconds=2).verdict == "slow"


REFUSED = [
    ("FATAL:  sorry, too many clients already", 2, "slots", "database-slots-exhausted"),
    ("FATAL:  the database system is starting up", 2, "starting", "database-starting"),
    ("FATAL:  the database system is in recovery mode", 2, "starting", "database-starting"),
    ('FATAL:  role "saveit" does not exist', 2, "auth", "database-auth"),
    ("failed: No such file or directory\n\tIs the server running locally?", 2, "refused", "database-refused"),
    ("", 124, "timeout", "database-timeout"),
    ("ERROR:  canceling statement due to statement timeout", 3, "timeout", "database-timeout"),
    ("ERROR:  invalid page in block 7", 3, "error", "database-error"),
]


@pytest.mark.parametrize(("stderr", "rc", "verdict", "finding"), REFUSED)
def test_a_refusal_is_a_finding_in_one_line(
    conversation: Any, stderr: str, rc: int, verdict: str, finding: str
) -> None:
    look(conversation)
    conversation.expect(
        [*INSIDE, *PSQL, "saveit"], stderr=f"psql: error: {stderr}\n" if stderr else "", rc=rc
    )
    result = _postgres_info.run(parameters(), conversation.carrier())
    assert (result.verdict, ids(result)) == (verdict, [finding])
    assert "\n" not in result.sentence
    assert "Is the server running" not in result.sentence
    assert values(result)["postgres.used_percent"] is None


@pytest.mark.parametrize("text", ["", "null", "[]", '{"sessions": []}', "x" * 500])
def test_an_answer_that_is_something_else_is_a_finding(conversation: Any, text: str) -> None:
    assert ids(judged(conversation, text)) == ["database-error"]


@pytest.mark.parametrize(("status", "verdict"), [("exited", "refused"), ("paused", "timeout")])
def test_a_container_that_does_not_run_is_not_asked(conversation: Any, status: str, verdict: str) -> None:
    look(conversation, status)
    assert _postgres_info.run(parameters(), conversation.carrier()).verdict == verdict


def test_the_reserved_slot_is_asked_for_when_no_other_is_left(conversation: Any) -> None:
    look(conversation)
    conversation.expect([*INSIDE, *PSQL, "saveit"], stderr=REFUSED[0][0], rc=2)
    look(conversation)
    conversation.expect([*INSIDE, *PSQL, "postgres"], document(*(session(pid) for pid in range(7))))
    result = _postgres_info.run(parameters(reserved_user="postgres"), conversation.carrier())
    assert ids(result) == ["database-slots-exhausted"]
    assert "7 idle" in result.findings[0].sentence


@pytest.mark.parametrize("check_mode", [False, True])
def test_it_waits_for_a_start_and_not_in_check_mode(conversation: Any, check_mode: bool) -> None:
    for answer in [None] if check_mode else [None, None, document()]:
        look(conversation)
        conversation.expect(
            [*INSIDE, *PSQL, "saveit"], answer or "", "" if answer else REFUSED[1][0], 0 if answer else 2
        )
    result = _postgres_info.run(parameters(wait_seconds=60), conversation.carrier(check_mode))
    assert result.verdict == ("starting" if check_mode else "healthy")
    assert conversation.clock.slept == ([] if check_mode else [1, 1])


CLIENTS = [
    ("failing", [POOL], ["database-pool-exhausted"]),
    ("failing", [POOL, AUTH], ["database-auth"]),  # the last word counts
    ("failing", [SLOTS], ["database-slots-exhausted"]),
    ("failing", ["connection refused"], []),  # the server itself tells more about this
    ("failing", [], []),
    ("slow", [POOL], ["database-pool-exhausted"]),
    ("healthy", [POOL], []),  # an old line
    ("", [POOL], []),
]


@pytest.mark.parametrize(("verdict", "said", "findings"), CLIENTS)
def test_what_the_client_was_told_counts_while_it_fails(
    conversation: Any, verdict: str, said: list[str], findings: list[str]
) -> None:
    result = judged(conversation, document(), client={**FAILING, "verdict": verdict, "said": said})
    assert ids(result) == findings
    assert all("5 of 12 answers 503" in each.sentence for each in result.findings)


def test_what_the_server_shows_is_not_said_twice(conversation: Any) -> None:
    full = document(*(session(pid) for pid in range(7)))
    assert ids(judged(conversation, full, client={**FAILING, "said": [SLOTS]})) == [
        "database-slots-exhausted"
    ]


def test_a_login_that_only_we_fail_with_is_an_obstacle(conversation: Any) -> None:
    look(conversation)
    conversation.expect([*INSIDE, *PSQL, "saveit"], stderr=REFUSED[3][0], rc=2)
    with pytest.raises(ObstacleError, match="it is our login that is wrong"):
        _postgres_info.run(parameters(client={**FAILING, "verdict": "healthy"}), conversation.carrier())


def test_a_password_is_named_and_never_said(conversation: Any) -> None:
    look(conversation)
    way = 'PGPASSWORD="$(printenv "$1")"; export PGPASSWORD; shift; exec "$@"'
    conversation.expect([*INSIDE, "sh", "-c", way, "sh", "POSTGRES_PASSWORD", *PSQL, "saveit"], document())
    given = parameters(password_variable="POSTGRES_PASSWORD", login_password="secret")
    assert _postgres_info.run(given, conversation.carrier()).verdict == "healthy"


def test_without_psql_it_says_what_else_can_be_done(conversation: Any) -> None:
    look(conversation)
    conversation.expect([*INSIDE, *PSQL, "saveit"], stderr="env: 'psql': No such file or directory", rc=127)
    with pytest.raises(FailedError, match=r"cannot run psql in saveit-postgres.*set login_host"):
        _postgres_info.run(parameters(), conversation.carrier())


BAD = [
    ({"timeout_seconds": 0}, "timeout_seconds is 0"),
    ({"timeout_seconds": float("nan")}, "timeout_seconds is nan"),
    ({"login_port": 70000}, "login_port is 70000"),
    ({"login_host": "mysql://db.example.com/saveit"}, "login_host is a URL"),
    ({"used_percent_limit": 0}, "used_percent_limit is 0"),
    ({"used_percent_limit": 101}, "used_percent_limit is 101"),
]


@pytest.mark.parametrize(("given", "said"), BAD)
def test_bad_input_is_refused_before_anything_is_asked(
    conversation: Any, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(FailedError, match=said):
        _postgres_info.run(parameters(**given), conversation.carrier())
