"""From the diagnoses of all incident types to what is the cause, and what only follows from it. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from saveit_remediate.assess import Assessment, assess
from saveit_remediate.catalog import Runbook
from saveit_remediate.incident import Evidence, Finding, Observation, Severity


@dataclass(frozen=True)
class Suspect:
    """An incident type that has symptoms on a host. `follows_from` names what explains it; empty: a cause."""

    incident: str
    title: str
    target: str
    severity: Severity
    why: str
    findings: tuple[Finding, ...]
    evidence: tuple[Evidence, ...] = ()
    follows_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class Triage:
    """`suspects` are ranked: causes first, the worst of them first; then what follows from them.

    `unseen` says, for each (incident type, host), why it could not be looked at.
    """

    suspects: tuple[Suspect, ...]
    unseen: tuple[Finding, ...] = ()

    @property
    def causes(self) -> tuple[Suspect, ...]:
        return tuple(suspect for suspect in self.suspects if not suspect.follows_from)

    @property
    def incident(self) -> str:
        """The one incident type that explains everything; empty when there is none, or more than one."""
        types = {suspect.incident for suspect in self.causes}
        return types.pop() if len(types) == 1 else ""


def triage(runbooks: Sequence[Runbook], observations: Mapping[str, Observation]) -> Triage:
    """Judge each incident type by its own runbook, then each against the others on the same host.

    `observations` is by incident type. A type whose runbook `explains` another one is its cause, also by way
    of a third; two that explain each other are both causes.
    """
    found: list[Suspect] = []
    unseen: list[Finding] = []
    for runbook in runbooks:
        observation = observations.get(runbook.id, Observation())
        assessment = assess(runbook, observation)
        unseen += assessment.obstacles
        found += _suspects(runbook, assessment, observation.evidence)
    explains = _explanations(runbooks)
    judged = [_with_causes(suspect, found, explains) for suspect in found]
    order = [runbook.id for runbook in runbooks]
    judged.sort(key=lambda one: (bool(one.follows_from), one.severity, order.index(one.incident), one.target))
    return Triage(tuple(judged), tuple(unseen))


def _suspects(runbook: Runbook, assessment: Assessment, evidence: Sequence[Evidence]) -> list[Suspect]:
    return [
        Suspect(
            incident=runbook.id,
            title=runbook.title,
            target=target,
            severity=assessment.severity,
            why=assessment.why,
            findings=assessment.of(target),
            evidence=tuple(item for item in evidence if item.target == target),
        )
        for target in assessment.sick
    ]


def _explanations(runbooks: Iterable[Runbook]) -> Mapping[str, frozenset[str]]:
    """All that each incident type explains, directly or by way of another."""
    direct = {runbook.id: frozenset(runbook.explains) for runbook in runbooks}
    whole = {}
    for start in direct:
        reached: set[str] = set()
        ahead = set(direct[start])
        while ahead:
            one = ahead.pop()
            if one not in reached:
                reached.add(one)
                ahead |= direct.get(one, frozenset())
        whole[start] = frozenset(reached)
    return whole


def _with_causes(
    suspect: Suspect, found: Iterable[Suspect], explains: Mapping[str, frozenset[str]]
) -> Suspect:
    causes = tuple(
        other.incident
        for other in found
        if other.target == suspect.target
        and other.incident != suspect.incident
        and suspect.incident in explains[other.incident]
        and other.incident not in explains[suspect.incident]
    )
    return dataclasses.replace(suspect, follows_from=causes)
