"""What a person sees on a terminal: live steps, no markup from data, NO_COLOR honoured."""

from __future__ import annotations

import io
import os
import pty
import sys
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from saveit_remediate.report.live import LiveScreen
from saveit_remediate.report.screen import Lines
from saveit_remediate.report.text import clean, duration
from saveit_remediate.run import RemedyEvent, StepFinished, StepStarted

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site

pytestmark = pytest.mark.once

COLOUR = "\x1b[3"


def on_a_terminal(site: Site, typed: str, *arguments: str, **environ: str) -> tuple[int, str]:
    """Run with a terminal on stdin, stdout and stderr; what was typed, and what was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(site.folder)
        os.environ.pop("NO_COLOR", None)
        os.environ.update(HOME=str(site.folder / "home"), TERM="xterm", COLUMNS="120", LINES="40", **environ)
        command = [sys.executable, "-m", "saveit_remediate", *arguments]
        os.execv(sys.executable, command)  # noqa: S606 -- a shell is the last thing wanted
    os.write(terminal, typed.encode())
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how a terminal says that it was closed
            break
        if not part:
            break
        shown += part
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode(errors="replace")


@pytest.mark.parametrize(("answer", "outcome"), [("y\n", "recovered"), ("n\n", "planned")])
def test_on_a_terminal_the_plan_is_shown_and_a_person_is_asked(site: Site, answer: str, outcome: str) -> None:
    code, shown = on_a_terminal(site, answer, "--incident", "frob")
    assert code == 0
    assert shown.index("Findings") < shown.index("Plan") < shown.index("Try this remedy? [y/N]")
    assert all(word in shown for word in ("risk", "disrupts", "undo"))
    assert outcome in shown
    assert COLOUR in shown


def test_ctrl_c_at_the_question_touches_nothing(site: Site) -> None:
    code, shown = on_a_terminal(site, "\x04", "--incident", "frob")
    assert code == 130
    assert "nothing was touched" in shown


def test_no_color_is_honoured(site: Site) -> None:
    code, shown = on_a_terminal(site, "", "--incident", "frob", "--yes", NO_COLOR="1")
    assert code == 0
    assert COLOUR not in shown


def test_the_live_view_marks_remedies_and_counts_repeated_steps() -> None:
    out = io.StringIO()
    screen = LiveScreen(Console(file=out, force_terminal=True, width=100, no_color=True))
    with screen.phase("Remedy"):
        for _ in range(3):
            screen.event(StepStarted("alpha", "Look"))
            screen.event(StepFinished("alpha", "Look", "ok", 0.5))
        screen.event(RemedyEvent("remedy-started", "alpha", "kick", "[b]kicking[/b]", "", {}))
        screen.event(StepStarted("alpha", "Kick"))
        screen.event(StepFinished("alpha", "Kick", "failed", 1.0, "no\x1b[31m foot"))
    shown = out.getvalue()
    assert " ×3" in shown
    assert "▶" in shown
    assert "[b]kicking[/b]" in shown
    assert "Kick: no[31m foot" in shown


class Gone(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_went_away_does_not_stop_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saveit_remediate.report.screen.silence_stdout", lambda: None)
    screen = Lines(Gone(), io.StringIO())
    screen.line("one")
    screen.line("two")
    assert screen.stream is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\nb\tc", "a b c"),
        ("\x1b[31mred\x07", "[31mred"),
        ("right\u202eleft", "rightleft"),
        ("é 漢 😀", "é 漢 😀"),
        (None, "None"),
    ],
)
def test_text_is_data(text: object, shown: str) -> None:
    assert clean(text) == shown


def test_a_megabyte_of_log_is_cut() -> None:
    assert len(clean("x" * 1_000_000, 100)) == 100


@pytest.mark.parametrize(("seconds", "shown"), [(0.34, "0.3 s"), (75, "75 s"), (725, "12 min 5 s")])
def test_durations_read_well(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
