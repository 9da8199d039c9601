# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the policy lets a rung of the ladder run now, with what was given for it."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Mapping, NamedTuple

from ansible_collections.saveit.remediation.plugins.module_utils import _policy
from ansible_collections.saveit.remediation.plugins.module_utils._approval import check
from ansible_collections.saveit.remediation.plugins.module_utils._holder import holder_of
from ansible_collections.saveit.remediation.plugins.module_utils._ladder_state import State


class Ruling(NamedTuple):
    """What a remedy needs, the sentence why it may not run without more (or ""), and by whose word it may."""

    needs: str
    lacks: str = ""
    plan: str = ""  # where it lacks an approval: what that has to be for
    approver: str = ""
    approval: str = ""  # the id of the signed approval that it uses up


def read_policy(parameters: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """The policy as it holds here, and what was given, for the state. Raises FailedError."""
    policy = parameters["policy"]
    return {
        "needs": _policy.table_of(policy, parameters["environment"]),
        "approvers": _policy.approvers_of(policy),
        "approval_minutes": _policy.approval_minutes_of(policy),
        "environment": parameters["environment"],
        "given": {
            "severity": parameters["severity"],
            "agreed": parameters["agreed"] or parameters["mode"] == "diagnose",  # a person is asked later
            "approved_by": parameters["approved_by"].strip(),
            "signed": parameters["approvals"],
            "incident": parameters["incident"],
            "asker": holder_of(parameters["asker"]),
            "check": check_mode,
        },
    }


def note_severity(state: State) -> None:
    """How bad it is by what was seen last: the runbook's word, or a worse one that a person gave.

    A milder one does not count here: it would be a way around an approval.
    """
    if not state.current:
        return
    rules = state.runbook["severity"]
    worth = [each["severity"] for each in state.findings if each["id"] in state.current and each["severity"]]
    # "sev1" sorts before "sev4": the least string is the worst.
    seen = min(worth, default=rules["default"])
    state.severity = min(seen, state.given["severity"] or seen)


def ruling(remedy: Mapping[str, Any], state: State, now: float) -> Ruling:
    """May it run? In check mode everything may. Raises FailedError where a signature cannot be checked."""
    needs = state.needs.get(remedy["risk"], {}).get(state.severity, "")
    if not needs:
        return Ruling("", f"its risk {remedy['risk']!r} is none of {', '.join(_policy.RISKS)}")
    if _policy.RISKS.index(remedy["risk"]) > _policy.RISKS.index(state.max_risk):
        return Ruling(needs, f"has {remedy['risk']} risk, and ladder_max_risk is {state.max_risk}")
    if state.given["check"] or needs == "nothing":
        return Ruling(needs)
    where = f" in {state.environment}" if state.environment else ""
    what = f"{remedy['risk']} risk at {state.severity}{where}"
    approver = approval = ""
    if needs in ("approval", "second-person"):
        approver, approval, refused = _approval_of(remedy, state, needs, now)
        if not approver:
            who = "a second person has to sign an approval" if needs == "second-person" else _SOMEBODY
            but = f"; not accepted: {refused}" if refused else ""
            return Ruling(needs, f"{what}: {who}{but}", plan_of(remedy, state))
    if not state.given["agreed"]:
        return Ruling(needs, f"{what}: needs agreement (--yes, or ladder_agreed)")
    return Ruling(needs, approver=approver, approval=approval)


_SOMEBODY = "somebody has to approve it (--approved-by NAME, or a signed approval)"


def plan_of(remedy: Mapping[str, Any], state: State) -> str:
    """A name of what is approved: this remedy on these services, against what it is for of what was seen."""
    against = sorted(each for each in state.current if each in remedy["for"])
    plan = [state.runbook["id"], state.target, remedy["id"], against, dict(state.services)]
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()


def _approval_of(remedy: Mapping[str, Any], state: State, needs: str, now: float) -> tuple[str, str, str]:
    """Who approves, the id of the signed approval, and why others do not count."""
    given, refused = state.given, []
    wanted = {
        "incident": given["incident"],
        "target": state.target,
        "remedy": remedy["id"],
        "plan": plan_of(remedy, state),
    }
    for signed in given["signed"]:
        found, why = check(signed, wanted, given["asker"], state.approvers, state.approval_minutes, now)
        if found:
            return found.approver, found.id, ""
        refused.append(why)
    name = given["approved_by"]
    if name and needs == "approval":
        if name in state.approvers or not state.approvers:
            return name, "", ""
        refused.append(
            f"{name!r} is not among the approvers of the policy ({', '.join(sorted(state.approvers))})"
        )
    return "", "", "; ".join(dict.fromkeys(refused))
