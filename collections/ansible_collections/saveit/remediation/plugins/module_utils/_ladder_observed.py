# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ladder reads out of observations: findings in the runbook's order, and evidence with its time."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._ladder_state import State


def take_findings(state: State, observed: Sequence[Mapping[str, Any]]) -> None:
    """Findings of fresh observations, in the runbook's order; what it does not know is only context.

    So is what it knows with `symptom: false`: no reason to act by itself, but perhaps one not to.
    """
    known = {each["id"]: (rank, each) for rank, each in enumerate(state.runbook["findings"])}
    worth = {each["finding"]: each["severity"] for each in state.runbook["severity"].get("rules", ())}
    found: dict[tuple[str, str], dict[str, Any]] = {
        (each["id"], each["subject"]): each for each in state.findings
    }
    seen: list[str] = []
    around: list[str] = []
    for each in (finding for result in _fresh(state, observed) for finding in result.get("findings", ())):
        is_known = each["id"] in known
        is_symptom = is_known and known[each["id"]][1].get("symptom", True)
        found[each["id"], each["subject"]] = {
            "id": each["id"],
            "incident": state.runbook["id"],
            "target": state.target,
            "subject": each["subject"],
            "sentence": each["sentence"],
            "kind": "symptom" if is_symptom else "context",
            "outcome": "",
            "next": known[each["id"]][1].get("next", "") if is_known else "",
            "severity": worth.get(each["id"], ""),
        }
        if is_known:
            (seen if is_symptom else around).append(each["id"])
    last = len(known)
    state.findings = sorted(
        found.values(), key=lambda each: known[each["id"]][0] if each["id"] in known else last
    )
    state.current = sorted(set(seen), key=lambda each: known[each][0])
    state.around = sorted(set(around), key=lambda each: known[each][0])


def take_evidence(
    state: State, observed: Sequence[Mapping[str, Any]], now: float, phase: str
) -> dict[str, Any]:
    """Evidence of fresh observations; all of one sample carry the same time."""
    values: dict[str, Any] = {}
    for each in (evidence for result in _fresh(state, observed) for evidence in result.get("evidence", ())):
        after = state.remedy.get("id", "") if phase == "verify" else ""
        about = {"incident": state.runbook["id"], "target": state.target, "phase": phase, "after": after}
        for name in _names_in_criteria(each["name"], state.services):
            values[name] = each["value"]
            state.evidence.append({**each, **about, "name": name, "at": now})
    return values


def _names_in_criteria(name: str, services: Mapping[str, str]) -> list[str]:
    """Evidence of a service by the name that the runbook's criteria use, whatever the site calls it.

    One service may stand for two, as a backend that has the broker in it.
    """
    service = max((each for each in services.values() if name.startswith(f"{each}.")), key=len, default=None)
    if service is None:
        return [name]
    return [f"{ours}{name[len(service) :]}" for ours, theirs in services.items() if theirs == service]


def _fresh(state: State, observed: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Observations made since the last step; a variable registered earlier says nothing about now."""
    return [each for each in observed if each.get("observed_at", 0) >= state.since]
