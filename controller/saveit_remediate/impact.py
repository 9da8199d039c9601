"""How bad it is for those who use the service: what was measured, against what was before. Pure.

Without a measurement there is "no data", which is never good and never bad by itself.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from saveit_remediate.catalog.policy_severities import Level, Severities
from saveit_remediate.incident import Severity

Points = Sequence[tuple[float, float | None]]
_FRESH = 120.0  # seconds: what is older says nothing about now


@dataclass(frozen=True)
class Probed:
    """What our own probes of one service saw lately; `why` is the last reason why one failed."""

    service: str
    answered: int
    asked: int
    why: str = ""


@dataclass(frozen=True)
class Requests:
    """Failed and all requests per second, now and before; None is no data, and `why` says why."""

    failed: float | None = None
    all: float | None = None
    failed_before: float | None = None
    all_before: float | None = None
    why: str = ""

    @property
    def percent(self) -> float | None:
        """Of the requests now, how many fail."""
        return _percent(self.failed, self.all)

    @property
    def percent_before(self) -> float | None:
        return _percent(self.failed_before, self.all_before)

    @property
    def left(self) -> float | None:
        """What is left of the traffic before, in percent."""
        return _percent(self.all, self.all_before)


@dataclass(frozen=True)
class Impact:
    """`asked_prometheus` is false where none is set."""

    probed: tuple[Probed, ...] = ()
    requests: Requests = field(default_factory=Requests)
    window: timedelta = timedelta(minutes=15)
    asked_prometheus: bool = False

    @property
    def down(self) -> tuple[Probed, ...]:
        """Services of which no probe was answered."""
        return tuple(one for one in self.probed if one.asked and not one.answered)


@dataclass(frozen=True)
class Baseline:
    """Is it as it was before? `word` is back, not-back or no-data."""

    word: str
    sentence: str


def requests_of(failed: Points, every: Points, opened: float, window: float, why: str = "") -> Requests:
    """From the two series. Before is the median of the `window` seconds before the incident opened.

    So what began a few minutes before the alert does not count as usual. Times are seconds since the epoch.
    """
    newest = max((at for at, _ in (*failed, *every)), default=0.0)

    def now(points: Points) -> float | None:
        fresh = [value for at, value in points if value is not None and at >= newest - _FRESH]
        return fresh[-1] if fresh else None

    def before(points: Points) -> float | None:
        found = [value for at, value in points if value is not None and opened - window <= at < opened]
        return statistics.median(found) if found else None

    return Requests(now(failed), now(every), before(failed), before(every), why)


def propose(impact: Impact, severities: Severities) -> tuple[Severity | None, str]:
    """The worst severity whose limits are reached, and what was measured, in one sentence."""
    told = "; ".join(part for part in (_probes(impact), _requests(impact)) if part)
    for name in Severity:
        reached = _reached(impact, severities.levels[str(name)])
        if reached:
            return name, f"impact counts as {name}: {reached} ({told})"
    return None, told


def compare(impact: Impact, tolerance: float) -> Baseline:
    """After the remedies: is the error rate back, but for `tolerance` in percent of the requests?

    Where Prometheus has no series our own probes tell: each of them is to be answered.
    """
    requests, before = impact.requests, impact.requests.percent_before or 0.0
    if requests.percent is not None and requests.percent - before > tolerance:
        return Baseline("not-back", f"not back to the baseline: {_requests(impact)}")
    failing = [one for one in impact.probed if one.answered < one.asked]
    if failing:
        return Baseline("not-back", f"not back to the baseline: {_probes(impact)}")
    asked = any(one.asked for one in impact.probed)
    if requests.percent is None and not asked:
        return Baseline("no-data", f"against the baseline: no data{_because(requests.why)}")
    how = _requests(impact) if requests.percent is not None else f"{_probes(impact)}, by our own probes"
    return Baseline("back", f"back to the baseline: {how}")


def _reached(impact: Impact, level: Level) -> str:
    """Which limit of this level, in words; empty when none is."""
    requests = impact.requests
    share = _percent(float(len(impact.down)), float(len(impact.probed)))
    if level.down_percent is not None and share is not None and share >= level.down_percent > 0:
        return f"{len(impact.down)} of {len(impact.probed)} services do not answer"
    more = None if requests.percent is None else requests.percent - (requests.percent_before or 0.0)
    if level.error_percent is not None and more is not None and more >= level.error_percent > 0:
        return f"{more:.3g} % of the requests fail that did not before"
    if (
        level.traffic_percent is not None
        and requests.left is not None
        and requests.left <= level.traffic_percent
    ):
        return f"{requests.left:.3g} % of the traffic are left"
    return ""


def _probes(impact: Impact) -> str:
    if not impact.probed:
        return ""
    bad = [one for one in impact.probed if one.answered < one.asked]
    count = sum(one.asked for one in impact.probed)
    if not count:
        return "no probe came to an end yet"
    if not bad:
        return f"all {count} probes of {', '.join(one.service for one in impact.probed)} were answered"
    return ", ".join(
        f"{one.service}: {one.asked - one.answered} of {one.asked} probes failed"
        + (f" ({one.why})" if one.why else "")
        for one in bad
    )


def _requests(impact: Impact) -> str:
    if not impact.asked_prometheus:
        return ""
    requests, minutes = impact.requests, impact.window.total_seconds() / 60
    if requests.percent is None:
        return f"Prometheus: no data{_because(requests.why)}"
    before = "no data" if requests.percent_before is None else f"{requests.percent_before:.3g} %"
    traffic = "" if requests.all is None else f", {requests.all:.3g} requests/s"
    usual = "" if requests.all_before is None else f" ({requests.all_before:.3g} before)"
    fail = f"{requests.percent:.3g} % of the requests fail ({before} in the {minutes:g} min before)"
    return f"{fail}{traffic}{usual}"


def _because(why: str) -> str:
    return f" ({why})" if why else ""


def _percent(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else 100.0 * part / whole


def probed(
    samples: Mapping[str, Sequence[tuple[float, float | None, str]]], since: float
) -> tuple[Probed, ...]:
    """By service the samples (at, milliseconds or None when it failed, why) since a moment."""
    found = []
    for service, all_samples in samples.items():
        lately = [one for one in all_samples if one[0] >= since]
        why = next((one[2] for one in reversed(lately) if one[1] is None), "")
        answered = sum(one[1] is not None for one in lately)
        found.append(Probed(service, answered, len(lately), why))
    return tuple(found)
