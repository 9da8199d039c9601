"""From the assessment to what will be tried, in which order, and what will not, with the reason. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from saveit_remediate.assess import Assessment
from saveit_remediate.catalog import Playbook
from saveit_remediate.incident import Action, Severity

NO_AGREEMENT = "nobody agreed to it (--yes)"


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
    needs: str = ""  # by the policy
    lacks: str = ""  # why the policy, and nothing else, does not let it run


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

    @property
    def unagreed(self) -> tuple[Step, ...]:
        """Remedies that would be tried if somebody agreed."""
        return tuple(step for step in self.denied if step.lacks == NO_AGREEMENT)

    def for_ladder(self, assessment: Assessment, hosts: Iterable[str]) -> dict[str, Any]:
        """The extra variable `ladder_plan`: per host what was found, and which remedies may be tried."""
        return {
            host: {
                "assessed": [finding.id for finding in assessment.of(host)],
                "remedies": [
                    step.remedy
                    for step in self.steps
                    if step.target == host and (step.allowed or step.later or step.lacks)
                ],
            }
            for host in dict.fromkeys((*hosts, *assessment.sick))
        }


def make_plan(
    assessment: Assessment, offered: Iterable[Action], playbook: Playbook, agreed: bool, check: bool = False
) -> Plan:
    """Decide about each remedy that the diagnosis offered.

    `agreed`: somebody has agreed, or will be asked. What else the policy asks for, the ladder has told, and
    it looks again when the remedy is to act. A `check` needs nothing.
    """
    steps = tuple(_step(action, assessment, agreed, check) for action in offered)
    return Plan(playbook, assessment.severity, assessment.why, steps)


def _step(action: Action, assessment: Assessment, agreed: bool, check: bool) -> Step:
    would_help = action.result == "possible"
    barred = action.forbidden or ("" if assessment.of(action.target) else "nothing is wrong there")
    needs = action.needs or "agreement"  # of a playbook that does not say
    lacks = action.lacks or ("" if agreed or needs == "nothing" else NO_AGREEMENT)
    lacks = "" if barred or check else lacks
    return Step(
        target=action.target,
        remedy=action.remedy,
        title=action.title,
        risk=action.risk,
        disrupts=action.disrupts,
        reversible=action.reversible,
        allowed=would_help and not barred and not lacks,
        reason=(barred or lacks or action.sentence) if would_help else action.sentence,
        would_help=would_help,
        later=not would_help and not barred,
        needs=needs,
        lacks=lacks,
    )
