# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the rollout of a workload is: a verdict out of its counters and conditions. Pure.

The answer to a write has the new generation beside the old counters, which look complete; so nothing counts
before `observedGeneration` has followed. Counters that are 0 are absent. See
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_object import condition, short

DONE = "done"  # and every pod is available
UNDER_WAY = "under-way"
FAILING = "failing"
PAUSED = "paused"
UNAVAILABLE = "unavailable"  # it was done, and since then pods are missing or not ready
ON_DELETE = "on-delete"  # pods are replaced only when somebody deletes them
_AVAILABLE_ONCE = "NewReplicaSetAvailable"
_STUCK = "ProgressDeadlineExceeded"


@dataclass(frozen=True)
class Rollout:
    """One of the words above, and the sentence why; `wanted`, `updated` and `available` count pods."""

    state: str
    sentence: str
    wanted: int
    updated: int
    available: int


def rollout(workload: Mapping[str, Any], failures: Sequence[str] = ()) -> Rollout:
    """The verdict; `failures` says what is wrong with pods of the new revision that cannot get well."""
    status, spec = workload.get("status") or {}, workload.get("spec") or {}
    kind = workload.get("kind")
    daemon = kind == "DaemonSet"
    wanted = int(status.get("desiredNumberScheduled") or 0) if daemon else replicas(workload)
    updated = int(status.get("updatedNumberScheduled" if daemon else "updatedReplicas") or 0)
    available = int(status.get("numberAvailable" if daemon else "availableReplicas") or 0)
    if kind == "StatefulSet" and "availableReplicas" not in status:  # before 1.25, or 0
        available = int(status.get("readyReplicas") or 0)
    word, why = _judge(workload, spec, status, wanted, updated, available)
    if word == UNDER_WAY and failures:
        word, why = FAILING, f"{why}; {'; '.join(failures[:3])}"
    return Rollout(word, f"{name_of(workload)}: {why}", wanted, updated, available)


def name_of(workload: Mapping[str, Any]) -> str:
    """Kind and name, for a sentence."""
    return f"{workload.get('kind')} {(workload.get('metadata') or {}).get('name')}"


def replicas(workload: Mapping[str, Any]) -> int:
    """How many pods its spec asks for, which is 1 when it says nothing."""
    wanted = (workload.get("spec") or {}).get("replicas")
    return 1 if wanted is None else int(wanted)


def strategy(workload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Its update strategy, under the name that each kind has for it."""
    spec = workload.get("spec") or {}
    return spec.get("strategy" if workload.get("kind") == "Deployment" else "updateStrategy") or {}


def taken_down(workload: Mapping[str, Any], wanted: int) -> int:
    """How many pods a rollout takes down at once before their successors serve.

    Shares are rounded as the controllers do it: what may be missing of a Deployment down, the surge up.
    """
    how = strategy(workload)
    rolling, kind = how.get("rollingUpdate") or {}, workload.get("kind")
    if kind == "Deployment":
        if how.get("type") == "Recreate":
            return wanted
        surge = _share(rolling.get("maxSurge", "25%"), wanted, math.ceil)
        missing = _share(rolling.get("maxUnavailable", "25%"), wanted, math.floor)
        return missing if surge or missing else 1
    if kind == "DaemonSet" and _share(rolling.get("maxSurge", 0), wanted, math.ceil):
        return 0
    return max(1, _share(rolling.get("maxUnavailable") or 1, wanted, math.ceil))


def _share(value: Any, whole: int, rounded: Any) -> int:
    text = str(value)
    if text.endswith("%"):
        return int(rounded(int(text[:-1]) * whole / 100))
    return int(text)


def _judge(
    workload: Mapping[str, Any],
    spec: Mapping[str, Any],
    status: Mapping[str, Any],
    wanted: int,
    updated: int,
    available: int,
) -> tuple[str, str]:
    kind = workload.get("kind")
    if kind != "Deployment" and strategy(workload).get("type") == "OnDelete":
        return ON_DELETE, "its pods are replaced only when they are deleted (updateStrategy OnDelete)"
    if kind == "Deployment" and spec.get("paused"):
        return PAUSED, "its rollout is paused (spec.paused)"
    generation = int((workload.get("metadata") or {}).get("generation") or 0)
    if int(status.get("observedGeneration") or 0) < generation:
        return UNDER_WAY, "its controller has not seen the last change yet"
    word, why = _JUDGES[str(kind)](workload, status, wanted, updated)
    if word == DONE and available < wanted:
        return UNAVAILABLE, f"{available} of {wanted} pods are available"
    return word, why


def _deployment(
    workload: Mapping[str, Any], status: Mapping[str, Any], wanted: int, updated: int
) -> tuple[str, str]:
    progress, failure = condition(workload, "Progressing"), condition(workload, "ReplicaFailure")
    if progress.get("reason") == _STUCK:
        return FAILING, short(progress.get("message"))
    left = int(status.get("replicas") or 0) - updated
    rolled = updated >= wanted and left <= 0
    if failure.get("status") == "True" and not rolled:
        return FAILING, short(failure.get("message"))
    if left <= 0 and progress.get("reason") == _AVAILABLE_ONCE:
        return DONE, _done(updated)  # or scaled since, which is no rollout
    available = int(status.get("availableReplicas") or 0)
    if rolled and available >= updated:
        return DONE, _done(updated)
    if rolled and not progress:  # progressDeadlineSeconds is switched off, so nobody says more
        return DONE, _done(updated)
    if left > 0:
        return UNDER_WAY, f"{updated} of {wanted} pods are of the new revision, {left} of an old one are left"
    return UNDER_WAY, f"{updated} of {wanted} pods are of the new revision, {available} of them are available"


def _statefulset(
    workload: Mapping[str, Any], status: Mapping[str, Any], wanted: int, updated: int
) -> tuple[str, str]:
    partition = int((strategy(workload).get("rollingUpdate") or {}).get("partition") or 0)
    if status.get("updateRevision") == status.get("currentRevision"):
        return DONE, _done(wanted)
    rolling = max(0, wanted - partition)
    if updated < rolling:
        return UNDER_WAY, f"{updated} of {rolling} pods are of the new revision"
    if partition:
        return DONE, f"the {rolling} pods above its partition ({partition}) are of the new revision"
    ready = int(status.get("readyReplicas") or 0)
    return UNDER_WAY, f"all pods are of the new revision, {ready} of {wanted} are ready"


def _daemonset(
    workload: Mapping[str, Any], status: Mapping[str, Any], wanted: int, updated: int
) -> tuple[str, str]:
    del workload, status
    if updated < wanted:
        return UNDER_WAY, f"{updated} of {wanted} pods are of the new revision"
    return DONE, _done(updated)


def _done(pods: int) -> str:
    return f"all {pods} pods are of the newest revision" if pods != 1 else "its pod is of the newest revision"


_JUDGES = {"Deployment": _deployment, "StatefulSet": _statefulset, "DaemonSet": _daemonset}
