# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy: what a remedy needs before it may act, by its risk and the severity of the incident. Pure.

A policy that does not say it plainly is an error: no remedy may act by a guess.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

RISKS = ("low", "medium", "high")
SEVERITIES = ("sev1", "sev2", "sev3", "sev4")
NEEDS = ("nothing", "agreement", "approval", "second-person")  # each has in it what the ones before it ask
LONGEST_MINUTES = 1440.0  # an approval is used once, and the target remembers that for a day
Table = Dict[str, Dict[str, str]]


def table_of(policy: Mapping[str, Any], environment: str) -> Table:
    """By risk and severity one of NEEDS, where `environment` is what the inventory says, or empty.

    Raises FailedError with the place in the policy that cannot be read.
    """
    special: Mapping[str, Any] = {}
    if environment:
        known = _mapping(policy, "environments")
        if environment not in known:
            names = ", ".join(sorted(map(str, known))) or "none"
            raise _error(f"knows no environment {environment!r} (ladder_environment); known: {names}")
        special = _mapping(known, environment, "environments.")
    general = _mapping(policy, "needs")
    return {
        risk: {
            severity: _word(special, risk, severity, f"environments.{environment}")
            or _word(general, risk, severity, "needs")
            or _missing(risk, severity)
            for severity in SEVERITIES
        }
        for risk in RISKS
    }


def approvers_of(policy: Mapping[str, Any]) -> dict[str, str]:
    """By name the public key of each. Raises FailedError."""
    return {str(name): str(key) for name, key in _mapping(policy, "approvers").items()}


def approval_minutes_of(policy: Mapping[str, Any]) -> float:
    """How long a signed approval holds. Raises FailedError."""
    minutes = policy.get("approval_minutes", 240)
    if isinstance(minutes, bool) or not isinstance(minutes, (int, float)):
        raise _error(f"has no number in approval_minutes, but {minutes!r}")
    if not 0 < minutes <= LONGEST_MINUTES:
        raise _error(f"has {minutes:g} in approval_minutes, and at most {LONGEST_MINUTES:g} can be")
    return float(minutes)


def _word(rows: Mapping[str, Any], risk: str, severity: str, place: str) -> str:
    """One of NEEDS; "" where these rows do not say."""
    said = rows.get(risk)
    if isinstance(said, Mapping):
        said = said.get(severity)
    if said is None:
        return ""
    if said not in NEEDS:
        raise _error(f"says {said!r} at {place}.{risk}, which is none of {', '.join(NEEDS)}")
    return str(said)


def _missing(risk: str, severity: str) -> str:
    raise _error(f"does not say what {risk} risk needs at {severity}: needs.{risk}")


def _mapping(values: Mapping[str, Any], key: str, place: str = "") -> Mapping[str, Any]:
    found = values.get(key)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise _error(f"has no mapping at {place}{key}, but {found!r}")
    return found


def _error(sentence: str) -> FailedError:
    return FailedError(f"cannot act by the policy (ladder_policy_file): it {sentence}")
