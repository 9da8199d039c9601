# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until a rollout is done, fails, or has taken too long."""

from __future__ import annotations

import math
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_budget import selector_text
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_find import plural_of
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_object import (
    condition,
    is_ready,
    may_start_for,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_rollout import (
    DONE,
    FAILING,
    PAUSED,
    Rollout,
    rollout,
    strategy,
    taken_down,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_state import judge
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_world import World
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

PAUSE = 1.0  # seconds between two looks
CLOSER_EVERY = 3  # looks at the workload for one at its pods
PERSISTS = 3  # looks in which pods of the new revision fail; a registry may stumble once
FACTOR = 3  # a start may take so many times what it took before
LEAST = 30.0  # seconds for one pod, whatever was observed: the node may be busier than it was then
LIMITS = (60.0, 1800.0)  # seconds for the whole rollout


def how_long(workload: Mapping[str, Any], wanted: int, pods: Sequence[Mapping[str, Any]]) -> float:
    """Seconds that a rollout may take: by what its pods took before, their probes, and its own deadline.

    `wanted` is how many pods it replaces, `pods` are those that there are.
    """
    took = [seconds for seconds in map(_took, pods) if seconds is not None]
    spec = (workload["spec"].get("template") or {}).get("spec") or {}
    grace = float(spec.get("terminationGracePeriodSeconds") or 30)
    start = max([LEAST, *(FACTOR * seconds for seconds in took), *map(may_start_for, pods)])
    together = max(1, _together(workload, wanted))
    waves = math.ceil(max(1, wanted) / together)
    deadline = workload["spec"].get("progressDeadlineSeconds")  # without progress, which each wave is
    each = min(start + grace, float(deadline)) if deadline else start + grace
    return min(max(waves * each, LIMITS[0]), LIMITS[1])


def wait(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    service: str,
    workload: Mapping[str, Any],
    seconds: float,
) -> Rollout:
    """Wait until it is done. Raises FailedError when it fails, is paused, or is not done in time.

    An API server that is away meanwhile is waited for too.
    """
    cluster, kind = carrier.cluster(parameters), plural_of(workload)
    name, ends = workload["metadata"]["name"], carrier.now() + seconds
    bad, looks = 0, 0
    while True:
        away: ObstacleError | None = None
        try:
            now = cluster.get(kind, name)
            state = rollout(now)
            looks += 1
            if looks % CLOSER_EVERY == 0 and state.state != DONE:
                state = _closer(parameters, carrier, service, now)
                bad = bad + 1 if state.state == FAILING else 0
        except ObstacleError as error:
            if error.outcome != "unreachable":
                raise
            away = error
        if away is None and state.state == DONE:
            return state
        if away is None and (bad >= PERSISTS or state.state == PAUSED):
            raise FailedError(f"the rollout of {state.sentence}")
        if carrier.now() >= ends:
            if away is not None:
                raise away
            raise FailedError(f"the rollout is not done after {seconds:.0f} s: {state.sentence}")
        carrier.sleep(PAUSE)


def _closer(
    parameters: Mapping[str, Any], carrier: Carrier, service: str, workload: Mapping[str, Any]
) -> Rollout:
    """The rollout as its pods tell it."""
    cluster = carrier.cluster(parameters)
    selector = selector_text(workload["spec"].get("selector"))
    pods = cluster.list("pods", label_selector=selector)
    sets = (
        cluster.list("replicasets", label_selector=selector) if workload.get("kind") == "Deployment" else []
    )
    return judge(service, workload, World.of(pods, replicasets=sets), carrier.now()).rollout


def _took(pod: Mapping[str, Any]) -> float | None:
    """Seconds from its making until it was ready; None when it is not, or was so only later."""
    begun = parse_time(pod["metadata"].get("creationTimestamp") or "")
    ready = parse_time(condition(pod, "Ready").get("lastTransitionTime") or "")
    restarted = any(
        each.get("restartCount") for each in (pod.get("status") or {}).get("containerStatuses") or ()
    )
    if not is_ready(pod) or begun is None or ready is None or restarted or ready - begun > LIMITS[1]:
        return None
    return max(0.0, ready - begun)


def _together(workload: Mapping[str, Any], wanted: int) -> int:
    """How many pods are replaced at the same time."""
    surge = str((strategy(workload).get("rollingUpdate") or {}).get("maxSurge", "25%"))
    if workload.get("kind") != "Deployment":
        return taken_down(workload, wanted) or 1
    more = math.ceil(int(surge[:-1]) * wanted / 100) if surge.endswith("%") else int(surge)
    return taken_down(workload, wanted) + more
