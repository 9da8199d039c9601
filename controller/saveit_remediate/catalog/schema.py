"""What a runbook is, once read: names and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saveit_remediate.incident import Severity

RISKS = ("low", "medium", "high")


@dataclass(frozen=True)
class SeverityRule:
    """A finding that makes the incident at least this bad."""

    finding: str
    severity: Severity


@dataclass(frozen=True)
class KnownFinding:
    """A finding that the diagnosis may make, and what a person should do about it.

    One that is no `symptom` is no reason to act by itself; it may be one not to (a remedy's never_for).
    """

    id: str
    next: str
    symptom: bool = True


@dataclass(frozen=True)
class Limit:
    """No more attempts of a remedy than so many in so many minutes, counted on the target."""

    times: int
    minutes: float


@dataclass(frozen=True)
class Remedy:
    """A rung of the ladder."""

    id: str
    file: str
    title: str
    helps: tuple[str, ...]  # `for` in the file
    never_for: tuple[str, ...]
    risk: str
    reversible: bool
    disrupts: str
    patience_seconds: float | None = None  # until it must have helped, where that differs from verify's
    limits: tuple[Limit, ...] = ()  # its own, instead of the runbook's


@dataclass(frozen=True)
class Criterion:
    """What one kind of evidence must show. `test` is one of is, is_not, at_most, at_least.

    `keep`: a remedy after which it no longer holds, though it did before, made things worse.
    """

    evidence: str
    test: str
    value: Any
    no_data_passes: bool = False
    keep: bool = False

    def __str__(self) -> str:
        return f"{self.evidence} {self.test.replace('_', ' ')} {_shown(self.value)}"


@dataclass(frozen=True)
class Verify:
    """When a service counts as recovered; all times in seconds."""

    hold_seconds: float
    interval_seconds: float
    patience_seconds: float
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True)
class Parameter:
    """An option of the role's argument spec: something a person or an inventory may set."""

    name: str
    type: str = "str"
    description: str = ""
    default: Any = None
    choices: tuple[Any, ...] = ()
    required: bool = False
    secret: bool = False
    elements: str = ""


@dataclass(frozen=True)
class Runbook:
    """One incident type: everything that its folder says."""

    id: str
    title: str
    aliases: tuple[str, ...]
    symptoms: tuple[str, ...]
    explains: tuple[str, ...]  # incident types whose symptoms this one brings about
    alerts: tuple[Mapping[str, str], ...]
    default_severity: Severity
    severity_rules: tuple[SeverityRule, ...]
    findings: tuple[KnownFinding, ...]
    remedies: tuple[Remedy, ...]
    verify: Verify
    path: Path
    parameters: Mapping[str, Parameter]
    touches: tuple[str, ...] = ()  # parameters that name the services which the remedies act on
    limits: tuple[Limit, ...] = ()  # of each remedy that has none of its own

    def rank(self, finding: str) -> int:
        """The place of a finding, cause before symptom; unknown ones come last."""
        ids = [known.id for known in self.findings]
        return ids.index(finding) if finding in ids else len(ids)

    def next_step(self, finding: str) -> str:
        """What a person should do about a finding; empty when the runbook does not know it."""
        return next((known.next for known in self.findings if known.id == finding), "")


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
