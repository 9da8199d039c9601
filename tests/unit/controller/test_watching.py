"""Looking on after an incident, with a clock that only moves when somebody waits."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from saveit_remediate.assess import Assessment
from saveit_remediate.errors import RefusedError, UnreachableError
from saveit_remediate.impact import Baseline
from saveit_remediate.incident import Finding, Outcome, Severity
from saveit_remediate.incident_life import Life, life_of
from saveit_remediate.journal import Journal, open_journal
from saveit_remediate.report.screen import Lines
from saveit_remediate.respond.watching import Pace, _check, look_on

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
DEAD = Finding("dead", "alpha", "redis", "redis does not answer")
BLIND = Finding("not-looked-at", "alpha", "alpha", "no route to alpha", "obstacle")
WELL = Assessment((), (), Severity.SEV3, "")
SICK = Assessment((DEAD,), (), Severity.SEV3, "")
UNSEEN = Assessment((), (BLIND,), Severity.SEV3, "")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(tmp_path / "journal.db")
    opened.append("one", "opened", {"incident": "redis", "inventory": "/hosts"}, NOON)
    opened.append("one", "assessed", {"findings": [{"id": "dead"}]}, NOON)
    yield opened
    opened.close()


def watched(
    journal: Journal, looks: list[Any], baseline: str, seconds: float = 60
) -> tuple[Outcome, str, Life]:
    clock, left = [NOON], iter(looks)

    def look() -> Assessment:
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]

    def wait(some: float) -> None:
        clock[0] += timedelta(seconds=some)

    said = Baseline(baseline, f"it is {baseline}") if baseline else None
    case: Any = SimpleNamespace(
        record=SimpleNamespace(now=lambda: clock[0], journal=journal, incident_id="one"),
        world=SimpleNamespace(screen=Lines(None, io.StringIO())),
        runbook=SimpleNamespace(id="redis"),
        measuring=SimpleNamespace(baseline=lambda _seconds: said),
    )
    found = look_on(case, look, Pace(seconds, 30, wait))
    return found.outcome, found.sentence, life_of(journal.events("one"))


@pytest.mark.parametrize(
    ("ended", "looks", "baseline", "outcome", "state", "words"),
    [
        ("back", [WELL, WELL, WELL], "back", "recovered", "resolved",
         "nothing was found in 3 looks over 60 s"),
        ("back", [WELL, SICK], "", "unresolved", "opened",
         "reopened: redis does not answer; saveit-remediate"),
        ("not-back", [WELL, WELL, WELL], "back", "recovered", "resolved", "it is back"),
        ("not-back", [WELL, WELL, WELL], "no-data", "recovered", "resolved", "it is no-data"),
        ("not-back", [WELL, WELL, WELL], "not-back", "unverified", "monitoring", "it is not-back"),
        ("not-back", [SICK], "", "unresolved", "monitoring", "it is still there"),
        ("back", [WELL, UNSEEN, WELL], "", "recovered", "resolved", "in 2 looks"),
        ("back", [UNSEEN, UNSEEN, UNSEEN], "", "unverified", "resolved", "nobody knows .*no route to alpha"),
        ("back", [WELL, WELL, UnreachableError("no Ansible")], "", "unverified", "resolved", "no Ansible"),
    ],
)  # fmt: skip
def test_how_watching_ends(
    journal: Journal, ended: str, looks: list[Any], baseline: str, outcome: str, state: str, words: str
) -> None:
    import re

    journal.append("one", "closed", {"outcome": "recovered", "baseline": ended}, NOON)
    found, sentence, life = watched(journal, looks, baseline)
    assert (str(found), life.state) == (outcome, state)
    assert re.search(words, sentence), sentence


def test_the_last_event_says_who_looked_and_what_was_seen(journal: Journal) -> None:
    journal.append("one", "closed", {"outcome": "recovered"}, NOON)
    watched(journal, [SICK], "")
    last = journal.events("one")[-1]
    assert (last.kind, last.payload["by"]) == ("reopened", "saveit-remediate watch")
    assert last.payload["reason"] == "redis does not answer"


@pytest.mark.parametrize(
    ("payload", "more", "words"),
    [
        ({"check": True}, ("closed", {"outcome": "planned"}), "a run with --check"),
        ({}, ("closed", {"outcome": "resumed", "resumed_as": "two"}), "two goes on with it; watch that one"),
        ({}, ("assessed", {}), "a run is at work on it"),
    ],
)
def test_what_is_not_watched_has_a_reason(
    tmp_path: Path, payload: dict[str, Any], more: tuple[str, dict[str, Any]], words: str
) -> None:
    own = open_journal(tmp_path / "own.db")
    own.append("one", "opened", payload, NOON)
    own.append("one", *more, NOON)
    with pytest.raises(RefusedError, match=words):
        _check(life_of(own.events("one")))
    own.close()
