"""The one JSON object that a run of the command ends with."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from saveit_remediate.errors import InterruptedRunError
from saveit_remediate.incident import Action, Change, Finding, Outcome
from saveit_remediate.redact import redact_data
from saveit_remediate.verify import Verification


@dataclass(frozen=True)
class TargetReport:
    """How it went on one host."""

    target: str
    outcome: Outcome
    sentence: str
    findings: tuple[Finding, ...]
    actions: tuple[Action, ...]
    verification: Verification | None


@dataclass(frozen=True)
class Report:
    """How it went. `started` and `finished` are UTC, ISO 8601; `target` names the hosts.

    `targets` has each of them; everything else is of all together, where the worst outcome counts.
    """

    incident_id: str
    incident: str
    severity: str
    target: str
    outcome: Outcome
    sentence: str
    mode: str
    playbook: str
    inventory: str
    findings: tuple[Finding, ...]
    actions: tuple[Action, ...]
    verification: Verification | None
    started: str
    finished: str
    seconds: float
    changes: tuple[Change, ...] = ()  # of this incident, that are still there
    interrupted: bool = False
    targets: tuple[TargetReport, ...] = ()

    @property
    def exit_code(self) -> int:
        return InterruptedRunError.exit_code if self.interrupted else self.outcome.exit_code


def alike(targets: Iterable[TargetReport]) -> list[tuple[str, Outcome, str]]:
    """Targets, outcome and sentence; those that ended with the same words are told of together."""
    found: dict[tuple[Outcome, str], list[str]] = {}
    for each in targets:
        found.setdefault((each.outcome, each.sentence), []).append(each.target)
    return [(", ".join(names), outcome, sentence) for (outcome, sentence), names in found.items()]


def counted(report: Report) -> str:
    """How many hosts ended how, such as "1 recovered, 2 refused"."""
    outcomes = Counter(str(each.outcome) for each in report.targets)
    return ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())


def to_json(report: Report) -> str:
    """One JSON object; text that is no UTF-8 comes out escaped."""
    return dump(dataclasses.asdict(report))


def dump(value: Any) -> str:
    """Readable JSON without secrets, in pure ASCII, which no terminal and no encoding can break."""
    return json.dumps(redact_data(value), indent=2, default=str)
