"""What PostgreSQL's refusals, sessions and process titles mean."""

from __future__ import annotations

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
