"""postgres_idle_cleanup: the whole conversation, and the way in through a server process."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _postgres_idle_cleanup,
    _postgres_process,
    _postgres_sql,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

INSIDE = ["docker", "exec", "-i", "1", "timeout", "4"]
PSQL = [
    *INSIDE,
    *("env", "PGAPPNAME=saveit-remediate", "PGCONNECT_TIMEOUT=4", "PGDATABASE=saveit", "PGPORT=5432"),
    *("PGOPTIONS=-c statement_timeout=4000", "psql", "-X", "-A", "-t", "-q", "-w", "-v", "ON_ERROR_STOP=1"),
    *("-U", "saveit"),
]
LIST = [*INSIDE, "sh", "-c", _postgres_process._LIST]
FULL = "psql: error: FATAL:  sorry, too many clients already"
CONTAINER = json.dumps([{"Id": "1", "Name": "/saveit-postgres", "State": {"Status": "running"}}])
OLD = (51, "postgres: saveit saveit 172.18.0.5(36186) idle", 1000, 7)
YOUNGER = (52, "postgres: saveit saveit 172.18.0.5(36190) idle", 2000, 7)


def parameters(**more: Any) -> dict[str, Any]:
    defaults = {name: spec.get("default") for name, spec in _postgres_idle_cleanup.ARGUMENTS.items()}
    return {**defaults, "platform": "compose", "idle_minutes": 0.5, **more}


def session(
    pid: int, seconds: float, state: str | None = "idle", application: str = "report"
) -> dict[str, Any]:
    who = {"pid": pid, "database": "saveit", "user": "saveit", "application": application}
    return {
        **who,
        "client": "10.0.0.7",
        "state": state,
        "seconds": seconds,
        "query_seconds": seconds,
        "waiting": False,
        "blocked_by": [],
        "query": None,
    }


def document(
    sessions: list[dict[str, Any]], chosen: dict[int, bool | None] | None = None, **more: Any
) -> str:
    about = {"version": 120022, "max_connections": 10, "superuser_reserved": 3, "reserved": 0}
    role = {"user": "saveit", "superuser": False, "may_signal": True, "may_read": True}
    end = [{"pid": pid, "ended": ended} for pid, ended in (chosen or {}).items()]
    said = {"about": {**about, **role, **more.pop("about", {})}, "sessions": sessions}
    return json.dumps({**said, "to_free": 1, "not_permitted": [], "chosen": end, **more})


def look(conversation: Any) -> Any:
    conversation.expect_look({"1": "postgres"}, CONTAINER, of="postgres")
    return conversation


def processes(*shown: tuple[int, str, int, int]) -> str:
    """As head(1) prints them: pid, title, start and CPU time in ticks; the machine is up for 100 s."""
    text = "==> /proc/uptime <==\n100.00 150.00\n"
    for pid, title, _started, _cpu in shown:
        text += f"\n==> /proc/{pid}/cmdline <==\n{title}   "
    for pid, _title, started, cpu in shown:
        fields = ["S", "1", *["0"] * 9, str(cpu), "0", *["0"] * 6, str(started), *["0"] * 30]
        text += f"\n==> /proc/{pid}/stat <==\n{pid} (postgres) {' '.join(fields)}\n"
    return text


def signal_of(process: tuple[int, str, int, int]) -> list[str]:
    pid, title, started, _cpu = process
    return [*INSIDE, "sh", "-c", _postgres_process._END, "sh", str(pid), title, str(started)]


def test_one_statement_decides_and_ends_and_a_second_one_counts(conversation: Any) -> None:
    before, after = [session(7, 90), session(8, 60), session(9, 1)], [session(8, 60), session(9, 1)]
    look(conversation).expect(PSQL, document(before, {7: True}))
    look(conversation).expect(PSQL, document(before))  # a session takes a moment to end
    look(conversation).expect(PSQL, document(after))
    result = _postgres_idle_cleanup.run(parameters(), conversation.carrier())
    assert (result.verdict, result.changed) == ("terminated", True)
    assert [each["pid"] for each in result.returned["terminated"]] == [7]
    assert (result.returned["before"]["used"], result.returned["after"]["used"]) == (3, 2)
    assert "ended 1 idle session, idle for up to 90 s" in result.sentence
    assert result.diff == {
        "before": "session 7 of saveit (report) from 10.0.0.7, idle for 90 s\n",
        "after": "",
    }
    assert ["pg_terminate_backend" in each for each in conversation.stdin if each] == [True, False, False]


def test_check_mode_sends_no_word_that_ends_a_session(conversation: Any) -> None:
    look(conversation).expect(PSQL, document([session(7, 90)], {7: None}))
    result = _postgres_idle_cleanup.run(parameters(), conversation.carrier(check_mode=True))
    assert (result.verdict, result.changed, result.returned["terminated"]) == ("planned", True, [])
    assert [each["pid"] for each in result.returned["would_terminate"]] == [7]
    assert not any("terminate_backend" in each for each in conversation.stdin)


def test_one_that_became_active_in_between_is_not_counted_as_ended(conversation: Any) -> None:
    look(conversation).expect(PSQL, document([session(7, 90)], {7: False}))
    result = _postgres_idle_cleanup.run(parameters(), conversation.carrier())
    assert (result.verdict, result.changed, result.diff) == ("unchanged", False, None)


@pytest.mark.parametrize(
    ("given", "answer", "said"),
    [
        ({}, {}, "no session of saveit is idle for 0.5 min"),
        ({"idle_in_transaction_minutes": 2}, {}, "idle for 0.5 min or idle in transaction for 2 min"),
        ({"only_blocking": True}, {}, "idle for 0.5 min and holds up others"),
        ({"target_used_percent": 60}, {"to_free": 0}, "no more than 60 % of the slots are used"),
        ({}, {"about": {"may_read": False}}, "GRANT pg_read_all_stats TO saveit"),
    ],
)
def test_it_says_why_it_ended_nobody(
    conversation: Any, given: dict[str, Any], answer: dict[str, Any], said: str
) -> None:
    look(conversation).expect(PSQL, document([session(7, 1), session(8, 1, state=None)], **answer))
    result = _postgres_idle_cleanup.run(parameters(**given), conversation.carrier())
    assert result.verdict == "unchanged"
    assert said in result.sentence


@pytest.mark.parametrize(
    ("may_signal", "said"), [(False, "GRANT pg_signal_backend TO saveit"), (True, "a superuser's")]
)
def test_a_missing_privilege_is_a_failure_when_nobody_can_be_ended(
    conversation: Any, may_signal: bool, said: str
) -> None:
    answer = document([session(7, 90)], not_permitted=[7], about={"may_signal": may_signal})
    look(conversation).expect(PSQL, answer)
    with pytest.raises(FailedError, match=said):
        _postgres_idle_cleanup.run(parameters(), conversation.carrier())


def full(conversation: Any, *looks: tuple[tuple[int, str, int, int], ...]) -> Any:
    """No slot is left, and what two looks at the processes show."""
    look(conversation).expect(PSQL, stderr=FULL, rc=2)
    for shown in looks:
        look(conversation).expect(LIST, processes(*shown))
    return conversation


def test_the_oldest_idle_session_makes_room_through_its_process(conversation: Any) -> None:
    full(conversation, (YOUNGER, OLD), (YOUNGER, OLD))
    look(conversation).expect(signal_of(OLD))
    look(conversation).expect(PSQL, stderr=FULL, rc=2)  # not gone yet
    look(conversation).expect(PSQL, document([session(7, 90)], {7: True}))
    look(conversation).expect(PSQL, document([]))
    result = _postgres_idle_cleanup.run(parameters(process_fallback=True), conversation.carrier())
    assert result.verdict == "terminated"
    assert result.returned["processes"] == [f"process 51 ({OLD[1]}), 90 s old"]
    assert "was ended by SIGTERM" in result.sentence
    assert result.diff is not None
    assert result.diff["before"].splitlines()[0].startswith("process 51")
    assert conversation.clock.slept == [_postgres_process.BETWEEN_LOOKS, _postgres_idle_cleanup.PAUSE]


def test_check_mode_names_the_process_and_leaves_it(conversation: Any) -> None:
    full(conversation, (OLD,), (OLD,))
    given = parameters(process_fallback=True)
    result = _postgres_idle_cleanup.run(given, conversation.carrier(check_mode=True))
    assert (result.verdict, result.changed) == ("planned", True)
    assert "would end process 51" in result.sentence


LATER = [
    ("it used CPU time", (*OLD[:3], 8)),
    ("it is active", (OLD[0], OLD[1].replace(" idle", " SELECT"), *OLD[2:])),
    ("another process has its number", (*OLD[:2], 1500, OLD[3])),
]


@pytest.mark.parametrize(("_why", "later"), LATER)
def test_a_process_that_moved_is_left_alone(
    conversation: Any, _why: str, later: tuple[int, str, int, int]
) -> None:
    full(conversation, (OLD,), (later,))
    with pytest.raises(FailedError, match=r"no server process there shows a session of the database saveit"):
        _postgres_idle_cleanup.run(parameters(process_fallback=True), conversation.carrier())


def test_a_process_that_changed_in_the_last_moment_is_left_alone(conversation: Any) -> None:
    full(conversation, (OLD,), (OLD,))
    look(conversation).expect(signal_of(OLD), rc=_postgres_process.CHANGED)
    with pytest.raises(FailedError, match="was idle no longer"):
        _postgres_idle_cleanup.run(parameters(process_fallback=True), conversation.carrier())


def test_a_slot_that_somebody_else_takes_is_tried_three_times_at_most(conversation: Any) -> None:
    full(conversation)
    for number in range(_postgres_idle_cleanup.ROUNDS):
        process = (60 + number, OLD[1], 1000, 7)
        for _look in range(2):
            look(conversation).expect(LIST, processes(process))
        look(conversation).expect(signal_of(process))
        for _try in range(_postgres_idle_cleanup.TRIES):
            look(conversation).expect(PSQL, stderr=FULL, rc=2)
    with pytest.raises(FailedError, match=r"slots: FATAL.*; ended process 60 .*process 61 .*process 62 "):
        _postgres_idle_cleanup.run(parameters(process_fallback=True), conversation.carrier())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "process_fallback can free one"),
        (
            {"process_fallback": True, "exclude_applications": ["billing"]},
            "does not show its application_name, and billing may not be ended",
        ),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_no_process_is_ended_unless_it_is_allowed(
    conversation: Any, given: dict[str, Any], said: str, check_mode: bool
) -> None:
    full(conversation)
    with pytest.raises(FailedError, match=said):
        _postgres_idle_cleanup.run(parameters(**given), conversation.carrier(check_mode))


def test_two_servers_in_one_place_are_not_guessed_about(conversation: Any) -> None:
    other = processes(YOUNGER).replace("(postgres) S 1 ", "(postgres) S 40 ").partition("150.00\n")[2]
    full(conversation)
    look(conversation).expect(LIST, processes(OLD) + other)
    with pytest.raises(FailedError, match="2 PostgreSQL servers can be seen there"):
        _postgres_idle_cleanup.run(parameters(process_fallback=True), conversation.carrier())


def test_the_processes_of_a_recorded_server_are_read(fixtures: Path) -> None:
    text = (fixtures / "postgresql-15.18/processes.txt").read_text("utf-8")
    found = _postgres_process.candidates(_postgres_process.parse(text), "saveit", [], 0)
    assert len(found) == len(re.findall(r"\) idle +$", text, re.MULTILINE)) == 36
    assert [each.started for each in found] == sorted(each.started for each in found)
    assert all(0 < each.age_seconds < 3600 for each in found)


BAD = [
    ({"idle_minutes": -1}, "idle_minutes is -1"),
    ({"idle_minutes": float("nan")}, "idle_minutes is nan"),
    ({"idle_in_transaction_minutes": 1e9}, "idle_in_transaction_minutes is 1e"),
    ({"target_used_percent": 101}, "target_used_percent is 101"),
    ({"exclude_users": ["a\0b"]}, "NUL"),
    ({"login_host": "postgres://db/saveit"}, "login_host is a URL"),
]


@pytest.mark.parametrize(("given", "said"), BAD)
def test_bad_input_is_refused_before_anything_is_asked(
    conversation: Any, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(FailedError, match=said):
        _postgres_idle_cleanup.run(parameters(**given), conversation.carrier())


def test_both_statements_choose_the_same_way() -> None:
    given = {"idle_minutes": 1}
    ends, shows = (_postgres_sql.cleanup(given, terminates=each) for each in (True, False))
    assert ends.replace(_postgres_sql._TERMINATE, _postgres_sql._SHOW) == shows
    assert ends.count("pg_terminate_backend(") == 1
