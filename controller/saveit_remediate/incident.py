"""What an incident is made of: the dataclasses that travel between the layers.

`Finding`, `Action` and `Evidence` are the controller's reading of the result contract: each play publishes
one `set_stats` key, `remediation: {findings, actions, evidence}`, see docs/architecture.md.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Severity(enum.StrEnum):
    """How bad it is, by the runbook's own table."""

    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    SEV4 = "sev4"


class Outcome(enum.StrEnum):
    """How a run of the controller ended; the exit code follows from it."""

    HEALTHY = "healthy"
    PLANNED = "planned"
    RECOVERED = "recovered"
    UNRESOLVED = "unresolved"
    UNVERIFIED = "unverified"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"

    @property
    def exit_code(self) -> int:
        """The process exit code, as in the README's table."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Outcome.HEALTHY: 0,
    Outcome.PLANNED: 0,
    Outcome.RECOVERED: 0,
    Outcome.UNRESOLVED: 3,
    Outcome.UNVERIFIED: 3,
    Outcome.REFUSED: 4,
    Outcome.UNREACHABLE: 5,
}


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, with the sentence why.

    `kind` is "symptom" (the service is sick), "obstacle" (we could not look, or must not act) or "context"
    (worth telling, and no reason to act). An obstacle carries the `outcome` it leads to, "refused" or
    "unreachable". A kind that we do not know counts as a symptom: it must not make anything healthy.
    """

    id: str
    target: str
    subject: str
    sentence: str
    kind: str = "symptom"
    outcome: str = ""
    next: str = ""  # what a person should do, from runbook.yml
    severity: str = ""  # what this finding alone is worth, from runbook.yml
    incident: str = ""  # the incident type whose diagnosis made it
    present: bool = True  # seen at the last look; false when it went away

    @property
    def is_obstacle(self) -> bool:
        return self.kind == "obstacle"

    @property
    def is_symptom(self) -> bool:
        return self.kind not in ("obstacle", "context")


@dataclass(frozen=True)
class Action:
    """A remedy of the ladder, and what became of it.

    `result` is one of: possible (would help against what was found), planned (check mode: would be done),
    skipped (its precondition does not hold, or it is not in the plan), helped, no_help, failed, worse.
    """

    remedy: str
    target: str
    title: str
    result: str
    sentence: str
    risk: str = ""
    reversible: bool = False
    disrupts: str = ""
    changed: bool = False
    started: str = ""  # ISO 8601, UTC
    finished: str = ""
    diff: tuple[Mapping[str, str], ...] = ()
    forbidden: str = ""  # why the platform would not let us do it, with the rule to add
    needs: str = ""  # by the policy: nothing, agreement, approval or second-person
    lacks: str = ""  # why the policy does not let it run
    plan: str = ""  # where it lacks an approval: a name of what that has to be for

    @property
    def is_done(self) -> bool:
        """Was the target touched, or tried to be?"""
        return self.result in {"helped", "no_help", "failed", "worse"}


@dataclass(frozen=True)
class Evidence:
    """One measured value. `value` None means "no data", which is never zero and never good by itself."""

    name: str
    target: str
    value: Any
    at: float  # seconds since the epoch, by the controller's clock
    phase: str = "diagnose"  # or "verify"
    after: str = ""  # the remedy that was verified, in phase verify
    sentence: str = ""
    incident: str = ""  # the incident type whose diagnosis measured it


@dataclass(frozen=True)
class Change:
    """A temporary change that is recorded on a target, with the old value. Times are ISO 8601, UTC.

    `state` is made, or begun where nobody saw the end of it.
    """

    id: str
    target: str
    service: str
    what: str
    before: str
    after: str
    by: str = ""
    why: str = ""
    incident: str = ""
    at: str = ""
    expires: str = ""
    expired: bool = False
    state: str = "made"
    kind: str = ""


@dataclass(frozen=True)
class Reverted:
    """What became of a change that was to be put back.

    `word` is put-back, planned (check mode), over (nothing was left of it) or left (it stays as it is).
    """

    id: str
    target: str
    what: str
    word: str
    sentence: str
    incident: str = ""


@dataclass(frozen=True)
class Table:
    """What a play that only looks has to show: a value for each column; None is "no data"."""

    name: str
    target: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Observation:
    """What one play published: the result contract, read. `sentences` say how each host was found.

    `manifests` are objects of Kubernetes for a person to apply.
    """

    findings: tuple[Finding, ...] = ()
    actions: tuple[Action, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    tables: tuple[Table, ...] = ()
    sentences: tuple[str, ...] = ()
    manifests: tuple[Mapping[str, Any], ...] = ()
    changes: tuple[Change, ...] = ()
    reverted: tuple[Reverted, ...] = ()


@dataclass(frozen=True)
class Request:
    """What the operator asked for; nothing is looked at yet."""

    incident: str
    inventory: str
    limit: str = ""
    severity: Severity | None = None
    extra_vars: Mapping[str, Any] = field(default_factory=dict)
    check: bool = False
    diff: bool = False
    yes: bool = False
    verbosity: int = 0
    break_lease: str = ""  # the reason why a lease of somebody else is broken; empty respects it
    found_by: str = ""  # how the incident type was found, when a person did not name it
    resumes: str = ""  # the id of an incident that was cut off, and is gone on with by this one
    goes_on: str = ""  # the id of an incident that waited for an approval; its record goes on
    approved_by: str = ""  # who answers for a remedy that needs an approval
    approvals: tuple[Mapping[str, str], ...] = ()  # signed ones: statement and signature
    lineage: tuple[str, ...] = ()  # that id, and those that it had gone on with: their runs are dead
    severity_why: str = ""  # who said the severity, where it was not given with --severity
