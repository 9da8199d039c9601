"""Tables and lists for a terminal. Every text goes in as `Text`, so markup in it stays text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.table import Table as RichTable
from rich.text import Text

from saveit_remediate.catalog import Runbook
from saveit_remediate.incident import Action, Change, Finding, Table
from saveit_remediate.journal import Event
from saveit_remediate.plan import Plan
from saveit_remediate.report.document import Report, TargetReport, alike, counted
from saveit_remediate.report.history import Summary
from saveit_remediate.report.screen import need_of, reversible
from saveit_remediate.report.text import clean, duration, printable
from saveit_remediate.triage import Triage

_STYLES = {
    "healthy": "green",
    "recovered": "green",
    "planned": "cyan",
    "low": "green",
    "medium": "yellow",
    "high": "red",
}


def _table(*columns: str, title: str = "") -> RichTable:
    table = RichTable(title=title or None, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _row(table: RichTable, *cells: object) -> None:
    table.add_row(*(cell if isinstance(cell, Text) else Text(clean(cell)) for cell in cells))


def findings_table(findings: Iterable[Finding]) -> RichTable:
    """What was found, and what a person should do."""
    table = _table("target", "finding", "what was seen", "next", title="Findings")
    for finding in findings:
        style = "red" if finding.is_obstacle else "yellow" if finding.is_symptom else "dim"
        _row(table, finding.target, Text(clean(finding.id), style=style), finding.sentence, finding.next)
    return table


def triage_table(triage: Triage, commands: Mapping[str, str]) -> RenderableType:
    """What is the cause, what follows from it, and the command that remediates."""
    table = _table("", "incident", "severity", "target", "what was seen", "remediate", title="Diagnosis")
    for place, suspect in enumerate(triage.suspects, 1):
        seen = "\n".join(finding.sentence for finding in suspect.findings)
        follows = f"follows from {', '.join(suspect.follows_from)}" if suspect.follows_from else ""
        name = Text(suspect.incident, style="dim" if follows else "bold red")
        todo = follows or commands[suspect.incident]
        _row(table, str(place), name, suspect.severity, suspect.target, seen, todo)
    sentences = dict.fromkeys(finding.sentence for finding in triage.unseen)
    unseen = Text("\n".join(f"not looked at: {clean(sentence)}" for sentence in sentences))
    parts: list[RenderableType] = [table] if triage.suspects else []
    return Group(*parts, *([unseen] if triage.unseen else []))


def data_table(table: Table, with_target: bool) -> RichTable:
    """What a playbook that only looks has to show."""
    title = f"{table.target}: {table.name}" if with_target else table.name
    shown = _table(*table.columns, title=title.capitalize())
    for column, values in zip(shown.columns, zip(*table.rows, strict=True), strict=False):
        if all(value is None or isinstance(value, int | float) for value in values):
            column.justify = "right"
    for row in table.rows:
        _row(shown, *("-" if cell is None else cell for cell in row))
    return shown


def changes_table(changes: Iterable[Change]) -> RichTable:
    """What is changed for a time."""
    columns = ("id", "target", "what", "before", "after", "by", "incident", "expires (UTC)", "why")
    table = _table(*columns, title="Temporary changes")
    for one in changes:
        ends = Text(clean(one.expires[:16].replace("T", " ")), style="red" if one.expired else "")
        row = (one.id, one.target, one.what, one.before, one.after, one.by, one.incident, ends, one.why)
        _row(table, *row)
    return table


def plan_table(plan: Plan) -> RenderableType:
    """What would be tried, in order, and what not, with the reason."""
    table = _table("target", "", "remedy", "risk", "policy", "disrupts", "undo", "why", title="Plan")
    for step in plan.steps:
        mark = (
            Text("▶", style="bold green")
            if step.allowed
            else Text("… later" if step.later else "–", style="dim")
        )
        risk = Text(clean(step.risk), style=_STYLES.get(step.risk, ""))
        undo = "yes" if step.reversible else "no"
        name, need = step.title or step.remedy, need_of(step)
        _row(table, step.target, mark, name, risk, need, step.disrupts, undo, step.reason)
    if not plan.steps:
        return Text("No remedy of the runbook is meant for this.", style="bold")
    return Group(table, Text(clean(f"playbook {plan.playbook.name}: {plan.playbook.why}"), style="dim"))


def targets_table(targets: Iterable[TargetReport]) -> RichTable:
    """How it ended on each of several hosts."""
    table = _table("target", "outcome", "why", title="Targets")
    for names, outcome, sentence in alike(targets):
        _row(table, names, Text(str(outcome), style=_STYLES.get(outcome, "red")), sentence)
    return table


def outcome_text(report: Report) -> Text:
    """The last line: how it ended; of several hosts how many, as the table says why."""
    style = _STYLES.get(report.outcome, "red")
    text = Text(str(report.outcome), style=f"bold {style}")
    told = counted(report) if len(report.targets) > 1 else clean(report.sentence)
    text.append(f": {told}", style="not bold default")
    text.append(f"  ({duration(report.seconds)})", style="not bold dim")
    return text


def runbooks_table(runbooks: Iterable[Runbook]) -> RichTable:
    table = _table("incident", "title", "also called", "symptoms", title="Runbooks")
    for runbook in runbooks:
        _row(
            table,
            Text(runbook.id, style="bold"),
            runbook.title,
            ", ".join(runbook.aliases),
            "; ".join(runbook.symptoms),
        )
    return table


def runbook_page(runbook: Runbook) -> RenderableType:
    """Everything that one runbook says."""
    findings = _table("finding", "what a person should do", title="Findings, cause before symptom")
    for finding in runbook.findings:
        _row(findings, finding.id, finding.next)
    remedies = _table("remedy", "title", "helps with", "risk", "disrupts", "undo", title="Remedies, in order")
    for remedy in runbook.remedies:
        risk = Text(remedy.risk, style=_STYLES.get(remedy.risk, ""))
        helps, undo = ", ".join(remedy.helps), reversible(remedy.reversible)
        _row(remedies, remedy.id, remedy.title, helps, risk, remedy.disrupts, undo)
    parameters = _table("parameter", "type", "default", "meaning", title="Parameters (inventory, or -e)")
    for parameter in runbook.parameters.values():
        default = "required" if parameter.required else "" if parameter.default is None else parameter.default
        meaning = parameter.description
        if parameter.choices:
            meaning += f" One of {', '.join(map(str, parameter.choices))}."
        _row(parameters, parameter.name, parameter.type, default, meaning)
    criteria = Text("\n".join(f"  {criterion}" for criterion in runbook.verify.criteria))
    head = Text(f"{runbook.id}: {runbook.title}", style="bold")
    proof = Text(f"Recovered: for {runbook.verify.hold_seconds:g} s without a break", style="bold")
    return Group(head, findings, remedies, proof, criteria, parameters)


def contacts_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> RichTable:
    table = _table(*columns, title="Contacts")
    for row in rows:
        _row(table, *row)
    return table


def incidents_table(summaries: Sequence[Summary]) -> RichTable:
    table = _table(
        "id", "opened (UTC)", "incident", "severity", "state", "outcome", "how it ended", title="Incidents"
    )
    for summary in summaries:
        outcome = Text(clean(summary.outcome), style=_STYLES.get(summary.outcome, "red"))
        opened = summary.opened[:19].replace("T", " ")
        state = f"{summary.state} ({summary.assignee})" if summary.assignee else summary.state
        _row(
            table,
            summary.incident_id,
            opened,
            summary.incident,
            summary.severity,
            state,
            outcome,
            summary.sentence,
        )
    return table


def timeline_table(events: Sequence[Event]) -> RichTable:
    """What happened, when, and how long after the beginning."""
    table = _table("UTC", "after", "event", "what", title=f"Incident {events[0].incident_id}")
    began = datetime.fromisoformat(events[0].at)
    for event in events:
        at = datetime.fromisoformat(event.at)
        marked = "bold magenta" if event.kind.startswith("remedy") else ""
        _row(
            table,
            f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}",
            "+" + duration((at - began).total_seconds()),
            Text(clean(event.kind), style=marked),
            event.payload.get("sentence", ""),
        )
    return table


def diff_text(action: Action, diff: Mapping[str, str]) -> Text:
    """Before and after, as a diff."""
    text = Text(clean(f"{action.target}: {action.title or action.remedy}\n"), style="bold")
    text.append("\n")
    for mark, key, style in (("-", "before", "red"), ("+", "after", "green")):
        for line in str(diff.get(key, "")).splitlines():
            text.append(f"{mark} {clean(line)}\n", style=f"not bold {style}")
    return text


class TextConsole(Console):
    """A console on which no text steers the terminal: Rich itself does, with segments of its own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            plain = segment.control or segment.text.isprintable() or segment.text == "\n"
            yield segment if plain else Segment(_lines(segment.text), segment.style)


def _lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


def console() -> Console:
    """On stdout; Rich honours NO_COLOR by itself. A pipe gets room, as nobody wraps lines for grep."""
    found = TextConsole(highlight=False)
    return found if found.is_terminal else TextConsole(highlight=False, width=160)
