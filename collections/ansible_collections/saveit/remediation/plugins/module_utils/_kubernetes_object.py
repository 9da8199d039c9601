# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an object says in its own words: conditions, events, the times and probes of a pod. Pure."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

LONGEST = 400  # characters of an event's message


def condition(thing: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """A condition of any object by its type; {} when it has none."""
    conditions = (thing.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each.get("type") == kind), {})


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Does it count as ready?"""
    return condition(pod, "Ready").get("status") == "True"


def time_of(event: Mapping[str, Any]) -> float:
    """When an event was seen last: the scheduler fills in other fields than the kubelet."""
    series = event.get("series") or {}
    for text in (event.get("lastTimestamp"), series.get("lastObservedTime"), event.get("eventTime")):
        seconds = parse_time(text or "")
        if seconds is not None:
            return seconds
    return parse_time((event.get("metadata") or {}).get("creationTimestamp") or "") or 0.0


def last(events: Sequence[Mapping[str, Any]], reason: str, text: str = "") -> Mapping[str, Any]:
    """The newest event with this reason whose message has the text in it; {} when there is none."""
    found = [each for each in events if each.get("reason") == reason and text in (each.get("message") or "")]
    return max(found, key=time_of, default={})


def short(text: Any) -> str:
    """A message in one line that is not endless."""
    line = " ".join(str(text or "").split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def started_at(pod: Mapping[str, Any], container: str) -> str:
    """When the present or last run of a container began, "" when it never did."""
    status = next((each for each in statuses(pod) if each.get("name") == container), {})
    for run in (status.get("state"), status.get("lastState")):
        for detail in (run or {}).values():
            if (detail or {}).get("startedAt"):
                return str(detail["startedAt"])
    return ""


def may_start_for(pod: Mapping[str, Any]) -> float:
    """Seconds that its probes give a start: after them the kubelet would end it, or call it unready."""
    budgets = [0.0]
    for container in (pod.get("spec") or {}).get("containers") or ():
        for name in ("startupProbe", "livenessProbe", "readinessProbe"):
            probe = container.get(name)
            if probe:
                tries, pause = probe.get("failureThreshold") or 3, probe.get("periodSeconds") or 10
                budgets.append(float((probe.get("initialDelaySeconds") or 0) + tries * pause))
    return max(budgets)


def statuses(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Of a pod's containers, those that prepare the others first."""
    status = pod.get("status") or {}
    yield from status.get("initContainerStatuses") or ()
    yield from status.get("containerStatuses") or ()
