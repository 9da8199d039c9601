# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Temporary changes in the interlock document of a target: what is recorded, and how it is told. Pure."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import iso
from ansible_collections.saveit.remediation.plugins.module_utils._interlock_document import Document, seconds
from ansible_collections.saveit.remediation.plugins.module_utils._interlock_rules import clock
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

MOST = 200  # records in one document, which has to fit into an annotation
LONGEST_MINUTES = 129600  # 90 days
BEGUN, MADE = "begun", "made"


class NotMadeError(FailedError):
    """The change was not made, which is known without a look."""


class Intent(NamedTuple):
    """One change that a module is about to make; `back` are the module's own options that put it back.

    `what` is the thing that has the value, as "memory limit of saveit-backend"; never a secret.
    """

    service: str
    kind: str
    what: str
    before: str
    after: str
    module: str
    back: Mapping[str, Any]


def record(
    intent: Intent, id_: str, who: Mapping[str, str], why: str, now: float, minutes: float
) -> dict[str, Any]:
    """The record of a change that is about to be made. `who` has holder and incident."""
    return {
        "id": id_,
        "state": BEGUN,
        **{key: getattr(intent, key) for key in ("service", "kind", "what", "before", "after")},
        "by": who["holder"],
        "why": why,
        "incident": who["incident"],
        "at": iso(now),
        "expires": iso(now + 60 * minutes),
        "put_back": {"module": intent.module, "parameters": dict(intent.back)},
    }


def with_records(document: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> Document:
    """They come last, so the newest is at the end."""
    return {**document, "changes": [*document["changes"], *records]}


def without_outdated(document: Mapping[str, Any], intents: Sequence[Intent]) -> Document:
    """Without records of the same things that are not what we had set there: those are nobody's to put back.

    So one that was made anew, or set by somebody else, does not stay recorded for ever.
    """
    now = {(each.service, each.what): each.before for each in intents}
    kept = [
        each
        for each in document["changes"]
        if now.get((each["service"], each["what"]), each["after"]) == each["after"]
    ]
    return {**document, "changes": kept}


def with_made(document: Mapping[str, Any], ids: Sequence[str]) -> Document:
    """These changes were made, and their modules saw it."""
    changes = [{**each, "state": MADE} if each["id"] in ids else each for each in document["changes"]]
    return {**document, "changes": changes}


def without(document: Mapping[str, Any], ids: Sequence[str]) -> Document:
    """Nothing is left of these changes."""
    return {**document, "changes": [each for each in document["changes"] if each["id"] not in ids]}


def is_expired(change: Mapping[str, Any], now: float) -> bool:
    """Is its time over, by the clock of the target?"""
    return seconds(change["expires"]) <= now


def chosen(document: Mapping[str, Any], ids: Sequence[str], now: float) -> list[dict[str, Any]]:
    """Those with these ids, without any the expired ones; the newest first, as it may lie on an older one."""
    return [
        each
        for each in reversed(document["changes"])
        if (each["id"] in ids if ids else is_expired(each, now))
    ]


def why_unknown(document: Mapping[str, Any], ids: Sequence[str], place: str) -> str:
    """Ids that are not there, with those that are; "" when all are there."""
    known = {each["id"]: each["what"] for each in document["changes"]}
    missing = ", ".join(id_ for id_ in ids if id_ not in known)
    there = ", ".join(f"{id_} ({what})" for id_, what in known.items())
    return f"{place} has no change {missing}; it has {there or 'none'}" if missing else ""


def who_since(document: Mapping[str, Any], change: Mapping[str, Any]) -> str:
    """A later change of ours of the same thing, for the end of a sentence; "" when there is none."""
    places = [place for place, each in enumerate(document["changes"]) if each["id"] == change["id"]]
    later = document["changes"][places[0] + 1 :] if places else ()
    for each in later:
        if (each["service"], each["what"]) == (change["service"], change["what"]):
            return f"; {each['by']} changed it since (change {each['id']}, incident {each['incident']})"
    return ""


def how_to_put_back(ids: Sequence[str], otherwise: str = "") -> str:
    """For a sentence; `otherwise` is the command where nothing is recorded."""
    command = f"`saveit-remediate revert {' '.join(ids)}`" if any(ids) else otherwise
    return f"put it back with {command}"


def told(change: Mapping[str, Any], now: float) -> str:
    """One change in a sentence."""
    ends = f"{'expired' if is_expired(change, now) else 'until'} {clock(change['expires'], now)}"
    unsure = "" if change["state"] == MADE else "perhaps, as whoever made it was cut off, "
    return (
        f"{change['id']}: {unsure}{change['what']} {change['before']} -> {change['after']}, "
        f"by {change['by']} (incident {change['incident']}) since {clock(change['at'], now)}, {ends}"
    )


def shown(document: Mapping[str, Any], now: float) -> list[dict[str, Any]]:
    """The records for whoever lists them, without what is only for putting back."""
    return [
        {**{key: each[key] for key in each if key != "put_back"}, "expired": is_expired(each, now)}
        for each in document["changes"]
    ]


def table(document: Mapping[str, Any], now: float) -> dict[str, Any]:
    """A table as plays publish it."""
    columns = ["id", "service", "what", "before", "after", "by", "incident", "since", "expires", "why"]
    rows = [
        [
            *(each[key] for key in ("id", "service", "what", "before", "after", "by", "incident")),
            clock(each["at"], now),
            f"{clock(each['expires'], now)}{', over' if is_expired(each, now) else ''}",
            each["why"],
        ]
        for each in document["changes"]
    ]
    return {"name": "Temporary changes", "columns": columns, "rows": rows}
