"""On a terminal nothing that others say is more than text: tables, the live view, records, plain lines."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from saveit_remediate.assess import Assessment
from saveit_remediate.catalog import Playbook
from saveit_remediate.incident import Action, Finding, Severity, Table
from saveit_remediate.journal import Event
from saveit_remediate.plan import Plan, Step
from saveit_remediate.report import tables
from saveit_remediate.report.live import LiveScreen
from saveit_remediate.report.screen import Lines
from saveit_remediate.run import RemedyEvent, StepFinished, StepStarted

EVIL = "\x1b[2J\x1b]0;owned\x07\u202eevil\u2066\u200b\x9b31m\r\x08[red]mark up[/red]\u2028"
RICH = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # what the library itself writes: colours, and the cursor
FINDING = Finding(EVIL, EVIL, EVIL, EVIL, next=EVIL)
NOW = datetime(2026, 11, 26, tzinfo=UTC).isoformat()


def assessed() -> Assessment:
    return Assessment((FINDING,), (), Severity.SEV3, EVIL)


def planned() -> Plan:
    step = Step(EVIL, EVIL, EVIL, EVIL, EVIL, True, True, EVIL)
    return Plan(Playbook(EVIL, EVIL), Severity.SEV3, EVIL, (step,))


def live(screen: LiveScreen) -> None:
    with screen.phase(EVIL):
        screen.event(StepStarted(EVIL, EVIL))
        screen.event(StepFinished(EVIL, EVIL, "failed", 0.1, EVIL))
        screen.event(RemedyEvent(EVIL, EVIL, EVIL, EVIL, NOW, {}))
    screen.warning(EVIL)


SHOWN: dict[str, Callable[[], Any]] = {
    "findings": lambda: tables.findings_table([FINDING]),
    "plan": lambda: tables.plan_table(planned()),
    "data": lambda: tables.data_table(Table(EVIL, EVIL, (EVIL,), ((EVIL,),)), True),
    "record": lambda: tables.timeline_table([Event(EVIL, 1, NOW, EVIL, {"sentence": EVIL}, "", "")]),
    "diff": lambda: tables.diff_text(Action(EVIL, EVIL, EVIL, "helped", ""), {"before": EVIL, "after": EVIL}),
}


def steering(text: str) -> set[str]:
    return {each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n"}


@pytest.mark.parametrize("name", SHOWN)
def test_in_a_table_it_stays_text(name: str) -> None:
    shown = io.StringIO()
    tables.TextConsole(file=shown, force_terminal=True, width=120, highlight=False).print(SHOWN[name]())
    assert "evil" in shown.getvalue()
    assert "owned" in shown.getvalue()
    assert "[red]" in shown.getvalue()
    assert steering(RICH.sub("", shown.getvalue())) == set()
    assert "\x1b[2J" not in shown.getvalue()


def test_in_the_live_view_it_stays_text() -> None:
    shown = io.StringIO()
    live(LiveScreen(tables.TextConsole(file=shown, force_terminal=True, width=120, highlight=False)))
    assert "evil" in shown.getvalue()
    assert steering(RICH.sub("", shown.getvalue()).replace("\r", "")) == set()
    assert "\x1b[2J" not in shown.getvalue()


def test_in_plain_lines_it_stays_text() -> None:
    shown = io.StringIO()
    screen = Lines(shown, shown)
    with screen.phase(EVIL):
        screen.event(StepFinished(EVIL, EVIL, EVIL, 0.1, EVIL))
        screen.event(RemedyEvent(EVIL, EVIL, EVIL, EVIL, NOW, {}))
        screen.assessment(assessed())
        screen.plan(planned())
    screen.warning(EVIL)
    assert shown.getvalue().count("evil") > 10
    assert steering(shown.getvalue()) == set()
