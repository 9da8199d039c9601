# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interlock document of a target: leases, attempts, the pause and temporary changes, as plain data.

One for each compose project of a host, or namespace of a cluster. Pure: each function takes a document and
returns a new one. Times are seconds since the epoch, by the target's clock, and ISO 8601 in the document.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Iterable, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import iso
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

SCHEMA = 1
MOST_ATTEMPTS = 400  # the document has to fit into the annotations of an object, 256 KiB
KEEP_SECONDS = 86400.0  # attempts are kept for a day, or for the longest window
Document = Dict[str, Any]

_TEXTS = {
    "leases": ("holder", "incident", "token"),
    "attempts": ("service", "remedy", "incident", "result", "token"),
    "paused": ("by", "reason"),
    "changes": ("id", "service", "kind", "what", "before", "after", "by", "why", "incident", "state"),
}
_TIMES = {
    "leases": ("since", "renewed", "expires"),
    "attempts": ("at",),
    "paused": ("since", "until"),
    "changes": ("at", "expires"),
}


class DamagedError(Exception):
    """What was kept is no interlock document; carries the reason."""


def empty() -> Document:
    """Nobody works here, nothing was tried, nothing is changed."""
    return {"schema": SCHEMA, "leases": {}, "attempts": [], "paused": None, "changes": []}


def read(text: str) -> Document:
    """The document that was kept as text. Raises DamagedError with the reason why it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"it is no JSON ({error})") from None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        schema = found.get("schema") if isinstance(found, dict) else None
        raise DamagedError(f"its schema is {schema!r}, and this version knows {SCHEMA}")
    for key, kind in (("leases", dict), ("attempts", list), ("changes", list)):
        if not isinstance(found.get(key), kind):
            raise DamagedError(f"it has no {key}")
    for each in found["leases"].values():
        _check(each, "leases")
    for each in found["attempts"]:
        _check(each, "attempts")
    if found.get("paused") is not None:
        _check(found["paused"], "paused")
    for each in found["changes"]:
        _check(each, "changes")
        back = each.get("put_back")
        if not isinstance(back, dict) or not isinstance(back.get("parameters"), dict):
            raise DamagedError("its changes are damaged: no put_back")
    return found


def write(document: Mapping[str, Any]) -> str:
    """As one line of text, the same for equal documents."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")) + "\n"


def is_over(lease: Mapping[str, Any], now: float) -> bool:
    """Has the lease ended? It never lasts longer than its duration, also where the clock was set back."""
    renewed, expires = seconds(lease["renewed"]), seconds(lease["expires"])
    return abs(now - renewed) >= max(0.0, expires - renewed)


def seconds(time: str) -> float:
    """A time of the document, which read() has checked."""
    return parse_time(time) or 0.0


def tidy(document: Mapping[str, Any], now: float, keep_seconds: float = KEEP_SECONDS) -> Document:
    """Without leases that have ended, a pause that is over, and attempts that no window reaches."""
    paused = document["paused"]
    attempts = [each for each in document["attempts"] if abs(now - seconds(each["at"])) < keep_seconds]
    return {
        **document,
        "leases": {name: each for name, each in document["leases"].items() if not is_over(each, now)},
        "attempts": attempts[-MOST_ATTEMPTS:],
        "paused": paused if paused and seconds(paused["until"]) > now else None,
    }


def with_lease(
    document: Mapping[str, Any],
    services: Iterable[str],
    lease: Mapping[str, str],
    now: float,
    duration: float,
) -> Document:
    """Services leased, or renewed where the lease is there; `lease` has holder, incident and token."""
    leases = dict(document["leases"])
    for service in services:
        before = leases.get(service, {})
        since = before["since"] if before.get("token") == lease["token"] else iso(now)
        leases[service] = {**lease, "since": since, "renewed": iso(now), "expires": iso(now + duration)}
    return {**document, "leases": leases}


def with_attempt(
    document: Mapping[str, Any], attempt: Mapping[str, str], now: float, patience: float = 0
) -> Document:
    """A remedy is about to act; `attempt` has service, remedy, incident and token.

    When it is cut off, nobody knows before `patience` is over whether it was done, and helps.
    """
    begun = {**attempt, "at": iso(now), "known_by": iso(now + patience), "result": "begun"}
    return {**document, "attempts": [*document["attempts"], begun]}


def with_results(document: Mapping[str, Any], token: str, results: Mapping[str, str]) -> Document:
    """What became of the attempts made under this token, by remedy; one that did nothing does not count."""
    attempts = []
    for each in document["attempts"]:
        result = results.get(each["remedy"]) if each["token"] == token else None
        if result != "skipped":
            attempts.append({**each, "result": result} if result else each)
    return {**document, "attempts": attempts}


def leased_with(document: Mapping[str, Any], token: str) -> Sequence[str]:
    """The services that are leased with this token."""
    return sorted(name for name, each in document["leases"].items() if token and each["token"] == token)


def _check(item: Any, part: str) -> None:
    """Raises DamagedError unless it has the texts and times that its part of the document has."""
    if not isinstance(item, dict):
        raise DamagedError(f"its {part} are damaged")
    for key in _TEXTS[part]:
        if not isinstance(item.get(key), str):
            raise DamagedError(f"its {part} are damaged: no {key}")
    for key in _TIMES[part]:
        if not isinstance(item.get(key), str) or parse_time(item[key]) is None:
            raise DamagedError(f"its {part} are damaged: {key} is no time")
