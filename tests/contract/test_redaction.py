"""What looks like a secret is hidden, by the controller and by the collection alike, and nothing else is."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.saveit.remediation.plugins.module_utils import _redact
from saveit_remediate import redact as ours

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
KEY = "-----BEGIN RSA PRIVATE KEY-----"
LINE = "MIIEowIBAAKCAQEA" + "abcdefghij0123456789ABCDEFGHIJ+/" + "klmnop"

SECRETS = [
    ("redis://:hunter2@redis:6379/0", "redis://:********@redis:6379/0"),
    ("redis://app:hunter2@redis:6379", "redis://app:********@redis:6379"),
    ("postgresql+asyncpg://u:p%40ss@db/x failed", "postgresql+asyncpg://u:********@db/x failed"),
    ("mqtt://dev:p@ss/w@broker/x", "mqtt://dev:********@broker/x"),
    ("git clone https://abcdefghijklmnopqrst@host/x", "git clone https://********@host/x"),
    ("Authorization: Bearer eyJhbGciOi.J9", "Authorization: Bearer ********"),
    ('{"authorization": "Token abc"}', '{"authorization": "Token ********"}'),
    ("authorization: basic dXNlcjpwYXNz", "authorization: basic ********"),
    ("sent Bearer abc.def-ghi", "sent Bearer ********"),
    ("Set-Cookie: session=abc; Path=/", "Set-Cookie: ********"),
    ("password=hunter2 user=me", "password=******** user=me"),
    ("password='it''s me' user=me", "password='********' user=me"),
    ('password="a \\"b\\" c" user=me', 'password="********" user=me'),
    ("PGPASSWORD=hunter2 psql", "PGPASSWORD=******** psql"),
    ("MYSQL_PWD=hunter2", "MYSQL_PWD=********"),
    ("REDIS_PASSWORD: hunter2", "REDIS_PASSWORD: ********"),
    ('{"api_key": "abc123", "n": 1}', '{"api_key": "********", "n": 1}'),
    ('{"a": "{\\"token\\": \\"x y\\", \\"n\\": 1}"}', '{"a": "{\\"token\\": \\"********\\", \\"n\\": 1}"}'),
    ("X-Api-Key: abc123", "X-Api-Key: ********"),
    ("csrf-token='abc'", "csrf-token='********'"),
    ("client_secret=abc&x=1", "client_secret=********&x=1"),
    ("GET /a?token=abc&y=1 200", "GET /a?token=********&y=1 200"),
    ("aws_secret_access_key = abc/def", "aws_secret_access_key = ********"),
    ("the key AKIAIOSFODNN7EXAMPLE of S3", "the key ******** of S3"),
    ("client-key-data: LS0tLS1CRUdJTg==", "client-key-data: ********"),
    ("login with --password hunter2 -h db", "login with --password ******** -h db"),
    ("ALTER ROLE x PASSWORD 'a b'", "ALTER ROLE x PASSWORD ********"),
    ("requirepass hunter2", "requirepass ********"),
    (f"it says {JWT}, twice", "it says ********, twice"),
    ("ghp_" + "a1" * 18, "********"),
    ("xoxb-1234567890-abc", "********"),
    (f"{KEY}\n{LINE}\n-----END RSA PRIVATE KEY-----\nnext", "********\nnext"),
    (f"{KEY}\\n{LINE}\\n-----END RSA PRIVATE KEY-----\\nnext", "********\\nnext"),
    (f"cut off {KEY}\n{LINE}\n{LINE}", "cut off ********"),
    (f"2026-11-23T02:48:10Z {LINE}\nZ -----END PRIVATE KEY-----\nnext", "********\nnext"),
]
PLAIN = [
    "",
    "GET http://127.0.0.1:8000/api/v1/health 200",
    "GET http://127.0.0.1:8000/x?to=me@example.com 200",
    "user me@example.com logged in",
    "2026-11-23T02:48:10.123Z ✗ Redis connection failed",
    "token bucket refilled",
    "tokens: 5",
    "basic authentication failed for the bearer of this",
    'FATAL:  password authentication failed for user "saveit"',
    "password_variable=POSTGRES_PASSWORD",
    "the Secret saveit-tls: not found; secretName: saveit-tls",
    "12:30:00 10.0.0.1:6379 connected",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "PWD=/srv/saveit",
    "password:\n  user: x",
]
BOTH = pytest.mark.parametrize("side", [_redact, ours], ids=["collection", "controller"])


def test_both_have_the_same_rules() -> None:
    assert _redact.RULES == ours.RULES
    assert _redact.HIDDEN == ours.HIDDEN


@BOTH
@pytest.mark.parametrize(("text", "shown"), SECRETS)
def test_a_secret_is_hidden(side: Any, text: str, shown: str) -> None:
    assert side.redact(text) == shown


@pytest.mark.parametrize("text", PLAIN)
def test_other_text_stays(text: str) -> None:
    assert _redact.redact(text) == ours.redact(text) == text


@BOTH
def test_in_data_the_name_of_a_field_tells(side: Any) -> None:
    told = {
        "redis_password": "hunter2", "secret": "saveit-tls", "n": 1, "empty": {"token": ""},
        "env": [{"name": "API_TOKEN", "value": "hunter2"}, {"name": "HOST", "value": "db"}],
        "said": ("redis://:hunter2@db", None),
    }  # fmt: skip
    assert side.redact_data(told) == {
        "redis_password": "********", "secret": "saveit-tls", "n": 1, "empty": {"token": ""},
        "env": [{"name": "API_TOKEN", "value": "********"}, {"name": "HOST", "value": "db"}],
        "said": ["redis://:********@db", None],
    }  # fmt: skip


_PIECES = st.sampled_from(
    [text for text, _shown in SECRETS]
    + ["\\", '"', "'", "\n", " ", "=", ": ", "://", "@", "x", "password", "token=", KEY, JWT, "\\n", "''"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_PIECES, max_size=8).map("".join))
def test_both_agree_and_a_second_time_changes_nothing(text: str) -> None:
    """What a module has told passes the controller, the journal and the screen."""
    hidden = ours.redact(text)
    assert _redact.redact(text) == hidden
    assert ours.redact(hidden) == hidden


@pytest.mark.parametrize(
    "piece",
    ["a-", "x", "password=", "://", "://a:", KEY, LINE + "\n", "'\"", 'token="', "bearer ", "\\", "eyJ"],
)
def test_no_text_takes_long(piece: str) -> None:
    """The rules are bounded, so no log line of an attacker holds us: 100 kB take milliseconds."""
    began = time.process_time()
    ours.redact("private key authorization token " + piece * (100_000 // len(piece)))
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("AUTH failed for correct-horse", "AUTH failed for ********"),
        ("xcorrect-horsex", "x********x"),
        ("role abcd, not abcde or ab-abcd", "role ********, not abcde or ab-abcd"),
        ("saveit-redis of saveit", "saveit-redis of saveit"),
    ],
)
def test_a_value_that_a_module_was_given_as_secret_is_hidden_wherever_it_stands(
    text: str, shown: str
) -> None:
    arguments = {
        "password": {"no_log": True}, "short": {"no_log": True}, "same": {"no_log": True}, "user": {},
        "tiny": {"no_log": True}, "none": {"no_log": True},
    }  # fmt: skip
    values = {
        "password": "correct-horse", "short": "abcd", "same": "saveit", "user": "saveit", "tiny": "ab",
        "none": None,
    }  # fmt: skip
    known = _redact.known_secrets(arguments, values)
    assert sorted(known) == ["abcd", "correct-horse"]
    assert _redact.redact(text, known) == shown


def test_every_secret_parameter_of_a_runbook_is_known_by_its_name() -> None:
    """By it the command line is refused as a place for its value."""
    from saveit_remediate.catalog import load_all, open_catalog

    runbooks, _problems = load_all(open_catalog(None))
    parameters = [one for runbook in runbooks for one in runbook.parameters.values()]
    assert {one.name for one in parameters if one.secret} == {
        one.name for one in parameters if ours.is_secret(one.name)
    }
    assert any(re.search("password", one.name) for one in parameters)
