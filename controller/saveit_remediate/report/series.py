"""The values behind the charts: from Prometheus where it has some, else what the tool measured itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from saveit_remediate.journal import Event
from saveit_remediate.report.facts import Facts
from saveit_remediate.report.prometheus import Answer, Points, query_range
from saveit_remediate.report.rules import Chart, Rules
from saveit_remediate.report.text import clean

Ask = Callable[[str, str, float, float, float], Answer]
_AROUND = (120.0, 3600.0)  # seconds before and after an incident: as long as itself, within these
_STEPS = 240  # points of a chart
_FINEST = 2.0  # seconds; hardly anybody scrapes more often
_WHOLE = 0.9  # of the points from the first to the last; with fewer, the window is shorter than two scrapes


@dataclass(frozen=True)
class Span:
    """What the charts show; the incident from `opened` to `over` is inside. Seconds since the epoch."""

    start: float
    end: float
    opened: float
    over: float

    @property
    def step(self) -> float:
        return max(_FINEST, math.ceil((self.end - self.start) / _STEPS))

    def place(self, at: float) -> float:
        """From 0 to 100, as a percentage of the width."""
        return round(100 * min(max((at - self.start) / (self.end - self.start), 0.0), 1.0), 2)


@dataclass(frozen=True)
class Series:
    """One chart's values with their unit; `why` says why Prometheus has none now.

    `what` is prometheus, or probe: the tool's own, whose rates are of probes and not of requests.
    """

    chart: Chart
    points: Points = ()
    what: str = ""
    unit: str = ""
    source: str = ""
    why: str = ""

    def within(self, start: float, end: float) -> list[float]:
        """The values that there are from `start` to `end`."""
        return [value for at, value in self.points if value is not None and start <= at <= end]


@dataclass(frozen=True)
class Measured:
    """What was found out: the series of each chart, two numbers that may be None, and warnings."""

    series: tuple[Series, ...]
    requests: float | None = None
    users: float | None = None
    warnings: tuple[str, ...] = ()

    def of(self, chart_id: str) -> Series | None:
        return next((one for one in self.series if one.chart.id == chart_id), None)


def span_of(facts: Facts, now: datetime) -> Span:
    """The incident with as much before and after it as it lasted."""
    over = facts.recovered or facts.ended or now
    around = min(max((over - facts.opened).total_seconds(), _AROUND[0]), _AROUND[1])
    start, end = facts.opened - timedelta(seconds=around), min(over + timedelta(seconds=around), now)
    end = max(end, over, facts.opened + timedelta(seconds=1))
    return Span(start.timestamp(), end.timestamp(), facts.opened.timestamp(), over.timestamp())


def measure(rules: Rules, url: str, span: Span, events: Sequence[Event], ask: Ask = query_range) -> Measured:
    """Ask for every chart; a Prometheus that is away is asked once and not again."""
    away, warnings = "" if url else "no Prometheus is set (setting prometheus)", list[str]()

    def asked(
        query: str, start: float = span.start, end: float = span.end, step: float = span.step
    ) -> Answer:
        nonlocal away
        if away:
            return Answer(why=away)
        answer = ask(url, query, start, end, step)
        away = answer.why if answer.away else ""
        warnings.extend(f"Prometheus warns: {one}" for one in answer.warnings)
        return answer

    found = []
    for chart in rules.charts:
        answers = [Answer(why=away)]
        for window in rules.windows:
            answers.append(asked(chart.query.replace("$window", window)))
            if away or _is_whole(answers[-1].points, span.step):
                break
        best = max(answers, key=lambda answer: len(answer.points))
        if best.points:
            found.append(Series(chart, best.points, "prometheus", chart.unit, "Prometheus"))
        else:
            found.append(_own(chart, span, events, answers[-1].why))
    last = f"{max(math.ceil(span.over - span.opened), 1)}s"
    numbers = [
        _newest(asked(query.replace("$duration", last), span.over, span.over, 1.0)) if query else None
        for query in (rules.requests, rules.users)
    ]
    return Measured(tuple(found), numbers[0], numbers[1], tuple(dict.fromkeys(warnings)))


def _is_whole(points: Points, step: float) -> bool:
    """Is there hardly a gap from the first value to the last?"""
    if not points:
        return False
    return len(points) >= _WHOLE * ((points[-1][0] - points[0][0]) / step + 1)


def _own(chart: Chart, span: Span, events: Sequence[Event], why: str) -> Series:
    """What was measured while it went on: the events `measured` of the chart, Prometheus before probes."""
    mine = [
        event.payload
        for event in events
        if event.kind == "measured" and event.payload.get("chart") == chart.id
    ]
    for what in ("prometheus", "probe"):
        points: dict[float, float | None] = {}
        unit, source = chart.unit, ""
        for payload in mine:
            if payload.get("what") == what:
                points.update(_points(payload.get("series"), span))
                unit = clean(payload.get("unit") or unit, 40)
                source = clean(payload.get("said") or "the tool itself", 200)
        if any(value is not None for value in points.values()):
            return Series(chart, tuple(sorted(points.items())), what, unit, f"{source}, as recorded", why)
    return Series(chart, unit=chart.unit, why=f"{why}; nor did the tool measure it")


def _points(series: Any, span: Span) -> Mapping[float, float | None]:
    found: dict[float, float | None] = {}
    for pair in series if isinstance(series, list) else ():
        try:
            at, value = float(pair[0]), pair[1]
            if span.start <= at <= span.end:
                number = None if value is None else float(value)
                found[at] = number if number is not None and math.isfinite(number) else None
        except (TypeError, ValueError, IndexError, KeyError):
            continue  # somebody else's format: one point less
    return found


def _newest(answer: Answer) -> float | None:
    values = [value for _, value in answer.points if value is not None]
    return values[-1] if values else None
