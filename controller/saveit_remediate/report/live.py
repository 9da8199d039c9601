"""The live view on a terminal: each step with its host and elapsed time, remedies marked."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from saveit_remediate.assess import Assessment
from saveit_remediate.plan import Plan
from saveit_remediate.report.tables import findings_table, plan_table, triage_table
from saveit_remediate.report.text import clean, duration
from saveit_remediate.run import RemedyEvent, RunEvent, StepFinished, StepStarted
from saveit_remediate.triage import Triage

_MARKS = {
    "ok": ("✓", "green"),
    "changed": ("✓", "yellow"),
    "failed": ("✗", "red"),
    "unreachable": ("✗", "red"),
}


@dataclass
class _Row:
    host: str
    text: str
    result: str = ""  # empty while it runs
    began: float = 0.0
    seconds: float = 0.0
    times: int = 1
    is_remedy: bool = False


class LiveScreen:
    """Shows a run while it goes on. Same methods as `screen.Lines`."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.rows: list[_Row] = []
        self.spinner = Spinner("dots", style="cyan")
        self.live: Live | None = None

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        self.rows = []
        self.console.print(Text(title, style="bold"))
        began = time.monotonic()
        with Live(
            console=self.console, get_renderable=self._render, refresh_per_second=8, redirect_stderr=False
        ) as self.live:
            yield
        self.live = None
        self.console.print(Text(f"  {duration(time.monotonic() - began)}", style="dim"))

    def event(self, event: RunEvent) -> None:
        if isinstance(event, StepStarted):
            row = self._find(event.host, event.task)
            if row is None:
                self.rows.append(_Row(event.host, event.task, began=time.monotonic()))
            else:
                row.result, row.began, row.times = "", time.monotonic(), row.times + 1
        elif isinstance(event, StepFinished):
            self._finish(event)
        elif isinstance(event, RemedyEvent) and event.sentence:
            row = _Row(event.host, f"{event.kind}: {event.sentence}", result="ok", is_remedy=True)
            self.rows.append(row)

    def _finish(self, event: StepFinished) -> None:
        row = self._find(event.host, event.task)
        if row is None:
            return
        if event.result == "skipped" and row.times == 1:
            self.rows.remove(row)
            return
        row.result = "ok" if event.result == "skipped" else event.result
        row.seconds += event.seconds
        if event.sentence:
            row.text = f"{event.task}: {event.sentence}"

    def _find(self, host: str, task: str) -> _Row | None:
        mine = (row for row in reversed(self.rows) if row.host == host and not row.is_remedy)
        return next((row for row in mine if row.text in (task, "") or row.text.startswith(f"{task}: ")), None)

    def _render(self) -> RenderableType:
        room = max(self.console.height - 4, 5)
        rows = list(self.rows)
        hidden = max(len(rows) - room, 0)
        grid = Table.grid(padding=(0, 1), expand=False)
        grid.add_column(width=2)
        grid.add_column(no_wrap=True, max_width=24)
        grid.add_column(overflow="fold")
        grid.add_column(justify="right", no_wrap=True)
        for row in rows[hidden:]:
            grid.add_row(*self._cells(row))
        return Group(Text(f"  … {hidden} earlier", style="dim"), grid) if hidden else grid

    def _cells(self, row: _Row) -> tuple[RenderableType, ...]:
        text = Text(clean(row.text, 300))
        if row.is_remedy:
            text.stylize("bold magenta")
            return Text("▶", style="bold magenta"), Text(clean(row.host)), text, Text("")
        if row.times > 1:
            text.append(f" ×{row.times}", style="dim")
        if not row.result:
            seconds = row.seconds + time.monotonic() - row.began
            return self.spinner, Text(clean(row.host)), text, Text(duration(seconds), style="cyan")
        mark, style = _MARKS.get(row.result, ("✓", "green"))
        if row.result in ("failed", "unreachable"):
            text.stylize("red")
        return Text(mark, style=style), Text(clean(row.host)), text, Text(duration(row.seconds), style="dim")

    def assessment(self, assessment: Assessment) -> None:
        if assessment.all:
            self.console.print(findings_table(assessment.all))
            self.console.print(Text(f"{assessment.severity}: {assessment.why}", style="bold"))

    def plan(self, plan: Plan) -> None:
        self.console.print(plan_table(plan))

    def triage(self, triage: Triage, commands: Mapping[str, str]) -> None:
        self.console.print(triage_table(triage, commands))

    def warning(self, sentence: str) -> None:
        self.console.print(Text(f"warning: {clean(sentence)}", style="yellow"))
