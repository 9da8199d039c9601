# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interlock of a target: who works on it, what was tried, whether automation is paused."""

from __future__ import annotations

import secrets
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils import _changes as changes
from ansible_collections.saveit.remediation.plugins.module_utils import _interlock_document as documents
from ansible_collections.saveit.remediation.plugins.module_utils import _interlock_rules as rules
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, iso
from ansible_collections.saveit.remediation.plugins.module_utils._interlock_document import Document
from ansible_collections.saveit.remediation.plugins.module_utils._interlock_store import (
    change,
    load,
    place_of,
    who_of,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    FailedError,
    ObstacleError,
    Result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "step": {
        "type": "str",
        "required": True,
        "choices": ["begin", "renew", "release", "read", "pause", "resume"],
    },
    "services": {"type": "list", "elements": "str", "default": []},
    "remedy": {"type": "str", "default": ""},
    "title": {"type": "str", "default": ""},
    "limits": {"type": "list", "elements": "dict", "default": []},
    "no_help_limit": {"type": "int", "default": 2},
    "results": {"type": "dict", "default": {}},
    "claim": {"type": "str", "default": ""},
    "holder": {"type": "str", "default": ""},
    "incident": {"type": "str", "default": ""},
    "duration_seconds": {"type": "float", "default": 600},
    "break_lease": {"type": "str", "default": ""},
    "approval": {"type": "str", "default": ""},
    "patience_seconds": {"type": "float", "default": 0},
    "reason": {"type": "str", "default": ""},
    "until": {"type": "str", "default": ""},
    "interlock_folder": {"type": "str", "default": ""},
}


class InDoubtError(ObstacleError):
    """A remedy was cut off, and it takes `wait_seconds` until one can tell what became of it."""

    def __init__(self, sentence: str, wait_seconds: float) -> None:
        super().__init__("in-doubt", sentence, "refused")
        self.wait_seconds = wait_seconds

    def as_return(self) -> dict[str, Any]:
        """As every obstacle, with the time to wait."""
        return {**super().as_return(), "wait_seconds": self.wait_seconds}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """One step.

    Raises ObstacleError lease-held, lease-lost, paused, approval-used, in-doubt, cool-down, breaker-open
    and no-help.
    """
    return _STEPS[parameters["step"]](parameters, carrier)


def begin(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """A remedy is about to act: lease what it touches, and count the attempt; or say why not."""
    services = sorted({each for each in parameters["services"] if each})
    if not services:
        raise FailedError("cannot lease anything: the runbook names no service that its remedies touch")
    windows = _windows(parameters["limits"])
    place, who = place_of(parameters, carrier), who_of(parameters)
    claim = parameters["claim"] or secrets.token_hex(8)
    title, remedy = parameters["title"] or parameters["remedy"], parameters["remedy"]
    longest = max([documents.KEEP_SECONDS, *(window.minutes * 60 for window in windows)])

    def decide(document: Document, now: float) -> tuple[Document, Result]:
        document = documents.with_results(document, claim, parameters["results"])
        document = documents.tidy(document, now, longest)
        _refuse("paused", rules.why_paused(document, place, now))
        held = rules.why_held(document, services, claim, place, now)
        if held and parameters["claim"]:
            _refuse("lease-lost", f"somebody broke our lease: {held}")
        if not parameters["break_lease"]:
            _refuse("lease-held", held)
        _refuse("approval-used", rules.why_used(document, parameters["approval"]))
        doubt, wait = rules.in_doubt(document, services, claim, now)
        if doubt:
            raise InDoubtError(doubt, wait)
        _refuse("no-help", rules.why_no_help(document, remedy, title, parameters["no_help_limit"]))
        _refuse(*rules.why_again(document, remedy, title, windows, now))
        lease = {**who, "token": claim}
        document = documents.with_lease(document, services, lease, now, parameters["duration_seconds"])
        attempt = {"service": services[0], "remedy": remedy, "incident": who["incident"], "token": claim}
        if parameters["approval"]:
            attempt["approval"] = parameters["approval"]
        document = documents.with_attempt(document, attempt, now, parameters["patience_seconds"])
        until = rules.clock(iso(now + parameters["duration_seconds"]), now)
        sentence = f"{', '.join(services)} of {place} leased by {who['holder']} until {until} unless renewed"
        broken = f"broke a lease ({parameters['break_lease']}): {held}" if held else ""
        return document, Result(
            "begun", sentence, returned=_begun(claim, services, broken, sentence, carrier)
        )

    result = change(parameters, carrier, decide)
    if carrier.check_mode:
        return Result("may-begin", f"nothing on {place} speaks against it", returned=_begun("", services))
    return result


def renew(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """We are still at work. Raises ObstacleError lease-lost when somebody else is by now."""
    claim, place, who = parameters["claim"], place_of(parameters, carrier), who_of(parameters)

    def decide(document: Document, now: float) -> tuple[Document, Result]:
        services = sorted(set(documents.leased_with(document, claim)) | {*parameters["services"]} - {""})
        held = rules.why_held(documents.tidy(document, now), services, claim, place, now)
        _refuse("lease-lost", f"somebody broke our lease: {held}" if held else "")
        lease = {**who, "token": claim}
        document = documents.with_lease(document, services, lease, now, parameters["duration_seconds"])
        return document, Result(
            "renewed", f"the lease of {place} was renewed", returned=_begun(claim, services)
        )

    return change(parameters, carrier, decide)


def release(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """The work is done: what became of the attempts, and no lease any more.

    It never fails, as what cannot be released ends by itself.
    """
    claim, place = parameters["claim"], place_of(parameters, carrier)

    def decide(document: Document, now: float) -> tuple[Document, Result]:
        leases, incident = document["leases"], parameters["incident"]
        if claim:
            mine = [name for name, each in leases.items() if each["token"] == claim]
        else:  # whoever had the claim was ended; an incident without an id is anybody's
            mine = [name for name, each in leases.items() if incident and each["incident"] == incident]
        document = documents.with_results(document, claim, parameters["results"])
        kept = {name: each for name, each in leases.items() if name not in mine}
        sentence = f"{', '.join(sorted(mine)) or 'nothing'} of {place} released"
        left = [each for each in document["changes"] if incident and each["incident"] == incident]
        told = [_still_changed(left, now, carrier)] if left else []
        returned = {**_begun("", []), "remediation_events": told}
        return {**document, "leases": kept}, Result("released", sentence, returned=returned)

    try:
        result = change(parameters, carrier, decide)
    except FailedError as error:
        said = f"the lease of {place} is not released, and ends by itself: {error}"
        result = Result("kept", said, returned=_begun("", []))
    return result


def _still_changed(left: Sequence[Mapping[str, Any]], now: float, carrier: Carrier) -> dict[str, Any]:
    """The event that tells what of an incident is still changed."""
    sentence = "; ".join(changes.told(each, now) for each in left)
    shown = changes.shown({"changes": left}, now)
    return {"kind": "still-changed", "at": iso(carrier.now()), "sentence": sentence, "changes": shown}


def read(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """What the document says, as a table; also that it cannot be read."""
    place = place_of(parameters, carrier)
    try:
        kept = load(parameters, carrier)
    except ObstacleError as error:
        returned = {**_begun("", []), "tables": [rules.table([("unreadable", "", "", "", str(error))])]}
        return Result("unreadable", str(error), returned=returned)
    document = documents.tidy(kept.document, kept.now)
    said = [rules.why_paused(document, place, kept.now)]
    said += [rules.why_held(document, [name], "", place, kept.now) for name in document["leases"]]
    rows = rules.rows(document, kept.now)
    more = {"document": document, "tables": [rules.table(rows)] if rows else []}
    sentence = "; ".join(filter(None, said)) or f"nobody works on {place}"
    return Result("read", sentence, returned={**_begun("", sorted(document["leases"])), **more})


def pause(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """No remedy acts on the target until a time; what has begun goes on."""
    reason, until = parameters["reason"].strip(), parse_time(parameters["until"])
    place, who = place_of(parameters, carrier), who_of(parameters)
    if not reason or until is None:
        raise FailedError(f"cannot pause {place}: a reason and until when are needed, in ISO 8601")

    def decide(document: Document, now: float) -> tuple[Document, Result]:
        if until <= now:
            raise FailedError(f"cannot pause {place} until {parameters['until']}: it is over")
        paused = {"by": who["holder"], "reason": reason, "since": iso(now), "until": iso(until)}
        document = {**documents.tidy(document, now), "paused": paused}
        sentence = rules.why_paused(document, place, now)
        return document, Result("paused", sentence, changed=True, returned=_begun("", []))

    return change(parameters, carrier, decide)


def resume(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Remedies may act again."""
    place = place_of(parameters, carrier)

    def decide(document: Document, now: float) -> tuple[Document, Result]:
        said = rules.why_paused(documents.tidy(document, now), place, now)
        sentence = f"automation goes on for {place}" if said else f"automation was not paused for {place}"
        after = {**document, "paused": None}
        return after, Result("resumed", sentence, changed=bool(said), returned=_begun("", []))

    return change(parameters, carrier, decide)


_STEPS: Mapping[str, Callable[[Mapping[str, Any], Carrier], Result]] = {
    "begin": begin,
    "renew": renew,
    "release": release,
    "read": read,
    "pause": pause,
    "resume": resume,
}


def _refuse(id_: str, sentence: str) -> None:
    if sentence:
        raise ObstacleError(id_, sentence, "refused")


def _windows(limits: Sequence[Mapping[str, Any]]) -> list[rules.Window]:
    """Raises FailedError for what is no window."""
    try:
        return [rules.Window(int(each["times"]), float(each["minutes"])) for each in limits]
    except (KeyError, TypeError, ValueError):
        raise FailedError(f"each of the limits has times and minutes, as numbers; got {limits}") from None


def _begun(
    claim: str,
    services: Sequence[str],
    broken: str = "",
    sentence: str = "",
    carrier: Carrier | None = None,
) -> dict[str, Any]:
    """What every step returns besides verdict and sentence."""
    events = []
    for kind, said in (("lease-broken", broken), ("lease-taken", sentence)):
        if said and carrier:
            events.append({"kind": kind, "at": iso(carrier.now()), "sentence": said})
    return {
        "claim": claim,
        "services": list(services),
        "document": {},
        "tables": [],
        "remediation_events": events,
    }
