"""What PostgreSQL's refusals, sessions and process titles mean."""

from __future__ import annotations

import re

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _postgres,
    _postgres_process,
    _postgres_sql,
)

REFUSALS = [
    ("FATAL:  sorry, too many clients already", "slots"),
    ("FATAL:  remaining connection slots are reserved for non-replication superuser connections", "slots"),
    ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", "slots"),
    ("FATAL:  the database system is starting up", "starting"),
    ('FATAL:  password authentication failed for user "saveit"', "auth"),
    ("could not connect to server: Connection refused", "refused"),
    ("something new", "error"),
]


@pytest.mark.parametrize(("text", "word"), REFUSALS)
def test_a_refusal_has_its_word(text: str, word: str) -> None:
    assert _postgres.refusal(text) == word


def test_a_query_is_shown_without_its_literals() -> None:
    shown = _postgres.shown_query("SELECT * FROM items\n WHERE name = 'Ann''s' AND id = 12")
    assert shown == "SELECT * FROM items WHERE name = ? AND id = ?"


def test_the_statement_of_check_mode_cannot_end_anybody() -> None:
    assert "pg_terminate_backend" not in _postgres_sql.cleanup({"idle_minutes": 1}, terminates=False)


def test_no_text_of_a_person_ends_the_literal() -> None:
    sql = _postgres_sql.cleanup({"exclude_users": ["$saveit$; DROP TABLE items"]}, terminates=False)
    assert sql.count("$saveit$") == 2


TITLES = [
    ("postgres: saveit saveit 172.18.0.5(36186) idle", True),
    ("postgres: 15/main: saveit saveit [local] idle", True),
    ("postgres: saveit saveit 172.18.0.5(36186) idle in transaction", False),
    ("postgres: saveit other [local] idle", False),
    ("postgres: walsender saveit 172.18.0.5(4000) idle", False),
    ("postgres: checkpointer", False),
]


@pytest.mark.parametrize(("title", "chosen"), TITLES)
def test_only_an_idle_session_of_the_database_is_a_candidate(title: str, chosen: bool) -> None:
    process = _postgres_process.Process(7, 1, 100, 3, title, 900.0)
    assert bool(_postgres_process.candidates([process], "saveit", [], 600)) is chosen
    assert not _postgres_process.candidates([process], "saveit", [], 1000)
    assert not _postgres_process.candidates([process], "saveit", ["saveit"], 600)


# Of PostgreSQL 12, the oldest that we say this to; none of these was taken away until 17.
COLUMNS = {
    *("datid", "datname", "pid", "usesysid", "usename", "application_name", "client_addr", "client_hostname"),
    *("client_port", "backend_start", "xact_start", "query_start", "state_change", "wait_event_type"),
    *("wait_event", "state", "backend_xid", "backend_xmin", "query", "backend_type"),
}
FUNCTIONS = {
    *("clock_timestamp", "coalesce", "count", "current_database", "current_setting", "floor", "greatest"),
    *("host", "json_agg", "json_build_object", "jsonb_typeof", "left", "pg_backend_pid", "pg_blocking_pids"),
    *("pg_has_role", "pg_is_in_recovery", "pg_stat_clear_snapshot", "pg_stat_get_activity"),
    *("pg_terminate_backend", "round", "row_to_json", "statement_timestamp"),
}
WORDS = {
    "AND",
    "ANY",
    "AS",
    "CASE",
    "ELSE",
    "EXISTS",
    "FROM",
    "IN",
    "LATERAL",
    "LIMIT",
    "MATERIALIZED",
    "NOT",
}
WORDS |= {"OR", "SELECT", "WHERE", "extract", "jsonb"}
STATEMENTS = [_postgres_sql.INFO, *(_postgres_sql.cleanup({}, ends) for ends in (True, False))]


@pytest.mark.parametrize("sql", STATEMENTS, ids=["look", "end", "show"])
def test_the_statements_use_nothing_that_came_after_postgresql_12(sql: str) -> None:
    (view,) = re.findall(r"SELECT\n    s\.pid.*?FROM pg_stat_activity s", sql, re.DOTALL)
    assert set(re.findall(r"\bs\.(\w+)", view)) <= COLUMNS
    assert set(re.findall(r"\bagain\.(\w+)", sql)) <= COLUMNS
    code = re.sub(r"'[^']*'", "", sql)
    assert set(re.findall(r"\b(\w+) ?\(", code)) - WORDS <= FUNCTIONS
    # Of PostgreSQL 16: as a setting that may be absent, and never as a column or role.
    assert re.findall(r".{17}\breserved_connections.{8}", sql) == [
        "current_setting('reserved_connections', true)"
    ]
    assert len(re.findall(r"pg_terminate_backend\([^,()]+\)", sql)) == sql.count("pg_terminate_backend")
