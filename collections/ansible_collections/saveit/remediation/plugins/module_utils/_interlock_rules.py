# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the interlock of a target does not let a remedy act: pure functions that return a sentence, or ""."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import iso
from ansible_collections.saveit.remediation.plugins.module_utils._interlock_document import seconds
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

NOT_HELPED = ("no_help", "failed", "worse")
_SAME_DAY = 43200.0  # seconds; a time further away is told with its date


class Window(NamedTuple):
    """No more than so many attempts in so many minutes."""

    times: int
    minutes: float


def why_held(document: Mapping[str, Any], services: Sequence[str], token: str, place: str, now: float) -> str:
    """Somebody else works on one of the services. `place` is as in "saveit on staging"."""
    for service in services:
        lease = document["leases"].get(service)
        if lease and lease["token"] != token:
            project, _on, host = place.partition(" on ")
            return (
                f"{project}/{service} on {host} is being remediated by {lease['holder']} (incident "
                f"{lease['incident']}) since {clock(lease['since'], now)}; its lease ends "
                f"{clock(lease['expires'], now)} unless renewed"
            )
    return ""


def why_paused(document: Mapping[str, Any], place: str, now: float) -> str:
    """A person has switched the automation off."""
    paused = document["paused"]
    if not paused:
        return ""
    return (
        f"automation is paused for {place} by {paused['by']} since {clock(paused['since'], now)} until "
        f"{clock(paused['until'], now)}: {paused['reason']}; saveit-remediate resume-automation ends it"
    )


def why_again(
    document: Mapping[str, Any], remedy: str, title: str, windows: Sequence[Window], now: float
) -> tuple[str, str]:
    """The remedy was done too often: the id of the obstacle and the sentence, for the first full window.

    The longest of several windows is the breaker, a shorter one is the cool-down.
    """
    times = [seconds(each["at"]) for each in document["attempts"] if each["remedy"] == remedy]
    longest = max((window.minutes for window in windows), default=0)
    for window in sorted(windows, key=lambda each: -each.minutes):
        inside = sorted(time for time in times if abs(now - time) < window.minutes * 60)
        if len(inside) >= window.times:
            again = clock(iso(inside[-window.times] + window.minutes * 60), now) if window.times else "never"
            first = clock(iso(inside[0]), now) if inside else "the beginning"
            id_ = "breaker-open" if window.minutes == longest else "cool-down"
            count = f"{len(inside)} time{'' if len(inside) == 1 else 's'} since {first}"
            return id_, (
                f"{title}: done {count}; it does not hold. At most {window.times} in {window.minutes:g} "
                f"minutes are allowed, the next at {again}; find the cause, as another one will not help"
            )
    return "", ""


def why_no_help(document: Mapping[str, Any], remedy: str, title: str, in_a_row: int) -> str:
    """The last attempts of this remedy did not help, so the next would not either.

    One whose end nobody saw says nothing.
    """
    ended = [each for each in document["attempts"] if each["remedy"] == remedy and each["result"] != "begun"]
    last = ended[-in_a_row:] if in_a_row else []
    if not in_a_row or len(last) < in_a_row or any(each["result"] not in NOT_HELPED for each in last):
        return ""
    at = last[-1]["at"][:16].replace("T", " ")
    return f"{title}: did not help {in_a_row} times in a row (last at {at} UTC); it is not tried again"


def why_used(document: Mapping[str, Any], approval: str) -> str:
    """A signed approval lets a remedy act once."""
    used = [each for each in document["attempts"] if approval and each.get("approval") == approval]
    if not used:
        return ""
    at = used[0]["at"][:16].replace("T", " ")
    incident = used[0]["incident"]
    return f"this approval was used at {at} UTC (incident {incident}), and is good for once; ask for another"


def in_doubt(
    document: Mapping[str, Any], services: Sequence[str], token: str, now: float
) -> tuple[str, float]:
    """A remedy of one of the services was begun, nobody saw its end, and it may help yet.

    Returns the sentence and for how many seconds that is so; ("", 0) when there is none.
    """
    for each in reversed(document["attempts"]):
        if each["result"] != "begun" or each["token"] == token or each["service"] not in services:
            continue
        at, known_by = seconds(each["at"]), parse_time(str(each.get("known_by") or "")) or 0.0
        if abs(now - at) < known_by - at:  # so also where a clock was set back
            since = clock(each["at"], now)
            sentence = (
                f"{each['remedy']} was begun at {since} (incident {each['incident']}) and cut off; it may "
                "have been done, so nothing else is done before it has had its time"
            )
            return sentence, known_by - max(now, at)
    return "", 0.0


def clock(time: str, now: float) -> str:
    """A time of the document for a person: "02:10 UTC", with the date when that is not obvious."""
    at = seconds(time)
    text = iso(at, "minutes").partition("+")[0]
    return f"{text[11:] if abs(now - at) < _SAME_DAY else text.replace('T', ' ')} UTC"


def rows(document: Mapping[str, Any], now: float) -> list[tuple[str, str, str, str, str]]:
    """Pause, leases, temporary changes, and attempts by remedy, for the table of `status`."""
    found = []
    if document["paused"]:
        paused = document["paused"]
        since, until = clock(paused["since"], now), clock(paused["until"], now)
        found.append(("paused", paused["by"], since, until, paused["reason"]))
    for name, lease in sorted(document["leases"].items()):
        since, until = clock(lease["since"], now), clock(lease["expires"], now)
        found.append((f"{name} leased", lease["holder"], since, until, f"incident {lease['incident']}"))
    for each in document["changes"]:
        since, until = clock(each["at"], now), clock(each["expires"], now)
        found.append((f"{each['what']} changed", each["by"], since, until, f"change {each['id']}"))
    for remedy in sorted({each["remedy"] for each in document["attempts"]}):
        tried = [each for each in document["attempts"] if each["remedy"] == remedy]
        count = f"{len(tried)} times, the last one: {tried[-1]['result']}"
        found.append((f"{remedy} tried", "", clock(tried[0]["at"], now), "", count))
    return found


def table(found: Sequence[Sequence[str]]) -> dict[str, Any]:
    """A table as plays publish it."""
    columns = ["interlock", "by", "since", "until", "why"]
    return {"name": "Interlock", "columns": columns, "rows": [list(row) for row in found]}
