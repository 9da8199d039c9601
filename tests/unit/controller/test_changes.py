"""Temporary changes, as the controller reads, tells and records them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from saveit_remediate.cli.command import cli
from saveit_remediate.errors import UsageError
from saveit_remediate.incident import Change, Finding, Outcome, Reverted
from saveit_remediate.journal import open_journal
from saveit_remediate.report.history import still_changed, summarize
from saveit_remediate.report.screen import change_lines
from saveit_remediate.respond import revert as steps
from saveit_remediate.respond.revert import Changes
from saveit_remediate.run.contract import read_observation

NOW = datetime(2026, 11, 26, 2, 30, tzinfo=UTC)
RECORD: dict[str, Any] = {
    "id": "3f2a9c01", "service": "backend", "what": "memory limit of saveit-backend", "before": "512 MiB",
    "after": "768 MiB", "by": "alice@ops1", "incident": "memory-1", "expires": "2026-11-26T03:30:00+00:00",
}  # fmt: skip
CHANGE = Change(target="staging", **RECORD)
UNSEEN = Finding("unreachable", "west", "west", "cannot reach west", "obstacle", Outcome.UNREACHABLE)


def reverted(word: str, id_: str = "3f2a9c01") -> Reverted:
    return Reverted(id_, "staging", RECORD["what"], word, f"{id_}: {word}", "memory-1")


def test_what_plays_publish_is_read_with_their_host() -> None:
    seen = read_observation(
        [("staging", {"changes": [RECORD, "no record", {"id": 7}], "reverted": [{"id": "x"}]})]
    )
    assert seen.changes[0] == CHANGE
    assert [(one.id, one.target, one.before) for one in seen.changes[1:]] == [("7", "staging", "")]
    assert [(one.id, one.target, one.word) for one in seen.reverted] == [("x", "staging", "")]


@pytest.mark.parametrize(
    ("words", "unseen", "code"),
    [
        ([], (), 0),
        (["put-back", "over", "planned"], (), 0),
        (["put-back", "left"], (), 4),
        (["put-back"], (UNSEEN,), 5),
        (["left"], (UNSEEN,), 5),
    ],
)
def test_what_is_left_is_refused_and_a_target_that_was_not_asked_is_not_fine(
    words: list[str], unseen: tuple[Finding, ...], code: int
) -> None:
    found = Changes((), tuple(reverted(word) for word in words), unseen, ())
    assert found.outcome.exit_code == code


def test_an_id_that_no_target_has_comes_with_those_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Changes((CHANGE,), (), (), ())
    monkeypatch.setattr(steps, "_ask", lambda *_arguments: found)
    asked: Any = SimpleNamespace(inventory="hosts.yml", user="bob")
    with pytest.raises(UsageError) as error:
        steps.revert(["beef"], "revert", asked, asked, asked)
    assert str(error.value) == (
        "no target of hosts.yml has the change beef; there are: 3f2a9c01 "
        "(memory limit of saveit-backend on staging)"
    )


@pytest.mark.parametrize(
    "arguments", [[], ["3f2a", "--expired"], ["--forget"], ["--expired", "--forget"], [" "]]
)
def test_a_revert_of_nothing_or_of_two_things_is_a_sentence(arguments: list[str]) -> None:
    done = CliRunner().invoke(cli, ["revert", *arguments])
    assert isinstance(done.exception, UsageError)
    assert "saveit-remediate changes lists them" in str(done.exception)


def test_the_record_of_an_incident_tells_what_is_still_changed_until_it_is_put_back(tmp_path: Path) -> None:
    journal = open_journal(str(tmp_path / "journal.db"))
    told = {"sentence": "…", "host": "staging", "changes": [RECORD, {**RECORD, "id": "beef"}]}
    journal.append("memory-1", "opened", {"sentence": "opened", "incident": "memory"}, NOW)
    journal.append("memory-1", "still-changed", told, NOW)
    journal.append("memory-1", "closed", {"sentence": "well", "outcome": "recovered"}, NOW)
    assert [one["id"] for one in still_changed(journal.events("memory-1"))] == ["3f2a9c01", "beef"]
    world: Any = SimpleNamespace(user="bob@ops2", now=lambda: NOW, screen=None)
    later = (reverted("put-back"), reverted("left", "beef"))
    steps.note(Changes((), later, (), ()), journal, world)
    events = journal.events("memory-1")
    assert [one["id"] for one in still_changed(events)] == ["beef"]
    assert change_lines(still_changed(events)) == [
        "still changed: staging: memory limit of saveit-backend 512 MiB -> 768 MiB, until "
        "2026-11-26T03:30:00+00:00; put it back with: saveit-remediate revert beef"
    ]
    assert (summarize(events).outcome, journal.unended()) == ("recovered", [])
    journal.close()
