"""From the assessment to what will be tried, in which order, and what will not, with the reason. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from saveit_remediate.assess import Assessment
from saveit_remediate.catalog import RISKS, Playbook
from saveit_remediate.incident import Action, Severity


@dataclass(frozen=True)
class Step:
    """One remedy for one target: allowed, or the reason why not.

    `allowed`: for what was found. `later`: not for that, but it may follow when a remedy before it changes
    what is found (a started Redis loads its data, say); the ladder looks again before each remedy.
    """

    target: str
    remedy: str
    title: str
    risk: str
    disrupts: str
    reversible: bool
    allowed: bool
    reason: str
    would_help: bool = True
    later: bool = False


@dataclass(frozen=True)
class Plan:
    """What will be run, if a person agrees."""

    playbook: Playbook
    severity: Severity
    why: str
    steps: tuple[Step, ...]

    @property
    def allowed(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.allowed)

    @property
    def denied(self) -> tuple[Step, ...]:
        """Remedies that would help, and that policy or the platform does not allow."""
        return tuple(step for step in self.steps if step.would_help and not step.allowed)

    def for_ladder(self, assessment: Assessment, hosts: Iterable[str]) -> dict[str, Any]:
        """The extra variable `ladder_plan`: per host what was found, and which remedies may be tried."""
        return {
            host: {
                "assessed": [finding.id for finding in assessment.of(host)],
                "remedies": [
                    step.remedy for step in self.steps if step.target == host and (step.allowed or step.later)
                ],
            }
            for host in dict.fromkeys((*hosts, *assessment.sick))
        }


def make_plan(
    assessment: Assessment, offered: Iterable[Action], playbook: Playbook, max_risk: str = "medium"
) -> Plan:
    """Decide about each remedy that the diagnosis offered; `max_risk` is low, medium or high."""
    steps = tuple(_step(action, assessment, max_risk) for action in offered)
    return Plan(playbook, assessment.severity, assessment.why, steps)


def _step(action: Action, assessment: Assessment, max_risk: str) -> Step:
    would_help = action.result == "possible"
    denied = action.forbidden or _denied(action, assessment, max_risk)
    return Step(
        target=action.target,
        remedy=action.remedy,
        title=action.title,
        risk=action.risk,
        disrupts=action.disrupts,
        reversible=action.reversible,
        allowed=would_help and not denied,
        reason=denied if would_help and denied else action.sentence,
        would_help=would_help,
        later=not would_help and not denied,
    )


def _denied(action: Action, assessment: Assessment, max_risk: str) -> str:
    """Why policy does not let it be tried; empty when it does."""
    if not assessment.of(action.target):
        return "nothing is wrong there"
    if action.risk not in RISKS:
        return f"its risk {action.risk!r} is none of {', '.join(RISKS)}"
    if action.risk == "high" and max_risk != "high":
        return "high risk needs an approval: -e ladder_max_risk=high"
    if RISKS.index(action.risk) > RISKS.index(max_risk):
        return f"{action.risk} risk is above ladder_max_risk={max_risk}"
    return ""
