"""What a post-mortem says, in the order of its five sections, ready for the templates. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from saveit_remediate.incident import Finding
from saveit_remediate.journal import Event
from saveit_remediate.journal.chain import chain_break
from saveit_remediate.report.due import Due, due_of
from saveit_remediate.report.facts import LONGEST, Facts, at
from saveit_remediate.report.lessons import lessons
from saveit_remediate.report.rules import Rules
from saveit_remediate.report.series import Measured, Series, Span
from saveit_remediate.report.svg import caption, chart_svg, number, sparkline
from saveit_remediate.report.text import clean, duration

_NOT_TOLD = ("notice", "sending", "measured", "postmortem", "reminded")
_MOST = 500  # rows of a timeline; the rest is in `show`


@dataclass(frozen=True)
class Row:
    """One event of the timeline; `remedy` is its number on the charts, 0 without one."""

    at: datetime
    after: str
    kind: str
    sentence: str
    tone: str  # good, bad, remedy, or "" for the rest
    remedy: int = 0


@dataclass(frozen=True)
class Drawn:
    """One chart: an element for HTML, a line of text for Markdown, and the words for both."""

    id: str
    title: str
    source: str
    caption: str
    svg: Markup
    spark: str


@dataclass(frozen=True)
class Content:
    """All that a template may use. `broken` is the number of the first event that was changed, or None."""

    facts: Facts
    rows: tuple[Row, ...]
    left_out: int
    charts: tuple[Drawn, ...]
    causes: tuple[Finding, ...]
    besides: tuple[Finding, ...]
    impact: tuple[tuple[str, str], ...]
    lessons: tuple[tuple[str, str], ...]
    due: Due | None
    warnings: tuple[str, ...]
    broken: int | None
    events: int
    seal: str


def content_of(
    facts: Facts,
    events: Sequence[Event],
    span: Span,
    measured: Measured,
    rules: Rules,
    now: datetime,
    earlier: int,
) -> Content:
    """Everything on the page follows from the record and from what was measured."""
    told = [event for event in events if event.kind not in _NOT_TOLD]
    rows = [_row(event, facts) for event in told]
    return Content(
        facts=facts,
        rows=tuple(rows[:_MOST]),
        left_out=max(len(rows) - _MOST, 0),
        charts=tuple(_drawn(series, span, facts) for series in measured.series),
        causes=tuple(one for one in facts.findings if one.kind != "context"),
        besides=tuple(one for one in facts.findings if one.kind == "context"),
        impact=tuple(_impact(facts, span, measured, rules, now)),
        lessons=tuple(lessons(facts, events, measured, earlier)),
        due=due_of(facts, rules, now),
        warnings=measured.warnings,
        broken=chain_break(events),
        events=len(told),
        seal=told[-1].hash[:12] if told else "",
    )


def _row(event: Event, facts: Facts) -> Row:
    when = at(event)
    number_of = {(one.remedy, one.target): one.number for one in facts.remedies if one.started <= when}
    target = event.payload.get("target") or event.payload.get("host")
    remedy = number_of.get((str(event.payload.get("remedy")), str(target)), 0)
    said = event.payload.get("sentence") or event.payload.get("text") or event.payload.get("reason") or ""
    return Row(
        at=when,
        after="+" + duration(max((when - facts.opened).total_seconds(), 0.0)),
        kind=clean(event.kind, 40),
        sentence=clean(said, LONGEST),
        tone=_tone(event),
        remedy=remedy,
    )


def _tone(event: Event) -> str:
    if event.kind in ("remedy-started", "remedy-finished"):
        return "remedy"
    if event.kind == "verified":
        return "good" if event.payload.get("recovered") is True else "bad"
    if event.kind in ("judged", "closed"):
        word = event.payload.get("verdict") or event.payload.get("outcome")
        return "good" if word in ("recovered", "healthy", "planned") else "bad"
    return {"resolved": "good", "reopened": "bad", "interrupted": "bad"}.get(event.kind, "")


def _drawn(series: Series, span: Span, facts: Facts) -> Drawn:
    svg = Markup(chart_svg(series, span, facts.remedies))  # noqa: S704
    chart, words = series.chart, caption(series, span)
    source = f"{series.source} ({series.why})" if series.source and series.why else series.source
    return Drawn(chart.id, chart.title, source, words, svg, sparkline(series, span))


def _impact(
    facts: Facts, span: Span, measured: Measured, rules: Rules, now: datetime
) -> list[tuple[str, str]]:
    lasted = (facts.recovered or facts.ended or now) - facts.opened
    over = "" if facts.recovered else " and not over" if facts.ended is None else " until the tool gave up"
    failed, why = _failed(span, measured)
    users = "no data: " + (
        "Prometheus has none" if rules.users else "no query is set (users in postmortem.yml)"
    )
    return [
        ("Duration", f"{duration(lasted.total_seconds())}{over}"),
        ("Users affected", users if measured.users is None else f"up to {number(measured.users)}"),
        ("Requests failed", why if failed is None else f"about {number(failed)}"),
        ("Error budget", _budget(failed, measured, rules)),
    ]


def _failed(span: Span, measured: Measured) -> tuple[float | None, str]:
    """How many requests failed; or none, and what is known instead."""
    errors = measured.of("errors")
    if errors is None:
        return None, "no data: no chart has the id errors"
    rates = errors.within(span.opened, span.over)
    count = sum(rates) / len(rates) * (span.over - span.opened) if rates else None
    if errors.what == "prometheus" and count is not None:
        return count, ""
    probes = f"; of the tool's own probes about {number(count)} failed" if count is not None else ""
    return None, f"no data: {errors.why or 'none while it lasted'}{probes}"


def _budget(failed: float | None, measured: Measured, rules: Rules) -> str:
    if not rules.requests:
        return "no data: no objective is set (objective in postmortem.yml)"
    if failed is None:
        return "no data, as there is none of requests that failed"
    if not measured.requests:
        return "no data: Prometheus does not say how many requests there were"
    used = failed / (measured.requests * (1 - rules.percent / 100))
    return f"{number(100 * used)} % of what {rules.percent:g} % in {rules.days:g} days allows"
