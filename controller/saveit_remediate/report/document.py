"""The one JSON object that a run of the command ends with."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from saveit_remediate.errors import InterruptedRunError
from saveit_remediate.incident import Action, Finding, Outcome
from saveit_remediate.redact import redact_data
from saveit_remediate.verify import Verification


@dataclass(frozen=True)
class Report:
    """How it went. `started` and `finished` are UTC, ISO 8601; `target` names the hosts."""

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
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        return InterruptedRunError.exit_code if self.interrupted else self.outcome.exit_code


def to_json(report: Report) -> str:
    """One JSON object; text that is no UTF-8 comes out escaped."""
    return dump(dataclasses.asdict(report))


def dump(value: Any) -> str:
    """Readable JSON without secrets, in pure ASCII, which no terminal and no encoding can break."""
    return json.dumps(redact_data(value), indent=2, default=str)
