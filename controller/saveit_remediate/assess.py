"""From what the diagnosis observed to what is wrong and how bad it is. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from saveit_remediate.catalog import Runbook
from saveit_remediate.incident import Finding, Observation, Severity


@dataclass(frozen=True)
class Assessment:
    """Symptoms in rank order (cause first), obstacles, and the severity with the sentence why."""

    symptoms: tuple[Finding, ...]
    obstacles: tuple[Finding, ...]
    severity: Severity
    why: str
    context: tuple[Finding, ...] = ()
    by_impact: bool = False  # the severity is worse than any rule of the runbook says

    @property
    def all(self) -> tuple[Finding, ...]:
        return (*self.obstacles, *self.symptoms, *self.context)

    def of(self, target: str) -> tuple[Finding, ...]:
        """The symptoms of one target."""
        return tuple(finding for finding in self.symptoms if finding.target == target)

    def only(self, targets: Collection[str]) -> Assessment:
        """The same for these targets alone."""
        return dataclasses.replace(
            self,
            symptoms=tuple(finding for finding in self.symptoms if finding.target in targets),
            obstacles=tuple(finding for finding in self.obstacles if finding.target in targets),
            context=tuple(finding for finding in self.context if finding.target in targets),
        )

    @property
    def sick(self) -> tuple[str, ...]:
        """The targets that have symptoms, each once."""
        return tuple(dict.fromkeys(finding.target for finding in self.symptoms))


def assess(
    runbook: Runbook,
    observation: Observation,
    given: Severity | None = None,
    given_why: str = "",
    impact: tuple[Severity | None, str] = (None, ""),
) -> Assessment:
    """Judge the diagnosis by the runbook's tables, and by the impact where that is worse.

    A severity that a person gave wins, with `given_why`.
    """
    findings = [_complete(runbook, finding) for finding in observation.findings]
    findings.sort(key=lambda finding: runbook.rank(finding.id))
    severity, why = _severity(runbook, findings)
    (proposed, measured), by_impact = impact, False
    if given is not None:
        severity, why = given, given_why or "given with --severity"
    elif proposed is not None and proposed < severity and any(one.is_symptom for one in findings):
        severity, why, measured, by_impact = proposed, f"{measured}; {why}", "", True
    why += f"; {measured}" if measured else ""
    return Assessment(
        symptoms=tuple(finding for finding in findings if finding.is_symptom),
        obstacles=tuple(finding for finding in findings if finding.is_obstacle),
        severity=severity,
        why=why,
        context=tuple(finding for finding in findings if finding.kind == "context"),
        by_impact=by_impact,
    )


def _complete(runbook: Runbook, finding: Finding) -> Finding:
    """Add from the runbook what the play need not repeat."""
    worth = [rule.severity for rule in runbook.severity_rules if rule.finding == finding.id]
    return dataclasses.replace(
        finding,
        next=finding.next or runbook.next_step(finding.id),
        severity=finding.severity or (min(worth) if worth else ""),
    )


def _severity(runbook: Runbook, findings: Iterable[Finding]) -> tuple[Severity, str]:
    # "sev1" sorts before "sev4": the least string is the worst.
    ranked = sorted(
        (finding.severity, finding.id)
        for finding in findings
        if finding.is_symptom and finding.severity in set(Severity)
    )
    if ranked:
        severity, finding_id = ranked[0]
        return Severity(severity), f"the runbook counts {finding_id} as {severity}"
    return runbook.default_severity, f"the runbook's default for {runbook.id}; no rule names what was found"
