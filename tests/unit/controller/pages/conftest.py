"""Records in a journal: one of the lab's, as it was written, and what a test adds to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from saveit_remediate.journal import Event, Journal, open_journal
from saveit_remediate.report.facts import Facts, facts_of
from saveit_remediate.report.postmortem import Written, write_postmortem
from saveit_remediate.report.prometheus import Answer
from saveit_remediate.report.templates import Templates

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
RECORDED = json.loads((FIXTURES / "records" / "application-recreated.json").read_text(encoding="utf-8"))
ENDED = datetime.fromisoformat(RECORDED["events"][-1]["at"])
LATER = ENDED + timedelta(minutes=10)


@dataclass
class Book:
    """A journal with one recorded incident, and the folder for its pages."""

    journal: Journal
    incident_id: str
    folder: Path
    templates: Templates

    def add(self, kind: str, at: datetime = LATER, **payload: Any) -> None:
        self.journal.append(self.incident_id, kind, payload, at)

    def events(self) -> list[Event]:
        return self.journal.events(self.incident_id)

    def facts(self) -> Facts:
        return facts_of(self.events())

    def write(self, ask: Callable[..., Answer] | None = None, anew: bool = False) -> Written:
        url = "http://127.0.0.1:9" if ask else ""
        more = {"ask": ask} if ask else {}
        return write_postmortem(
            self.journal, self.incident_id, self.folder, self.templates, url, LATER, anew, **more
        )

    def markdown(self, **how: Any) -> str:
        return self.write(**how).markdown.read_text(encoding="utf-8")


def fill(
    journal: Journal, incident_id: str, events: list[dict[str, Any]], by: timedelta = timedelta(0)
) -> None:
    """Append events as they were recorded, moved by some time."""
    for event in events:
        at = datetime.fromisoformat(event["at"]).astimezone(UTC) + by
        journal.append(incident_id, event["kind"], event["payload"], at)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with closing(open_journal(tmp_path / "journal.db")) as journal:
        fill(journal, RECORDED["incident_id"], RECORDED["events"])
        yield Book(journal, RECORDED["incident_id"], tmp_path / "pages", Templates())


def curve(_url: str, query: str, start: float, end: float, step: float) -> Answer:
    """A Prometheus in which every second request failed while the incident lasted."""
    opened, over = (datetime.fromisoformat(RECORDED["events"][n]["at"]).timestamp() for n in (0, -3))
    points = []
    at = start
    while at <= end:
        bad = opened <= at <= over
        if "30d" in query:
            value = 1_000_000.0
        elif "5.." in query:
            value = 10.0 if bad else 0.0
        else:
            value = 900.0 if bad and "quantile" in query else 20.0
        points.append((at, value))
        at += step
    return Answer(tuple(points))
