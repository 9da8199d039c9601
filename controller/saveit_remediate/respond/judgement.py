"""How it ended: of each host, and of all together, where the worst host decides. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from saveit_remediate.incident import Outcome
from saveit_remediate.verify import Verification

_WORSE = (
    Outcome.HEALTHY,
    Outcome.RECOVERED,
    Outcome.PLANNED,
    Outcome.UNVERIFIED,
    Outcome.UNRESOLVED,
    Outcome.REFUSED,
    Outcome.UNREACHABLE,
)
_VERDICTS = ("recovered", "unverified", "unresolved")


@dataclass(frozen=True)
class Judgement:
    """How it ended, with the sentence why; `targets` has the same of each host."""

    outcome: Outcome
    sentence: str
    verification: Verification | None = None
    outdated: bool = False  # nothing was touched, as the world had changed since the plan was made
    targets: Mapping[str, Judgement] = field(default_factory=dict)


def together(each: Mapping[str, Judgement], outdated: bool = False) -> Judgement:
    """One judgement of several hosts, at least one; what several say is said once."""
    verifications = [item.verification for item in each.values() if item.verification]
    combined = None
    if verifications:
        combined = Verification(
            verdict=max((item.verdict for item in verifications), key=_VERDICTS.index),
            sentence="; ".join(item.sentence for item in verifications),
            results=tuple(one for item in verifications for one in item.results),
        )
    sentence = "; ".join(dict.fromkeys(item.sentence for item in each.values()))
    return Judgement(worst(item.outcome for item in each.values()), sentence, combined, outdated, dict(each))


def joined(whole: Judgement, apart: Mapping[str, Judgement]) -> Judgement:
    """With the hosts that took no part in it; those that are healthy need no word."""
    told = [item for item in apart.values() if item.outcome is not Outcome.HEALTHY]
    return replace(
        whole,
        outcome=worst(item.outcome for item in (whole, *told)),
        sentence="; ".join(dict.fromkeys(item.sentence for item in (whole, *told))),
        targets={**whole.targets, **apart},
    )


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The one that decides for all hosts."""
    return max(outcomes, key=_WORSE.index)
