"""Approvals: what a run asks for when the policy wants one that is not there, and what a second person signs.

Signed is a text of JSON that names incident, target, remedy and plan. The ladder checks it where the remedy
is executed, with the public keys of the policy; what is checked here only saves a person the way.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from saveit_remediate.catalog import Policy
from saveit_remediate.errors import RefusedError, UsageError, did_you_mean
from saveit_remediate.incident import Action, Outcome
from saveit_remediate.incident_life import BEGUN, run_is_open
from saveit_remediate.journal import Event
from saveit_remediate.journal.chain import chain_break
from saveit_remediate.report.history import summarize, waits
from saveit_remediate.respond.case import Case
from saveit_remediate.respond.judgement import Judgement
from saveit_remediate.respond.key import Key

_PURPOSE = "saveit-remediate approval 1"
_ASKED = ("target", "remedy", "plan", "asked_by")


def ask_for_approvals(case: Case, judgement: Judgement) -> Judgement | None:
    """Record what would have to be approved, and say with which commands; None when nothing would be."""
    if case.request.check or judgement.outcome not in (Outcome.UNRESOLVED, Outcome.UNVERIFIED):
        return None
    lacking = [action for action in case.actions if action.lacks and action.plan]
    for action in lacking:
        case.record.write(
            "approval-asked",
            f"{action.title or action.remedy} on {action.target}: {action.lacks}",
            **{name: getattr(action, name) for name in ("target", "remedy", "plan", "risk", "needs")},
            asked_by=case.world.user,
        )
    if not lacking:
        return None
    sentence = f"{judgement.sentence.removesuffix('.')}. {_commands(case.record.incident_id, lacking)}"
    return dataclasses.replace(judgement, sentence=sentence)


def _commands(incident_id: str, lacking: Sequence[Action]) -> str:
    resume = f"saveit-remediate resume {incident_id} --yes"
    if all(action.needs == "approval" for action in lacking):
        return f"To approve and go on: {resume} --approved-by NAME"
    return f"A second person approves it: saveit-remediate approve {incident_id}; then: {resume}"


def approvals_of(events: Iterable[Event]) -> tuple[Mapping[str, str], ...]:
    """The signed approvals in the record of an incident."""
    return tuple(
        {name: str(event.payload.get(name)) for name in ("statement", "signature")}
        for event in events
        if event.kind == "approved"
    )


def asked_of(events: Sequence[Event], remedy: str = "") -> list[Mapping[str, Any]]:
    """What an incident asks to approve, each thing once; with `remedy` only that.

    Raises RefusedError when it asks for nothing or its record cannot be trusted, UsageError for a remedy that
    it does not ask for.
    """
    attempt, summary = f"cannot approve {events[0].incident_id}", summarize(events)
    if (broken := chain_break(events)) is not None:
        raise RefusedError(f"{attempt}: event {broken} of its record was changed, removed or moved")
    if not waits(events):
        ended = not run_is_open(events)
        state = f"its record has an end ({summary.outcome}: {summary.sentence})" if ended else "it is at work"
        raise RefusedError(f"{attempt}: {state}, and waits for no approval")
    begins = max(number for number, event in enumerate(events) if event.kind in BEGUN)
    asked = {
        (event.payload.get("target"), event.payload.get("remedy")): event.payload
        for event in events[begins:]
        if event.kind == "approval-asked"
    }
    names = [str(name) for _target, name in asked]
    if remedy and remedy not in names:
        raise UsageError(
            f"{attempt}: it does not ask for the remedy {remedy!r}; {did_you_mean(remedy, names)}"
        )
    return [one for (_target, name), one in asked.items() if remedy in ("", name)]


def approver_of(key: Key, policy: Policy) -> str:
    """Whose key it is. Raises RefusedError, with the line to add to the policy, when it is nobody's."""
    for name, public in policy.approvers.items():
        if public.split()[:2] == key.public.split()[:2]:
            return name
    raise RefusedError(
        f"cannot approve with the key {key.path}: it is not that of an approver of {policy.path}; "
        f"whoever keeps the policy may add below `approvers:` the line NAME: {key.public}"
    )


def sign(
    incident_id: str,
    asked: Mapping[str, Any],
    approver: str,
    key: Key,
    reason: str,
    now: datetime,
    policy: Policy,
) -> dict[str, str]:
    """The payload of the event `approved`. Raises RefusedError for who has asked for it."""
    asker = str(asked.get("asked_by"))
    if approver.casefold() == asker.partition("@")[0].casefold():
        raise RefusedError(
            f"cannot approve {incident_id}: {approver} has asked for it, as {asker}; a second person has to"
        )
    expires = now + timedelta(minutes=policy.approval_minutes)
    told = {
        "purpose": _PURPOSE,
        "incident": incident_id,
        **{name: str(asked.get(name)) for name in _ASKED},
        "approver": approver,
        "reason": reason,
        "at": now.isoformat(timespec="seconds"),
        "expires": expires.isoformat(timespec="seconds"),
    }
    text = json.dumps(told, sort_keys=True)
    until = f"until {expires:%H:%M} UTC" + (f": {reason}" if reason else "")
    return {
        "sentence": f"{approver} approves {told['remedy']} on {told['target']} {until}",
        **{name: str(told[name]) for name in ("target", "remedy", "approver", "expires")},
        "statement": text,
        "signature": key.sign(text.encode()).hex(),
    }
