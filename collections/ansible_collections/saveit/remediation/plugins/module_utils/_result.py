# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module of the collection returns, and the two ways in which it can fail."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Mapping, Sequence


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with `subject`, with the sentence why."""

    id: str
    subject: str
    sentence: str


@dataclass(frozen=True)
class Evidence:
    """One measured value; None means "no data", which is neither zero nor good."""

    name: str
    value: Any
    sentence: str = ""


@dataclass(frozen=True)
class Result:
    """A verdict with the sentence why, the findings and evidence behind it, and what was changed.

    `kept` is returned exactly as it is: what the next step reads again, made of what was told and redacted.
    """

    verdict: str
    sentence: str
    changed: bool = False
    findings: Sequence[Finding] = ()
    evidence: Sequence[Evidence] = ()
    diff: Mapping[str, str] | None = None
    returned: Mapping[str, Any] = field(default_factory=dict)
    kept: Mapping[str, Any] = field(default_factory=dict)

    def as_return(self) -> dict[str, Any]:
        """The module's return values, as plain data; `returned` has the last word."""
        values: dict[str, Any] = {
            "changed": self.changed,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "findings": [asdict(each) for each in self.findings],
            "evidence": [asdict(each) for each in self.evidence],
            **self.returned,
            **self.kept,
        }
        if self.diff is not None:
            values["diff"] = dict(self.diff)
        return values


class FailedError(Exception):
    """The module tried and failed; the message is the whole sentence."""

    def as_return(self) -> dict[str, Any]:
        """What the module returns beside `failed: true`."""
        return {"msg": str(self), "sentence": str(self)}


class ObstacleError(FailedError):
    """We cannot look at the target, or must not act on it: no remedy can help here.

    `outcome` is how the run ends because of it: "unreachable" or "refused".
    """

    def __init__(self, id: str, sentence: str, outcome: str) -> None:  # noqa: A002
        super().__init__(sentence)
        self.id = id
        self.outcome = outcome

    def as_return(self) -> dict[str, Any]:
        """What the module returns beside `failed: true`; the ladder reads `obstacle`."""
        return {**super().as_return(), "obstacle": {"id": self.id, "outcome": self.outcome}}
