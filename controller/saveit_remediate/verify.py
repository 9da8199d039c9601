"""Has the service recovered? Decided here, from the evidence, by the runbook's criteria. Pure.

Recovered means: the run ended well, and every criterion was met by every sample over the hold time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from saveit_remediate.catalog import Criterion
from saveit_remediate.incident import Evidence

# Times of samples are rounded to milliseconds on their way here.
_ROUNDING = 0.001


@dataclass(frozen=True)
class CriterionResult:
    """`verdict` is met, violated or no_data; `held_seconds` is how long it was met without a break."""

    criterion: str
    target: str
    verdict: str
    last_value: Any
    held_seconds: float
    sentence: str


@dataclass(frozen=True)
class Verification:
    """`verdict` is recovered, unresolved (the service is still sick) or unverified (we cannot tell)."""

    verdict: str
    sentence: str
    results: tuple[CriterionResult, ...] = ()


def verify(
    criteria: Sequence[Criterion],
    evidence: Iterable[Evidence],
    targets: Sequence[str],
    hold_seconds: float,
    problem: str = "",
) -> Verification:
    """Judge all `targets`. `problem` says what was wrong with the run itself; empty when it ended well."""
    samples = [item for item in evidence if item.phase == "verify"]
    results: list[CriterionResult] = []
    for target in targets:
        mine = [item for item in samples if item.target == target]
        if not mine:
            because = f": {problem}" if problem else ""
            return Verification("unverified", f"nothing was measured on {target} after the remedies{because}")
        results += _judge(criteria, mine, target, hold_seconds)
    violated = [result for result in results if result.verdict == "violated"]
    if violated:
        return Verification("unresolved", _join(violated), tuple(results))
    if problem:
        return Verification("unresolved", f"the run did not end well: {problem}", tuple(results))
    unproven = [result for result in results if result.verdict != "met"]
    if unproven or not results:
        return Verification("unverified", _join(unproven) or "no criterion to meet", tuple(results))
    held = min((result.held_seconds for result in results if result.held_seconds), default=0.0)
    return Verification(
        "recovered",
        f"all criteria were met for {held:.1f} s (wanted {hold_seconds:g} s)",
        tuple(results),
    )  # fmt: skip


def _judge(
    criteria: Sequence[Criterion], samples: Sequence[Evidence], target: str, hold_seconds: float
) -> list[CriterionResult]:
    """All criteria on one target, by the samples taken after its newest remedy."""
    newest = max(samples, key=lambda item: item.at)
    current = [item for item in samples if item.after == newest.after]
    return [_one(criterion, current, target, hold_seconds, newest.at) for criterion in criteria]


def _one(
    criterion: Criterion, samples: Sequence[Evidence], target: str, hold_seconds: float, newest: float
) -> CriterionResult:
    mine = sorted((item for item in samples if item.name == criterion.evidence), key=lambda item: item.at)
    last = mine[-1].value if mine else None
    good_since = None
    for item in mine:
        if not _meets(criterion, item.value):
            good_since = None
        elif good_since is None:
            good_since = item.at
    held = mine[-1].at - good_since if mine and good_since is not None else 0.0

    def result(verdict: str, sentence: str) -> CriterionResult:
        return CriterionResult(str(criterion), target, verdict, last, round(held, 3), sentence)

    recent = [item for item in mine if item.at >= newest - hold_seconds - _ROUNDING]
    bad = [item for item in recent if item.value is not None and not _meets(criterion, item.value)]
    if bad:
        flaps = ", though it was met again after that" if _meets(criterion, last) else ""
        found = bad[-1]
        seen = f"{criterion.evidence} was {_shown(found.value)}"
        why = f" ({found.sentence})" if found.sentence else ""
        return result("violated", f"{target}: {seen}{why}, wanted {_wanted(criterion)}{flaps}")
    if all(item.value is None for item in recent):
        if criterion.no_data_passes:
            return result("met", f"{target}: no data for {criterion.evidence}, which counts as met")
        return result("no_data", f"{target}: no data for {criterion.evidence}")
    if good_since is None:
        return result("no_data", f"{target}: no data for {criterion.evidence} at the end")
    if held + _ROUNDING < hold_seconds:
        wanted = f"{held:.1f} s, wanted {hold_seconds:g} s"
        return result("no_data", f"{target}: {criterion} was seen to hold only for {wanted}")
    return result("met", f"{target}: {criterion} for {held:.1f} s")


def _meets(criterion: Criterion, value: Any) -> bool:
    """One sample against one criterion; texts from YAML and JSON keep their type, so true is not "true"."""
    if value is None:
        return criterion.no_data_passes
    if criterion.test in ("is", "is_not"):
        same = type(value) is type(criterion.value) and value == criterion.value
        if _is_number(value) and _is_number(criterion.value):
            same = value == criterion.value
        return same is (criterion.test == "is")
    if not _is_number(value) or value != value:
        return False
    return bool(value <= criterion.value if criterion.test == "at_most" else value >= criterion.value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wanted(criterion: Criterion) -> str:
    return str(criterion).removeprefix(f"{criterion.evidence} ")


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _join(results: Iterable[CriterionResult]) -> str:
    return "; ".join(result.sentence for result in results)
