"""Nothing that looks like a secret becomes evidence, and nothing else is lost."""

from __future__ import annotations

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._redact import redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:hunter2@redis:6379/0", "redis://:********@redis:6379/0"),
        ("redis://app:hunter2@redis:6379", "redis://app:********@redis:6379"),
        ("postgresql+asyncpg://u:p%40ss@db/x failed", "postgresql+asyncpg://u:********@db/x failed"),
        ("Authorization: Bearer eyJhbGciOi.J9", "Authorization: Bearer ********"),
        ("authorization: basic dXNlcjpwYXNz", "authorization: basic ********"),
        ("password=hunter2 user=me", "password=******** user=me"),
        ("REDIS_PASSWORD: hunter2", "REDIS_PASSWORD: ********"),
        ('{"api_key": "abc123", "n": 1}', '{"api_key": "********", "n": 1}'),
        ("X-Api-Key: abc123", "X-Api-Key: ********"),
        ("csrf-token='abc'", "csrf-token='********'"),
        ("client_secret=abc&x=1", "client_secret=********&x=1"),
    ],
)
def test_a_secret_is_hidden(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GET http://127.0.0.1:8000/api/v1/health 200",
        "user me@example.com logged in",
        "2026-11-23T02:48:10.123Z ✗ Redis connection failed",
        "token bucket refilled",
        "12:30:00 10.0.0.1:6379 connected",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert redact(text) == text
