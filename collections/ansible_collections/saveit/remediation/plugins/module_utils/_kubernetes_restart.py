# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to a workload as a whole: a rollout restart, an undo, a start from zero.

A change is decided on what was just read, and made only if that is still so: the patch has the
resourceVersion that was read. On a conflict it is read and decided again, three times at most.
"""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes,
    _kubernetes_decide,
    _kubernetes_wait,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_decide import Change
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import ApiError
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_find import plural_of
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_revision import has
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_rollout import name_of
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_state import Judged
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    FailedError,
    ObstacleError,
    Result,
)

TRIES = 3
LOOKS = 10  # seconds for a controller to see a change
PAST = {"restart": "restarted", "undo": "undone", "start": "started"}
NO_SUCH = {
    "unpause": "Kubernetes has no paused pods",
    "recreate": "on Kubernetes a restart makes every pod anew",
}


class ChangedError(FailedError):
    """The change was made, and what followed was not good."""

    def __init__(self, sentence: str, diff: Mapping[str, str]) -> None:
        super().__init__(sentence)
        self.diff = diff

    def as_return(self) -> dict[str, Any]:
        """What the module returns beside `failed: true`: that something was changed, and what."""
        return {**super().as_return(), "changed": True, "diff": dict(self.diff)}


def act(parameters: Mapping[str, Any], carrier: Carrier, name: str) -> Result:
    """Restart, undo or start the service's workload, and wait for its pods; in check mode only look.

    Raises FailedError when the rollout fails or takes too long, and ObstacleError when the cluster cannot be
    asked.
    """
    method = parameters["method"]
    for _try in range(TRIES):
        workload, judged = _kubernetes.examine(parameters, carrier, name)
        returned = {"service": judged.service.as_return()}
        decided = _decide(parameters, carrier, workload, judged)
        if isinstance(decided, str):
            return Result(
                "unchanged", f"{name} is not {PAST.get(method, method)}: {decided}", returned=returned
            )
        if carrier.check_mode:
            said = f"would {method} {name}: {decided.sentence}"
            return Result("planned", said, changed=True, diff=decided.diff, returned=returned)
        if _patched(parameters, carrier, workload, decided):
            return _followed(parameters, carrier, name, workload, judged, decided)
    raise FailedError(
        f"cannot {method} {name}: somebody else changes {name_of(workload)} all the time "
        f"({TRIES} conflicts); find out who does, then run again"
    )


def _decide(
    parameters: Mapping[str, Any], carrier: Carrier, workload: Mapping[str, Any], judged: Judged
) -> Change | str:
    """What to change, or the sentence why nothing."""
    method = parameters["method"]
    if method in NO_SUCH:
        return NO_SUCH[method]
    cluster, now = carrier.cluster(parameters), carrier.now()
    if method == "undo":
        kind = "replicasets" if workload.get("kind") == "Deployment" else "controllerrevisions"
        why = _kubernetes_decide.why_no_undo(judged)
        return why or _kubernetes_decide.undo(workload, cluster.list(kind))
    if method == "start":
        why = _kubernetes_decide.why_no_start(workload, judged)
        return why or _kubernetes_decide.start(workload, cluster.list("horizontalpodautoscalers"))
    why = _kubernetes_decide.why_no_restart(workload, judged)
    return why or _kubernetes_decide.restart(workload, judged, cluster.list("poddisruptionbudgets"), now)


def _patched(
    parameters: Mapping[str, Any], carrier: Carrier, workload: Mapping[str, Any], change: Change
) -> bool:
    """Write it; False on a conflict. When the answer is lost, the object tells whether it was written."""
    cluster, kind, name = carrier.cluster(parameters), plural_of(workload), workload["metadata"]["name"]
    version = workload["metadata"]["resourceVersion"]
    body = {**change.patch, "metadata": {"resourceVersion": version}}
    try:
        cluster.patch(kind, name, body)
    except ApiError as error:
        if error.status == 409:
            return False
        raise
    except ObstacleError as error:
        if error.outcome != "unreachable":
            raise
        if not has(cluster.get(kind, name), change.patch):
            raise
    return True


def _followed(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    name: str,
    workload: Mapping[str, Any],
    judged: Judged,
    change: Change,
) -> Result:
    """Wait for what the change brings about, and tell."""
    method, begun = parameters["method"], carrier.now()
    done = f"{name} was {PAST[method]} ({change.sentence})"
    limit = _kubernetes_wait.how_long(workload, change.pods, judged.pods)
    stuck = _remove_stuck(parameters, carrier, workload, judged) if method == "undo" else ""
    try:
        state = _kubernetes_wait.wait(parameters, carrier, name, workload, limit)
    except ObstacleError:
        raise
    except FailedError as error:
        raise ChangedError(f"{done}, and {error}{stuck}", change.diff) from error
    after = _kubernetes.examine(parameters, carrier, name)[1].service
    took = f"after {carrier.now() - begun:.0f} s {state.sentence}"
    return Result(
        PAST[method],
        f"{done}: {took}",
        changed=True,
        diff=change.diff,
        returned={"service": after.as_return()},
    )


def _remove_stuck(
    parameters: Mapping[str, Any], carrier: Carrier, workload: Mapping[str, Any], judged: Judged
) -> str:
    """A StatefulSet waits for a broken pod of the newer revision to get well before it replaces it.

    Returns what kept us from it; "" when nothing did. See
    https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback.
    """
    if workload.get("kind") != "StatefulSet":
        return ""
    cluster, kind, name = carrier.cluster(parameters), plural_of(workload), workload["metadata"]["name"]
    for _look in range(LOOKS):  # made anew before its controller has seen the change, it would be as broken
        now = cluster.get(kind, name)
        if (now.get("status") or {}).get("observedGeneration", 0) >= now["metadata"].get("generation", 0):
            break
        carrier.sleep(1)
    for each in judged.service.instances:
        if each.trouble and each.id and each.name not in judged.old:
            try:
                _kubernetes.restart(parameters, carrier, each, 30)
            except FailedError as error:  # the undo is made, so it is waited for all the same
                return f"; {error}"
    return ""
