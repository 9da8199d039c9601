"""Measure the impact while a response goes on, beside it: nothing of it delays a remedy."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from saveit_remediate.catalog import Catalog
from saveit_remediate.catalog.policy import load_sections
from saveit_remediate.catalog.policy_severities import Severities, read_severities
from saveit_remediate.impact import Baseline, Impact, compare, probed, propose, requests_of
from saveit_remediate.incident import Severity
from saveit_remediate.report.prometheus import Answer, query_range
from saveit_remediate.respond.probing import EVERY, Probes, series_of
from saveit_remediate.respond.record import Record
from saveit_remediate.settings import Settings

_WAIT = 0.5  # seconds: an assessment does not wait longer for Prometheus
_AFTER_WAIT = 2.5  # seconds, when the remedies are over and nothing is delayed
_STEP = 5.0  # seconds between two values of Prometheus
_POINTS = 600  # of a series that is recorded
Ask = Callable[[str, str, float, float, float, float], Answer]


@dataclass
class Measuring:
    """What is measured of one incident; without probes and Prometheus it is idle. Made by `measuring`."""

    opened: float  # seconds since the epoch
    url: str = ""
    severities: Severities | None = None
    probes: Probes = field(default_factory=lambda: Probes({}))
    ask: Ask = query_range
    answers: dict[str, Answer] = field(default_factory=dict)
    asking: threading.Thread | None = None

    def impact(self, seconds: float, wait: float) -> Impact:
        """What the probes of the last `seconds` saw, and what Prometheus says if it does within `wait`."""
        if self.severities is None:
            return Impact()
        window, why = self.severities.window, ""
        if self.asking is not None:
            self.asking.join(wait)
        failed, every = (self.answers.get(name, Answer()) for name in ("errors", "traffic"))
        if self.url:
            why = every.why or failed.why or ("" if self.answers else "it has not answered yet")
        numbers = requests_of(failed.points, every.points, self.opened, window.total_seconds(), why)
        seen = probed(self.probes.samples, time.time() - seconds)
        return Impact(seen, numbers, window, asked_prometheus=bool(self.url))

    def proposal(self) -> tuple[Severity | None, str]:
        """A severity by impact alone, and the sentence why; both empty when nothing is measured."""
        if self.severities is None:
            return None, ""
        return propose(self.impact(60.0, _WAIT), self.severities)

    def ask_again(self, window: str = "1m") -> None:
        """Ask Prometheus for now and for before, in a thread of its own; `window` is that of a rate."""
        if self.url and self.severities is not None:
            self.answers = {}
            self.asking = threading.Thread(target=self._ask, args=[self.answers, window], daemon=True)
            self.asking.start()

    def _ask(self, answers: dict[str, Answer], window: str) -> None:
        assert self.severities is not None  # noqa: S101  # `ask_again` has looked
        start, end = self.opened - self.severities.window.total_seconds(), time.time()
        for name, query in (("traffic", self.severities.traffic), ("errors", self.severities.errors)):
            asked = query.replace("$window", window)
            answers[name] = self.ask(self.url, asked, start, end, _STEP, 2.0)
            if answers[name].away:
                break

    def baseline(self, hold_seconds: float) -> Baseline | None:
        """After the remedies, for the time that they had to hold, is it as it was before?

        A rate over a longer time would still have the incident in it. None when nothing is measured.
        """
        if self.severities is None:
            return None
        self.ask_again(f"{math.ceil(max(hold_seconds, 1.0))}s")
        limits = [one.error_percent for one in self.severities.levels.values() if one.error_percent]
        return compare(self.impact(max(hold_seconds, EVERY), _AFTER_WAIT), min(limits, default=1.0))

    def write(self, record: Record) -> None:
        """What was measured, for charts: an event for each series that has values."""
        names = ", ".join(self.probes.urls)
        own = series_of(self.probes.samples, self.probes.every)
        for chart, unit in (("errors", "failed probes/s"), ("latency", "ms")):
            said = f"our own probes of {names}, each every {self.probes.every:g} s"
            _write(record, "probe", chart, unit, own[chart], said)
        for chart, unit in (("errors", "failed requests/s"), ("traffic", "requests/s")):
            points = self.answers.get(chart, Answer()).points
            _write(record, "prometheus", chart, unit, [list(one) for one in points], "Prometheus")

    def stop(self) -> None:
        self.probes.stop()


def measuring(settings: Settings, catalog: Catalog, opened: float) -> Measuring:
    """Begin, as far as the settings say what; raises UsageError for a policy that cannot be right."""
    urls, prometheus = settings.probes, settings.prometheus
    if not urls and not prometheus:
        return Measuring(opened)
    severities = read_severities(load_sections(catalog, settings.policy, settings["policy"].origin))
    found = Measuring(opened, prometheus, severities, Probes(urls).start())
    found.ask_again()
    return found


def _write(record: Record, what: str, chart: str, unit: str, series: Sequence[list[Any]], said: str) -> None:
    if not series:
        return
    thinner = -(-len(series) // _POINTS)
    sentence = f"measured {chart} in {unit}: {said}"
    record.write("measured", sentence, what=what, chart=chart, unit=unit, series=series[::thinner], said=said)
