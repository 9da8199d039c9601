# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a workload may be restarted, undone or started, and the change that does it. Pure."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils import _kubernetes_revision
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import iso
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_budget import broken_by
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_object import is_ready
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_revision import RESTARTED_AT
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_rollout import (
    FAILING,
    ON_DELETE,
    PAUSED,
    UNDER_WAY,
    name_of,
    replicas,
    strategy,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_state import Judged
from ansible_collections.saveit.remediation.plugins.module_utils._service import findings

# What a restart does not change, and what would help instead.
USELESS = {
    "service-image": "the new pods could not pull the image either; correct its name, tag or pull secret",
    "service-config": "the new pods would lack the same; create or correct what is named",
    "service-unschedulable": "there would be no room for the new pods either; add a node, or ask for less",
    "service-quota": "the quota would not let the new pods in either; raise it, or ask for less",
    "service-scaled-to-zero": "there are no pods to restart",
}


class Change(NamedTuple):
    """A merge patch of the workload, what it does, both sides of it, and how many pods it replaces."""

    patch: Mapping[str, Any]
    sentence: str
    diff: Mapping[str, str]
    pods: int


def why_no_restart(workload: Mapping[str, Any], judged: Judged) -> str:
    """Why a rollout restart is not to be tried; "" when it may be."""
    state = judged.rollout
    if state.state == PAUSED:
        return f"{state.sentence}; whoever paused it has to resume it (kubectl rollout resume)"
    for finding in findings(judged.service):
        if finding.id in USELESS:
            return f"{finding.sentence.partition(': ')[2]}: {USELESS[finding.id]}"
    if state.state == FAILING:
        return f"its rollout fails, and one more would wait for it: {state.sentence}"
    if state.state == UNDER_WAY:
        return f"another rollout is under way: {state.sentence}"
    if state.state == ON_DELETE:
        return f"{state.sentence}, so a rollout restart would change nothing; delete its pods one by one"
    partition = int((strategy(workload).get("rollingUpdate") or {}).get("partition") or 0)
    if workload.get("kind") == "StatefulSet" and partition >= state.wanted:
        return f"the partition {partition} of {name_of(workload)} keeps all its pods as they are"
    return ""


def restart(
    workload: Mapping[str, Any], judged: Judged, budgets: Sequence[Mapping[str, Any]], now: float
) -> Change | str:
    """The annotation that `kubectl rollout restart` writes; a sentence when a budget forbids it."""
    wanted, healthy = judged.rollout.wanted, sum(1 for each in judged.pods if is_ready(each))
    why = broken_by(workload, wanted, healthy, budgets)
    if why:
        return why
    stamp = f"{iso(now, 'seconds').partition('+')[0]}Z"
    meta = (workload["spec"].get("template") or {}).get("metadata") or {}
    last = (meta.get("annotations") or {}).get(RESTARTED_AT, "(none)")
    where = f"{name_of(workload)}: spec.template.metadata.annotations[{RESTARTED_AT}]"
    names = ", ".join(each.name for each in judged.service.instances)
    return Change(
        {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: stamp}}}}},
        f"a rollout of {name_of(workload)}, which replaces {names}",
        {"before": f"{where}: {last}\n", "after": f"{where}: {stamp}\n"},
        wanted,
    )


def why_no_undo(judged: Judged) -> str:
    """Why there is nothing to undo; "" when there is."""
    if judged.rollout.state == FAILING:
        return ""
    return f"only a rollout that fails is undone, and {judged.rollout.sentence}"


def undo(workload: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> Change | str:
    """The pod template of the revision before; a sentence when there is none."""
    revision = _kubernetes_revision.before(workload, history)
    if revision is None:
        return f"{name_of(workload)} has no revision before this one"
    template = workload["spec"]["template"]
    places = _kubernetes_revision.differences(template, revision.template)
    if not places:
        same = f"revision {revision.number} of {name_of(workload)} has the same pod template"
        return f"{same}, so it would fail too"
    name = name_of(workload)
    return Change(
        {"spec": {"template": _kubernetes_revision.merge_patch(template, revision.template)}},
        f"{name} back to its revision {revision.number}",
        {
            "before": "".join(f"{name}: {path}: {now}\n" for path, now, _then in places),
            "after": "".join(f"{name}: {path}: {then}\n" for path, _now, then in places),
        },
        replicas(workload),
    )


def why_no_start(workload: Mapping[str, Any], judged: Judged) -> str:
    """Why it is not started; "" when it has no pods because it was scaled to zero."""
    if any(each.id == "service-scaled-to-zero" for each in judged.service.troubles):
        return ""
    return f"Kubernetes starts the pods of {name_of(workload)} by itself"


def start(workload: Mapping[str, Any], autoscalers: Sequence[Mapping[str, Any]]) -> Change:
    """As many pods as its autoscaler wants at least, or one: nobody keeps how many there were."""
    name, wanted, by = name_of(workload), 1, "one pod, as nothing says how many there were"
    for each in autoscalers:
        target = each["spec"]["scaleTargetRef"]
        if (target.get("kind"), target.get("name")) == (workload.get("kind"), workload["metadata"]["name"]):
            wanted = int(each["spec"].get("minReplicas") or 1)
            by = f"the minReplicas of its HorizontalPodAutoscaler {each['metadata']['name']}"
    return Change(
        {"spec": {"replicas": wanted}},
        f"{name} from 0 to {wanted} replicas: {by}",
        {"before": f"{name}: spec.replicas: 0\n", "after": f"{name}: spec.replicas: {wanted}\n"},
        wanted,
    )
