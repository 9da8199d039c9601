"""The figures for a terminal, and as lines for a pipe."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from saveit_remediate.incident import Table
from saveit_remediate.report.figures import Figures
from saveit_remediate.report.tables import data_table
from saveit_remediate.report.text import duration


def figures_lines(found: Figures, since: str) -> Iterator[tuple[str, ...]]:
    """One figure a line: what it is of, and its numbers. "no data" where there is none."""
    yield "since", since
    yield "incidents", str(found.incidents)
    yield "recovered", str(found.recovered)
    yield "recovered without a person", str(found.alone), _percent(found)
    yield "not ended", str(found.unfinished)
    yield "looks that needed nothing", str(found.looks)
    for times in found.times:
        median, p90 = time_words(times.median), time_words(times.p90)
        yield f"time to {times.name}", f"median {median}", f"p90 {p90}", f"of {times.count}"
    for incident, severity, count in found.by_type:
        yield "type", incident, severity, str(count)
    for one in found.remedies:
        helped = f"helped {one.helped} of {one.times}"
        yield "remedy", one.incident, one.remedy, helped, f"unknown {one.unknown}"
    for incident, target, count in found.repeats:
        yield "repeat", incident, target, str(count)


def figures_tables(found: Figures, since: str) -> RenderableType:
    """The same as tables."""
    head = Text(f"{found.incidents} incidents in {since}", style="bold")
    head.append(
        f", {found.recovered} recovered, {found.alone} of them without a person ({_percent(found)}); "
        f"{found.looks} looks needed nothing",
        style="not bold",
    )
    times = [(each.name, time_words(each.median), time_words(each.p90), each.count) for each in found.times]
    remedies = [
        (one.incident, one.remedy, one.times, one.helped, one.no_help, one.unknown) for one in found.remedies
    ]
    tables = (
        Table("times", "", ("from the opening to", "median", "p90", "of"), tuple(times)),
        Table("by type and severity", "", ("incident", "severity", "count"), found.by_type),
        Table(
            "remedies", "", ("incident", "remedy", "begun", "helped", "did not", "unknown"), tuple(remedies)
        ),
        Table("repeat offenders", "", ("incident", "target", "times"), found.repeats),
    )
    return Group(head, *(data_table(one, with_target=False) for one in tables if one.rows))


def time_words(seconds: float | None) -> str:
    return "no data" if seconds is None else duration(seconds)


def _percent(found: Figures) -> str:
    return "no data" if found.alone_percent is None else f"{found.alone_percent:g} %"
