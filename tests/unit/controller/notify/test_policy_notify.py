"""The section `notify`: what a site writes, what it means, and the sentence for what cannot be right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.controller.notify.conftest import SHIPPED

from saveit_remediate.catalog.policy_notify import WHAT, read_notify
from saveit_remediate.errors import UsageError
from saveit_remediate.notify.http import check_url, retry_after
from saveit_remediate.notify.kind import SendError, options_of

if TYPE_CHECKING:
    from tests.unit.controller.notify.conftest import Desk

HOOK = {"kind": "webhook", "url": "https://hooks.example.com/", "secret": {"env": "HOOK"}}
# Who is told of what, at sev1, sev2 and sev3, by the shipped table.
ALL, GRAVE = ("sev1", "sev2", "sev3"), ("sev1", "sev2")


@pytest.mark.parametrize(
    ("to", "what", "severities"),
    [
        ("room", "update", ALL),
        ("room", "escalated", ALL),
        ("on-call", "opened", ALL),
        ("on-call", "update", ()),
        ("stakeholders", "opened", GRAVE),
        ("stakeholders", "update", ()),
        ("public", "opened", GRAVE),
        ("public", "unresolved", ()),
    ],
)
def test_the_shipped_table_says_who_is_told(
    desk: Desk, to: str, what: str, severities: tuple[str, ...]
) -> None:
    rows = [row for row in read_notify(desk.sections).table if row.to == to]
    found = [one for one in ALL if any(row.takes(what, one, one in GRAVE) for row in rows)]
    assert tuple(found) == severities


def test_the_room_is_told_everything() -> None:
    room = SHIPPED.value["notify"]["table"][0]
    assert (room["to"], tuple(room["what"])) == ("room", WHAT)


@pytest.mark.parametrize(
    ("channels", "sentence"),
    [
        ([], "channels must be a mapping of names"),
        ({"a": None}, "channels.a must be a mapping with at least a kind"),
        ({"a": {}}, "channels.a lacks the key 'kind'"),
        ({"a": {**HOOK, "kind": "webhok"}}, "has the unknown kind 'webhok'; did you mean 'webhook'?"),
        ({"a": {**HOOK, "audience": "all"}}, "audience must be one of room, on-call, stakeholders, public"),
        ({"a": {**HOOK, "urll": "x"}}, "has the unknown key 'urll'; did you mean 'url'?"),
        ({"a": {**HOOK, "url": 5}}, "url must be a text, not 5"),
        ({"a": {**HOOK, "secret": "hunter2"}}, "channels.a.secret is a secret: say where it is"),
        ({"a": {"kind": "webhook", "url": "https://x"}}, "lacks the key 'secret'"),
        ({"a": {**HOOK, "publish": "always"}}, "publish must be one of ask, unattended"),
    ],
)
def test_a_channel_that_cannot_be_right_is_said_with_its_place(
    desk: Desk, channels: Any, sentence: str
) -> None:
    desk.channels = channels
    with pytest.raises(UsageError, match=r"policy\.yml: notify") as raised:
        desk.post()
    assert sentence in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_secret_is_read_from_a_file_beside_the_policy(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "hook.key").write_text("s3cret\n")
    desk.channels = {"a": {**HOOK, "secret": {"file": "hook.key"}}}
    post = desk.post()
    assert options_of(post.policy.channels["a"], post.kinds["a"])["secret"] == "s3cret"
    (tmp_path / "hook.key").write_text("\n")
    with pytest.raises(SendError, match="is empty"):
        options_of(post.policy.channels["a"], post.kinds["a"])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        (" 0 ", 0.0),
        ("999999", 3600.0),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, now=1795435200.0) == seconds  # 2026-11-23 12:00:00 UTC


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com/", "ftp://127.0.0.1/", "hooks.example.com", "https://"]
)
def test_secrets_travel_encrypted_or_not_at_all(url: str) -> None:
    with pytest.raises(SendError, match="is no https address"):
        check_url(url)
