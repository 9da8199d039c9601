# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ladder: diagnose, then act and verify, remedy by remedy, and stop at the first that works.

Each step is a function from a state and what was observed to the next state. The role `ladder` calls them in
order; no verdict is computed in YAML.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._blast_radius import (
    PERCENT,
    why_no_more,
    why_too_many,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, iso
from ansible_collections.saveit.remediation.plugins.module_utils._criteria import unmet
from ansible_collections.saveit.remediation.plugins.module_utils._ladder_observed import (
    take_evidence,
    take_findings,
)
from ansible_collections.saveit.remediation.plugins.module_utils._ladder_policy import (
    note_severity,
    read_policy,
    ruling,
)
from ansible_collections.saveit.remediation.plugins.module_utils._ladder_state import (
    DONE,
    State,
    in_ladder_order,
    note_action,
    remedies_of,
    was_assessed,
    why_not,
    why_not_for,
)
from ansible_collections.saveit.remediation.plugins.module_utils._policy import RISKS, SEVERITIES
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result

_TOO_MANY = (
    "Escalate: look at what they share (network, cluster, storage, a certificate, the last release); "
    "raise ladder_max_unhealthy_percent only when each is sick by itself."
)
_NO_MORE = "Escalate: look at the one that got worse before any other is remedied."
LONGEST = 600.0  # seconds after a remedy began, for which the ladder waits for what is not known yet

ARGUMENTS: Mapping[str, Any] = {
    "step": {
        "type": "str",
        "required": True,
        "choices": ["open", "assess", "begin", "acted", "failed", "judge", "stopped", "count"],
    },
    "stage": {"type": "str", "choices": ["", "look", "act"], "default": ""},
    "others": {"type": "dict", "default": {}},
    "max_unhealthy_percent": {"type": "float", "default": PERCENT},
    "state": {"type": "dict", "default": {}},
    "target": {"type": "str", "default": ""},
    "needs": {"type": "dict", "default": {}},
    "runbook": {"type": "dict", "default": {}},
    "mode": {"type": "str", "choices": ["diagnose", "remediate"], "default": "remediate"},
    "plan": {"type": "dict", "default": {}},
    "services": {"type": "dict", "default": {}},
    "max_risk": {"type": "str", "choices": list(RISKS), "default": "high"},
    "policy": {"type": "dict", "default": {}},
    "environment": {"type": "str", "default": ""},
    "severity": {"type": "str", "choices": ["", *SEVERITIES], "default": ""},
    "agreed": {"type": "bool", "default": False},
    "approved_by": {"type": "str", "default": ""},
    "approvals": {"type": "list", "elements": "dict", "default": []},
    "incident": {"type": "str", "default": ""},
    "asker": {"type": "str", "default": ""},
    "rehearse": {"type": "bool", "default": False},
    "access": {"type": "dict", "default": {}},
    "hold_seconds": {"type": "float"},
    "limits": {"type": "list", "elements": "dict", "default": []},
    "lease_seconds": {"type": "float", "default": 600},
    "interlock": {"type": "dict", "default": {}},
    "began": {"type": "float", "default": 0},
    "observed": {"type": "list", "elements": "dict", "default": []},
    "acted": {"type": "dict", "default": {}},
    "failure": {"type": "dict", "default": {}},
}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """One step of the ladder."""
    if parameters["step"] == "open":
        state = open_ladder(parameters, carrier)
        wait_for_others(state, parameters, carrier)
    else:
        if "kept" not in parameters["state"]:
            raise FailedError(f"cannot take the step {parameters['step']}: the ladder was not opened")
        state = State.read(parameters["state"])
        _STEPS[parameters["step"]](state, parameters, carrier)
        state.look_began = carrier.now()
    if state.is_final:
        _finish(state, carrier)
    return Result(state.verdict, state.sentence, returned=state.as_return(), kept=state.kept())


def open_ladder(parameters: Mapping[str, Any], carrier: Carrier) -> State:
    """The state before anything was looked at; `began` is when those who look at the same time began.

    Raises FailedError for a host that nobody configured, and for a policy that cannot be read.
    """
    lacking = [name for name, value in parameters["needs"].items() if value in (None, "")]
    if lacking:  # in Ansible's words, for all who read them
        raise FailedError(f"missing required arguments: {', '.join(lacking)}")
    runbook = parameters["runbook"]
    hold = parameters["hold_seconds"]
    return State(
        target=parameters["target"],
        runbook=runbook,
        mode="diagnose" if parameters["stage"] == "look" else parameters["mode"],
        stage=parameters["stage"],
        max_risk=parameters["max_risk"],
        hold_seconds=runbook["verify"]["hold_seconds"] if hold is None else hold,
        plan=parameters["plan"],
        rehearsing=parameters["rehearse"] and not parameters["plan"],  # a plan has been rehearsed
        services=parameters["services"],
        limits=parameters["limits"],
        lease_seconds=parameters["lease_seconds"],
        since=carrier.now(),
        look_began=parameters["began"] or carrier.now(),
        **read_policy(parameters, carrier.check_mode),
    )


def wait_for_others(state: State, parameters: Mapping[str, Any], carrier: Carrier) -> None:
    """Whose turn comes later is not touched when one of those before got worse."""
    reason = why_no_more({host: _read(kept) for host, kept in parameters["others"].items()})
    if reason:
        sentence = f"{state.target} was not touched, as {reason}"
        _obstacle(state, "stopped-early", "refused", sentence, carrier.now(), _NO_MORE)


def count(state: State, parameters: Mapping[str, Any], carrier: Carrier) -> None:
    """All were looked at: may those that are sick be remedied, or are they too many at once?"""
    known = {state.target: vars(state), **{host: _read(kept) for host, kept in parameters["others"].items()}}
    try:
        reason = why_too_many(dict(sorted(known.items())), parameters["max_unhealthy_percent"])
    except FailedError as error:  # a rule that nobody can read lets nobody act
        reason = str(error)
    state.stage = "counted"
    if not state.current:
        return
    if reason:
        _obstacle(state, "too-many-sick", "refused", reason, carrier.now(), _TOO_MANY)
    elif parameters["mode"] == "remediate":
        state.stage = "cleared"


def _read(kept: str) -> Mapping[str, Any]:
    values: Mapping[str, Any] = json.loads(kept) if kept else {}
    return values


def assess(state: State, parameters: Mapping[str, Any], carrier: Carrier) -> None:
    """Read the diagnosis: what is wrong, and what to try next."""
    take_findings(state, parameters["observed"])
    if "denied" in parameters["access"]:
        state.forbidden = parameters["access"]["denied"]
        state.rehearsing = not state.current
    state.baseline = take_evidence(state, parameters["observed"], carrier.now(), "diagnose")
    state.since = carrier.now()
    note_severity(state)
    symptoms = [each for each in state.findings if each["id"] in state.current]
    said = "; ".join(each["sentence"] for each in symptoms) or f"{state.runbook['title']}: nothing found"
    state.tell("diagnosed", carrier.now(), said, findings=state.current)
    if state.mode == "diagnose":
        _offer(state, carrier.now())
        state.sentence = said
    elif state.current:
        _choose(state, carrier)
    elif not state.doubt and not any(each["result"] in DONE for each in state.actions):
        state.verdict, state.sentence = "healthy", said
    else:
        _verify_late(state, carrier)


def begin(state: State, parameters: Mapping[str, Any], carrier: Carrier) -> None:
    """A remedy is about to act, and the interlock on the target lets it."""
    _note_lease(state, parameters, carrier)
    state.remedy_started, state.verified_late, state.doubt = carrier.now(), False, ""
    by = {"approved_by": state.approver} if state.approver else {}
    state.tell("remedy-started", carrier.now(), state.remedy["title"], remedy=state.remedy["id"], **by)


def acted(state: State, parameters: Mapping[str, Any], carrier: Carrier) -> None:
    """The remedy's tasks ended well: verify, or in check mode go on to the next."""
    done = parameters["acted"]
    if done.get("verdict") == "unchanged":
        note_action(state, state.remedy, "skipped", done["sentence"])
        state.tell("remedy-skipped", carrier.now(), done["sentence"], remedy=state.remedy["id"])
        if carrier.check_mode:
            _choose(state, carrier)
        else:  # the world is not what was assessed, so look again before anything else is done
            state.climbing, state.sampling, state.since = False, False, carrier.now()
        return
    diff = [done["diff"]] if done.get("diff") else []
    if carrier.check_mode:
        note_action(state, state.remedy, "planned", done["sentence"], diff=diff)
        _choose(state, carrier)
        return
    state.climbing, state.sampling, state.good_since = False, True, 0
    state.since = carrier.now()
    state.patience_ends = carrier.now() + _patience(state, done)
    more = {"changed": bool(done.get("changed")), "diff": diff, **_times(state, carrier)}
    # Until it is verified, it is a remedy that was done and not seen to help.
    note_action(state, state.remedy, "no_help", f"{done['sentence']}; not verified", **more)
    state.tell("remedy-finished", carrier.now(), done["sentence"], remedy=state.remedy["id"])


def failed(state: State, parameters: Mapping[str, Any], carrier: Carrier) -> None:
    """The remedy's own tasks failed: note it; the ladder looks again and goes on.

    Where it was the interlock that did not let it begin, nothing was done, and the ladder stops; but a remedy
    that did not help before only gives way to the next, and one that was cut off is given its time first.
    """
    sentence = _said(parameters["failure"])
    if parameters["interlock"].get("failed"):
        if "wait_seconds" in parameters["failure"] and not state.doubt and not carrier.check_mode:
            _doubt(state, sentence, float(parameters["failure"]["wait_seconds"]), carrier.now())
            return
        if (parameters["failure"].get("obstacle") or {}).get("id") != "no-help":
            stopped(state, parameters, carrier)
            return
        state.barred[state.remedy["id"]] = sentence
        note_action(state, state.remedy, "skipped", sentence)
        state.climbing, state.sampling, state.since = False, False, carrier.now()
        return
    more = {"changed": bool(parameters["failure"].get("changed")), **_times(state, carrier)}
    diff = [parameters["failure"]["diff"]] if parameters["failure"].get("diff") else []
    note_action(state, state.remedy, "failed", sentence, diff=diff, **more)
    state.tell("remedy-finished", carrier.now(), sentence, remedy=state.remedy["id"])
    state.climbing, state.sampling = False, False
    state.since = carrier.now()


def judge(state: State, parameters: Mapping[str, Any], carrier: Carrier) -> None:
    """One sample after a remedy: recovered when every criterion was met in each sample of the hold time."""
    verify = state.runbook["verify"]
    now = carrier.now()
    _note_lease(state, parameters, carrier)
    values = take_evidence(state, parameters["observed"], now, "verify")
    why = unmet(verify["criteria"], values)
    state.patience_ends = max(state.patience_ends, _known_by(state, parameters["observed"]))
    state.good_since = 0 if why else (state.good_since or now)
    if state.good_since and now - state.good_since >= state.hold_seconds:
        _recovered(state, now)
    elif why and now >= state.patience_ends:
        _not_recovered(state, why, values, now)
    else:
        left = (
            state.hold_seconds - (now - state.good_since) if state.good_since else verify["interval_seconds"]
        )
        carrier.sleep(max(0.05, min(verify["interval_seconds"], left)))
    state.since = carrier.now()
    old = state.claim and state.since - state.renewed >= state.lease_seconds / 3
    state.next_sample = "renew.yml" if old else "sample.yml"


def stopped(state: State, parameters: Mapping[str, Any], carrier: Carrier) -> None:
    """Something kept us from looking or going on: an obstacle, which no remedy removes."""
    failure = parameters["failure"]
    obstacle = failure.get("obstacle") or {"id": "check-failed", "outcome": "refused"}
    # A failure that is none of ours, as of an argument, does not say what was looked at.
    said = _said(failure) if failure.get("sentence") else f"{state.runbook['title']}: {_said(failure)}"
    _obstacle(state, obstacle["id"], obstacle["outcome"], said, carrier.now())


def _finish(state: State, carrier: Carrier) -> None:
    """The end: every remedy gets its word."""
    if carrier.check_mode and state.mode == "remediate" and state.verdict == "unresolved":
        state.verdict, state.gave_up = "planned", False
    if state.mode == "remediate" and state.verdict != "healthy":
        in_ladder_order(state)
    for each in state.findings:
        each["present"] = each["kind"] != "symptom" or each["id"] in state.current


_STEPS: Mapping[str, Callable[[State, Mapping[str, Any], Carrier], None]] = {
    "assess": assess,
    "begin": begin,
    "acted": acted,
    "failed": failed,
    "judge": judge,
    "stopped": stopped,
    "count": count,
}


def _offer(state: State, now: float) -> None:
    """Mode diagnose: which remedies would be for this, and what each of them would need."""
    for remedy in remedies_of(state) if state.current else ():
        reason = why_not_for(remedy, state)
        if reason:
            note_action(state, remedy, "skipped", reason)
            continue
        ruled = ruling(remedy, state, now)
        sentence = f"is for {', '.join(each for each in state.current if each in remedy['for'])}"
        note_action(state, remedy, "possible", sentence, lacks=ruled.lacks, plan=ruled.plan)
    state.verdict = "diagnosed" if state.current else "healthy"


def _choose(state: State, carrier: Carrier) -> None:
    """The next remedy up the ladder that fits what was seen last and may run; none: give up loudly."""
    remedies = remedies_of(state)
    state.climbing = state.sampling = False
    below = [each["id"] for each in remedies].index(state.remedy["id"]) + 1 if state.remedy else 0
    below, state.again = below - state.again, False
    for remedy in remedies[below:]:
        reason = why_not(remedy, state)
        if reason:
            note_action(state, remedy, "skipped", reason)
            continue
        ruled = ruling(remedy, state, carrier.now())
        if ruled.lacks:
            note_action(state, remedy, "skipped", ruled.lacks, lacks=ruled.lacks, plan=ruled.plan)
            continue
        if not state.remedy and not was_assessed(remedy, state):
            sentence = f"{state.target} is not what the plan was made for: now {', '.join(state.current)}"
            _obstacle(state, "world-changed", "refused", sentence, carrier.now())
            return
        state.remedy, state.climbing = dict(remedy), True
        state.approver, state.approval = ruled.approver, ruled.approval
        return
    _give_up(state, carrier.now())


def _doubt(state: State, sentence: str, wait: float, now: float) -> None:
    """A remedy that was cut off may have been done: verify that one before another is."""
    state.doubt, state.again, state.remedy_started = sentence, True, now
    note_action(state, state.remedy, "skipped", sentence)
    state.tell("in-doubt", now, sentence, remedy=state.remedy["id"])
    state.climbing, state.sampling, state.good_since = False, True, 0
    state.since, state.patience_ends = now, now + min(wait, LONGEST)


def _verify_late(state: State, carrier: Carrier) -> None:
    """Something was done, it was not seen to help, and now nothing is found: judge by the criteria, once."""
    if state.verified_late:
        _give_up(state, carrier.now())
        return
    state.verified_late, state.sampling, state.good_since = True, True, 0
    state.patience_ends = carrier.now() + _patience(state, {})


def _patience(state: State, done: Mapping[str, Any]) -> float:
    """Seconds until a remedy must have helped: the runbook's number, or more where the service needs more."""
    return max(state.patience, float(done.get("patience_seconds") or 0))


def _known_by(state: State, observed: Sequence[Mapping[str, Any]]) -> float:
    """When a look that does not know something yet says that it will, but not for ever."""
    told = max((float(each.get("known_by") or 0) for each in observed), default=0)
    return min(told, state.remedy_started + LONGEST)


def _not_recovered(state: State, why: Sequence[str], values: Mapping[str, Any], now: float) -> None:
    """Patience is over. What worked before the remedy and does not after it: stop, it made it worse."""
    if state.doubt:  # not ours, and it has had its time
        state.sampling = False
        state.tell("verified", now, f"{state.doubt}; {'; '.join(why)}", recovered=False)
        return
    kept = [each for each in state.runbook["verify"]["criteria"] if each.get("keep")]
    lost = unmet([each for each in kept if not unmet([each], state.baseline)], values)
    action = next(each for each in state.actions if each["remedy"] == state.remedy["id"])
    verdict = f"made it worse: {'; '.join(lost)}" if lost else f"did not help: {'; '.join(why)}"
    action.update(
        result="worse" if lost else "no_help", sentence=f"{_deed(action)}; {verdict}", finished=iso(now)
    )
    state.sampling = False
    state.tell("verified", now, action["sentence"], remedy=state.remedy["id"], recovered=False)
    if lost:
        _give_up(state, now)


def _deed(action: Mapping[str, Any]) -> str:
    """What a remedy did, which says how to put it back where that is possible, without the verdict on it."""
    return str(action["sentence"]).partition("; not verified")[0].partition("; did not help")[0]


def _note_lease(state: State, parameters: Mapping[str, Any], carrier: Carrier) -> None:
    """What the interlock said last: the claim, and when, by our clock, it was new."""
    lease = parameters["interlock"]
    if lease and not lease.get("failed"):
        state.claim = lease.get("claim", "")
        state.renewed = lease.get("observed_at", carrier.now())


def _give_up(state: State, now: float) -> None:
    tried = [each for each in state.actions if each["result"] in DONE]
    if state.barred and not tried:
        advice = "saveit-remediate incidents has what was tried; find the cause"
        sentence = f"{state.target}: {'; '.join(state.barred.values())}; {advice}"
        _obstacle(state, "breaker-open", "refused", sentence, now)
        return
    seen = [each for each in state.findings if each["id"] in state.current]
    what = "; ".join(each["sentence"] for each in seen) or "; ".join(each["sentence"] for each in tried[-1:])
    did = (
        f"tried {', '.join(each['remedy'] for each in tried)}, without success"
        if tried
        else "no remedy is for this"
    )
    would = [each["id"] for each in remedies_of(state) if not why_not_for(each, state)]
    lacking = {each["remedy"]: each["lacks"] for each in state.actions if each["lacks"]}
    reasons = {**lacking, **state.forbidden}
    barred = [f"{each}: {reasons[each]}" for each in would if each in reasons]
    if barred:
        did = f"{did if tried else 'no remedy may be tried'} ({'; '.join(barred)})"
    advice = " ".join(each["next"] for each in seen if each["next"])
    state.verdict, state.gave_up = "unresolved", True
    state.sentence = f"{state.target}: {what}; {did}. {advice}".strip()
    state.tell("gave-up", now, state.sentence)


def _recovered(state: State, now: float) -> None:
    sentence = f"recovered: every criterion was met for {now - state.good_since:.1f} s"
    action = next(each for each in state.actions if each["remedy"] == state.remedy["id"])
    # It ended with an error, or was not done, and the service is well all the same.
    kept = action["result"] if action["result"] in ("failed", "skipped") else "helped"
    action.update(result=kept, sentence=f"{_deed(action)}; {sentence}")
    state.current = []
    state.verdict, state.sentence, state.sampling = "recovered", sentence, False
    state.tell("verified", now, sentence, remedy=state.remedy["id"], recovered=True)


def _obstacle(state: State, id_: str, outcome: str, sentence: str, now: float, advice: str = "") -> None:
    state.findings.append(
        {
            "id": id_,
            "incident": state.runbook["id"],
            "target": state.target,
            "subject": state.target,
            "sentence": sentence,
            "kind": "obstacle",
            "outcome": outcome,
            "next": advice,
            "severity": "",
        }
    )
    state.climbing = state.sampling = False
    state.verdict, state.gave_up = "stopped", True
    state.sentence = f"{sentence}. {advice}" if advice else sentence
    state.tell("stopped", now, sentence)


def _times(state: State, carrier: Carrier) -> dict[str, str]:
    return {"started": iso(state.remedy_started), "finished": iso(carrier.now())}


def _said(failure: Mapping[str, Any]) -> str:
    return str(failure.get("sentence") or failure.get("msg") or "a task failed without a word")
