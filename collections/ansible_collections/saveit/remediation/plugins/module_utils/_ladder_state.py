# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a climb of the ladder stands: plain data that travels from task to task as a registered variable."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import iso

DONE = ("helped", "no_help", "failed", "worse")
# What the tasks of the role read of a state.
SHOWN = (
    "climbing", "sampling", "next_sample", "gave_up", "remedy", "rehearsing", "look_began", "stage",
    "remediation_events",
)  # fmt: skip
PUBLISHED = ("findings", "actions", "evidence")


@dataclass
class State:
    """Everything the next step has to know. Times are seconds since the epoch, by the controller's clock."""

    target: str
    runbook: Mapping[str, Any]
    mode: str
    max_risk: str
    hold_seconds: float
    plan: Mapping[str, Any]
    stage: str = ""  # look or act, where a play is only that; after the look: counted, cleared
    services: Mapping[str, str] = field(default_factory=dict)  # a name that criteria use -> the site's name
    findings: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    current: list[str] = field(default_factory=list)  # ids of the symptoms seen last
    around: list[str] = field(
        default_factory=list
    )  # ids that the runbook knows and are no symptoms, seen last
    remedy: dict[str, Any] = field(default_factory=dict)  # the one being tried
    since: float = 0  # observations from before this time are stale
    look_began: float = 0  # what the target said at this time or later may be shared by those who look next
    remedy_started: float = 0
    good_since: float = 0  # first sample of the present unbroken row of good ones, 0 when there is none
    patience_ends: float = 0
    baseline: dict[str, Any] = field(default_factory=dict)  # evidence of the last look before a remedy
    rehearsing: bool = False  # the platform is asked what it allows, when something was found
    forbidden: dict[str, str] = field(default_factory=dict)  # remedies that it would not let us do, and why
    limits: list[dict[str, Any]] = field(default_factory=list)  # the site's own windows, see _interlock_rules
    lease_seconds: float = 600
    claim: str = ""  # what the services are leased with, once a remedy may act
    renewed: float = 0  # when the lease was renewed last
    needs: dict[str, dict[str, str]] = field(default_factory=dict)  # by risk and severity, see _policy
    approvers: dict[str, str] = field(default_factory=dict)  # by name the public key
    approval_minutes: float = 0
    environment: str = ""
    given: dict[str, Any] = field(default_factory=dict)  # agreement, approvals and who asks
    severity: str = ""  # by what was seen last, or worse where a person said so
    approval: str = ""  # the id of the signed approval by which the remedy being tried may act
    approver: str = ""
    barred: dict[str, str] = field(
        default_factory=dict
    )  # remedies that did not help before, and the sentence
    doubt: str = ""  # a remedy was cut off before, and may have been done: the sentence
    again: bool = False  # the remedy that was chosen gave way to that doubt, and is still the next
    next_sample: str = "sample.yml"  # or "renew.yml", which renews the lease and then takes the sample
    verified_late: bool = False  # the criteria were judged again, as nothing was found after a remedy
    climbing: bool = False  # there is a remedy to try
    sampling: bool = False  # the remedy was done, and is being verified
    gave_up: bool = False  # the play ends as failed, loudly
    verdict: str = ""  # healthy, diagnosed, planned, recovered, unresolved, stopped
    sentence: str = ""
    remediation_events: list[dict[str, Any]] = field(default_factory=list)  # what this step has to tell

    @property
    def is_final(self) -> bool:
        """Nothing is left to be done."""
        return bool(self.verdict) and not self.climbing and not self.sampling

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> State:
        """The state out of the registered result of the step before."""
        return cls(**{**json.loads(values["kept"]), "remediation_events": []})

    def as_return(self) -> dict[str, Any]:
        """For the tasks of the role what they read."""
        shown = (*SHOWN, *PUBLISHED) if self.is_final else SHOWN
        told = {"final": self.is_final, "interlock": self._for_interlock()}
        return {**{name: getattr(self, name) for name in shown}, **told}

    def kept(self) -> dict[str, str]:
        """All of it for the next step, as text.

        As data, Ansible would template and copy each of its thousand parts again in every task.
        """
        return {"kept": json.dumps({each.name: getattr(self, each.name) for each in fields(self)})}

    @property
    def patience(self) -> float:
        """Seconds in which the remedy that is being tried must have helped, by the runbook."""
        own = self.remedy.get("patience_seconds")
        return float(self.runbook["verify"].get("patience_seconds", 0) if own is None else own)

    def _for_interlock(self) -> dict[str, Any]:
        """What the module `interlock` is told of the remedy that is being tried, and of those before."""
        type_ = self.runbook.get("id", "")
        ended = [each for each in self.actions if each["result"] in (*DONE, "skipped")]
        return {
            "claim": self.claim,
            "touches": list(self.runbook.get("touches", ())),
            "remedy": f"{type_}.{self.remedy['id']}" if self.remedy else "",
            "title": self.remedy.get("title", ""),
            "approval": self.approval,
            "why": "; ".join(each["sentence"] for each in self.findings if each["id"] in self.current),
            "patience_seconds": self.patience,
            "limits": self.limits or self.remedy.get("limits") or self.runbook.get("limits", []),
            "results": {f"{type_}.{each['remedy']}": each["result"] for each in ended},
        }

    def tell(self, kind: str, at: float, sentence: str, **more: Any) -> None:
        """Something for the journal and the live view."""
        event = {"kind": kind, "at": iso(at), "target": self.target, "sentence": sentence, **more}
        self.remediation_events.append(event)


def remedies_of(state: State) -> Sequence[Mapping[str, Any]]:
    """The ladder, least disruptive first."""
    remedies: Sequence[Mapping[str, Any]] = state.runbook["remedies"]
    return remedies


def why_not_for(remedy: Mapping[str, Any], state: State) -> str:
    """Why this remedy is not for the symptoms seen last, or not in these surroundings; "" when it is."""
    symptoms = state.current
    never = [each for each in remedy.get("never_for", ()) if each in (*symptoms, *state.around)]
    if never:
        return f"would not help against {', '.join(never)}"
    if not any(each in symptoms for each in remedy["for"]):
        return f"is for {', '.join(remedy['for'])}; found: {', '.join(symptoms) or 'nothing'}"
    return ""


def why_not(remedy: Mapping[str, Any], state: State) -> str:
    """Why this remedy is not for the symptoms seen last, or nobody planned it; "" when it is neither."""
    reason = why_not_for(remedy, state) or state.forbidden.get(remedy["id"], "")
    if not reason and state.plan and remedy["id"] not in _planned(state)["remedies"]:
        return "is not in the plan"
    return reason


def was_assessed(remedy: Mapping[str, Any], state: State) -> bool:
    """Was this remedy one for what the plan was made from?"""
    return not state.plan or any(each in _planned(state)["assessed"] for each in remedy["for"])


def _planned(state: State) -> Mapping[str, Any]:
    planned: Mapping[str, Any] = state.plan.get(state.target, {"assessed": [], "remedies": []})
    return planned


def note_action(
    state: State, remedy: Mapping[str, Any], result: str, sentence: str, **more: Any
) -> dict[str, Any]:
    """What became of a remedy; one entry for each, the last word counts."""
    action = {
        "remedy": remedy["id"],
        "target": state.target,
        "title": remedy["title"],
        "result": result,
        "sentence": sentence,
        "risk": remedy["risk"],
        "reversible": bool(remedy["reversible"]),
        "disrupts": remedy["disrupts"],
        "changed": False,
        "started": "",
        "finished": "",
        "diff": [],
        "forbidden": state.forbidden.get(remedy["id"], ""),
        "needs": state.needs.get(remedy["risk"], {}).get(state.severity, ""),
        "lacks": "",
        "plan": "",
        **more,
    }
    state.actions = [each for each in state.actions if each["remedy"] != remedy["id"]] + [action]
    return action


def in_ladder_order(state: State) -> None:
    """Actions in the order of the ladder, with a word on those that were never reached."""
    noted = {each["remedy"]: each for each in state.actions}
    for remedy in remedies_of(state):
        if remedy["id"] not in noted:
            noted[remedy["id"]] = note_action(state, remedy, "skipped", "not reached")
    state.actions = [noted[each["id"]] for each in remedies_of(state)]
