"""Action items from what was seen: gaps of the runbook, near misses, what is still to be put back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from saveit_remediate.journal import Event
from saveit_remediate.report.facts import Facts
from saveit_remediate.report.series import Measured
from saveit_remediate.report.text import clean


def lessons(facts: Facts, events: Sequence[Event], measured: Measured, earlier: int) -> list[tuple[str, str]]:
    """Pairs of (kind, sentence). `earlier`: how often the same was remediated in the thirty days before."""
    return [
        *_changes(facts),
        *_gaps(facts),
        *_near_misses(facts, events),
        *_repeats(facts, earlier),
        *_unseen(measured),
    ]


def _changes(facts: Facts) -> Iterator[tuple[str, str]]:
    for change in facts.changes:
        until = f" (until {change.expires})" if change.expires else ""
        command = f"saveit-remediate revert {change.id}"
        yield (
            "put back",
            f"{change.what} on {change.target} is still changed{until}; put it back with: {command}",
        )


def _gaps(facts: Facts) -> Iterator[tuple[str, str]]:
    helped = [one for one in facts.remedies if one.result == "helped"]
    for remedy in facts.remedies:
        if remedy.result == "no-help" and helped:
            yield (
                "runbook",
                f"{remedy.remedy} on {remedy.target} was tried before {helped[0].remedy} and did not help: "
                "should the runbook leave it out for what was found?",
            )
    symptoms = [one.id for one in facts.findings if one.is_symptom]
    if symptoms and not facts.recovered and facts.ended:
        tried = f"{len(facts.remedies)} were tried" if facts.remedies else "none was tried"
        yield "runbook", f"no remedy ended {', '.join(dict.fromkeys(symptoms))} ({tried}): which one would?"
    if facts.recovered and not facts.remedies:
        yield "cause", "the service recovered without a remedy: find out what ended it, as it may come again"
    for finding in facts.findings:
        if finding.next and not facts.recovered and finding.kind != "context":
            yield "next", f"{finding.id}: {finding.next}"


def _near_misses(facts: Facts, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    kinds = [event.kind for event in events]
    first = events[0].payload
    if first.get("break_lease"):
        yield "near miss", f"the lease of somebody else was broken: {clean(first['break_lease'], 200)}"
    if "replanned" in kinds:
        yield "near miss", "the world changed between diagnosis and remedy: who else was at work?"
    if "interrupted" in kinds or facts.outcome == "resumed":
        yield (
            "near miss",
            "the response was cut off: what happened to the controller, and was anything left half done?",
        )
    for remedy in facts.remedies:
        if remedy.result == "unknown":
            yield "near miss", f"nobody saw whether {remedy.remedy} on {remedy.target} helped"
    if "reopened" in kinds:
        yield "near miss", "it came back after it was resolved: was the hold time long enough?"


def _repeats(facts: Facts, earlier: int) -> Iterator[tuple[str, str]]:
    if earlier:
        times = "once" if earlier == 1 else f"{earlier} times"
        yield (
            "repeat",
            f"{facts.incident} was remediated {times} in the thirty days before: what is the lasting cure?",
        )


def _unseen(measured: Measured) -> Iterator[tuple[str, str]]:
    missing = [one.chart.title.lower() for one in measured.series if not one.points]
    if missing:
        yield "monitoring", f"nobody could see {', '.join(missing)} while it lasted: have it measured"
