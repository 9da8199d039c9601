"""Figures over many incidents: how often, how long, what helped, what comes again. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from saveit_remediate.report.facts import Facts

_REPEATED = 2  # times of the same type on the same target


@dataclass(frozen=True)
class Times:
    """Seconds since the opening, of those incidents where it happened; None is no data."""

    name: str
    count: int
    median: float | None
    p90: float | None


@dataclass(frozen=True)
class Remedied:
    """How often a remedy of an incident type was begun, and with which result."""

    incident: str
    remedy: str
    times: int
    helped: int
    no_help: int
    unknown: int


@dataclass(frozen=True)
class Figures:
    """`looks` needed nothing. `alone` are those that recovered without anybody's agreement or approval."""

    incidents: int
    looks: int
    recovered: int
    alone: int
    unfinished: int
    by_type: tuple[tuple[str, str, int], ...]  # (type, severity, count)
    times: tuple[Times, ...]
    remedies: tuple[Remedied, ...]
    repeats: tuple[tuple[str, str, int], ...]  # (type, target, count)

    @property
    def alone_percent(self) -> float | None:
        """Of those that recovered; None when none did."""
        return round(100 * self.alone / self.recovered, 1) if self.recovered else None


def figures_of(every: Iterable[Facts]) -> Figures:
    """Of the facts of each incident. What was gone on with in another record counts there."""
    all_of = [facts for facts in every if facts.outcome != "resumed"]
    found = [facts for facts in all_of if facts.acted_on]
    recovered = [facts for facts in found if facts.recovered]
    types = Counter((facts.incident, facts.severity or "none") for facts in found)
    places = Counter((facts.incident, target) for facts in found for target in facts.targets)
    return Figures(
        incidents=len(found),
        looks=len(all_of) - len(found),
        recovered=len(recovered),
        alone=sum(not facts.with_a_person for facts in recovered),
        unfinished=sum(facts.ended is None for facts in found),
        by_type=tuple((*key, count) for key, count in sorted(types.items())),
        times=tuple(
            times_of(name, [facts.seconds(when(facts)) for facts in found])
            for name, when in MOMENTS.items()
        ),
        remedies=_remedies(found),
        repeats=tuple(
            (*key, count) for key, count in places.most_common() if count >= _REPEATED
        ),
    )  # fmt: skip


MOMENTS: Mapping[str, Callable[[Facts], datetime | None]] = {
    "acknowledge": lambda facts: facts.acknowledged,
    "first action": lambda facts: facts.acted,
    "recovery": lambda facts: facts.recovered,
}


def times_of(name: str, seconds: Sequence[float | None]) -> Times:
    """Median and 90th percentile by the nearest rank, so that each is a time that really was."""
    known = sorted(value for value in seconds if value is not None)
    return Times(name, len(known), rank(known, 0.5), rank(known, 0.9))


def rank(known: Sequence[float], part: float) -> float | None:
    """The smallest value that at least this part of all does not exceed; None of nothing."""
    return known[max(math.ceil(part * len(known)) - 1, 0)] if known else None


def _remedies(found: Sequence[Facts]) -> tuple[Remedied, ...]:
    results: dict[tuple[str, str], Counter[str]] = {}
    for facts in found:
        for remedy in facts.remedies:
            results.setdefault((facts.incident, remedy.remedy), Counter())[remedy.result] += 1
    return tuple(
        Remedied(*key, counts.total(), counts["helped"], counts["no-help"], counts["unknown"])
        for key, counts in sorted(results.items())
    )
