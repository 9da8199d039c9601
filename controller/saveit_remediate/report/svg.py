"""A chart as plain SVG. Text keeps its size at any width: only the curve is stretched. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from saveit_remediate.report.facts import Remedy
from saveit_remediate.report.series import Series, Span

_HEIGHT = 132  # of the curve, in pixels
_TOP, _BOTTOM = 18, 22  # for the numbers of the remedies, and the times
_WIDE = 1000  # units of the curve's own width, which is stretched
_SPARKS = "▁▂▃▄▅▆▇█"


def chart_svg(series: Series, span: Span, remedies: Sequence[Remedy]) -> str:
    """The element, with its colours left to the page (classes curve, area, grid, during, remedy)."""
    title = escape(f"{series.chart.title}: {caption(series, span)}")
    values = [value for _, value in series.points if value is not None]
    top = ceiling(max(values, default=0.0))
    parts = [
        f'<svg class="chart" width="100%" height="{_TOP + _HEIGHT + _BOTTOM}" '
        f'role="img" aria-label="{title}">',
        _during(span),
        *(_grid(top) if values else ()),
        _curve(series, span, top) if values else "",
        *_marks(span, remedies),
        *_times(span),
    ]
    if not values:
        parts.append(
            f'<text class="nothing" x="50%" y="{_TOP + _HEIGHT / 2:g}" text-anchor="middle">no data</text>'
        )
    return "".join([*parts, "</svg>"])


def caption(series: Series, span: Span) -> str:
    """Before, worst and at the end, in words; or that there is no data, and why."""
    if not any(value is not None for _, value in series.points):
        return f"no data: {series.why}"
    before = series.within(span.start, span.opened)
    during = series.within(span.opened, span.over)
    after = series.within(span.over, span.end) or during
    words = [
        f"{number(sum(before) / len(before))} before" if before else "no data before",
        f"at most {number(max(during))} while it lasted" if during else "no data while it lasted",
        f"{number(after[-1])} at the end" if after else "no data at the end",
    ]
    return f"{', '.join(words)} ({series.unit})"


def sparkline(series: Series, span: Span, width: int = 60) -> str:
    """The same curve in one line of text; a gap is no data."""
    length = (span.end - span.start) / width
    columns = [series.within(span.start + n * length, span.start + (n + 1) * length) for n in range(width)]
    top = ceiling(max((max(column) for column in columns if column), default=0.0))
    if not any(columns):
        return ""
    return "".join(
        _SPARKS[min(int(max(max(column), 0.0) / top * len(_SPARKS)), len(_SPARKS) - 1)] if column else " "
        for column in columns
    )


def ceiling(value: float) -> float:
    """The next number that reads well: 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 1.0
    while value < power:
        power /= 10
    return next(step * power for step in (1, 2, 5, 10) if value <= step * power * (1 + 1e-9))


def number(value: float) -> str:
    """Short: 0, 0.042, 12.5, 1240."""
    if value == 0:
        return "0"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _during(span: Span) -> str:
    left, right = span.place(span.opened), span.place(span.over)
    width = max(round(right - left, 2), 0.4)
    return f'<rect class="during" x="{left}%" y="{_TOP}" width="{width}%" height="{_HEIGHT}"/>'


def _grid(top: float) -> Iterable[str]:
    for part in (1.0, 0.5, 0.0):
        y = _TOP + _HEIGHT * (1 - part)
        yield f'<line class="grid" x1="0" x2="100%" y1="{y:g}" y2="{y:g}"/>'
        if part:
            yield f'<text class="value" x="0" y="{y + 12:g}">{number(top * part)}</text>'


def _curve(series: Series, span: Span, top: float) -> str:
    lines: list[list[tuple[float, float]]] = [[]]
    gap = 3 * span.step  # a scrape that is missing breaks the line
    before = None
    for at, value in series.points:
        if value is None or (before is not None and at - before > gap):
            lines.append([])
        if value is not None:
            y = _HEIGHT * (1 - min(max(value, 0.0) / top, 1.0))
            lines[-1].append((_WIDE * span.place(at) / 100, y))
            before = at
    drawn = "".join(_line(points) for points in lines if points)
    return (
        f'<svg x="0" y="{_TOP}" width="100%" height="{_HEIGHT}" viewBox="0 0 {_WIDE} {_HEIGHT}" '
        f'preserveAspectRatio="none" aria-hidden="true" overflow="visible">{drawn}</svg>'
    )


def _line(points: list[tuple[float, float]]) -> str:
    if len(points) == 1:  # a point alone would be invisible
        points = [points[0], (points[0][0] + 2, points[0][1])]
    path = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    first, last = points[0][0], points[-1][0]
    return (
        f'<path class="area" d="M{first:.1f} {_HEIGHT} L{path} L{last:.1f} {_HEIGHT} Z"/>'
        f'<path class="curve" vector-effect="non-scaling-stroke" d="M{path}"/>'
    )


def _marks(span: Span, remedies: Sequence[Remedy]) -> Iterable[str]:
    """A line for each remedy with its number; numbers that would lie on each other are told together."""
    groups: list[tuple[float, list[Remedy]]] = []
    for remedy in remedies:
        x = span.place(remedy.started.timestamp())
        if groups and x - groups[-1][0] < 4:
            groups[-1][1].append(remedy)
        else:
            groups.append((x, [remedy]))
        yield f'<line class="remedy" x1="{x}%" x2="{x}%" y1="{_TOP}" y2="{_TOP + _HEIGHT}"/>'
    for x, together in groups:
        first, last = together[0].number, together[-1].number
        label = f"{first}" if first == last else f"{first}–{last}"
        x = min(max(x, 1.5), 98.5)
        yield f'<text class="mark" x="{x}%" y="{_TOP - 6}" text-anchor="middle">{label}</text>'


def _times(span: Span) -> Iterable[str]:
    y = _TOP + _HEIGHT + 16
    for part, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        at = datetime.fromtimestamp(span.start + part * (span.end - span.start), UTC)
        yield f'<text class="time" x="{part * 100:g}%" y="{y}" text-anchor="{anchor}">{at:%H:%M:%S}</text>'
