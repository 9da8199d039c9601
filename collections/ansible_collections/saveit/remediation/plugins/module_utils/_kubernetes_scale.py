# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes: more pods of a service, by the bounds of its autoscaler or, without one, by its replicas.

What is written carries the value that was read as its precondition; where that has changed meanwhile, it is
read and decided again, three times at most.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._changes import NotMadeError, how_to_put_back
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes import look
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import (
    JSON_PATCH,
    ApiError,
    Cluster,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_autoscaler import owners
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_object import condition, short
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_replicas import (
    AUTOSCALER,
    decide,
    patch,
    read_put_back,
    values,
    why_not_back,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_rollout import replicas
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_room import (
    why_no_node,
    why_no_quota,
    why_pending,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_snapshot import snapshot
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_world import pods_of
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result
from ansible_collections.saveit.remediation.plugins.module_utils._scaling import (
    Change,
    Plan,
    Record,
    not_put_back,
    put_back_result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._service import Service

TRIES = 3
NO_ROOM = {"service-unschedulable", "service-quota"}  # findings that time does not cure
_PAUSE = 2.0  # seconds between two looks at the new pods


def plan(parameters: Mapping[str, Any], carrier: Carrier, service: Service) -> Plan:
    """What would be changed, or why nothing can be, by what there is now; only looks."""
    kind, _space, name = service.workload.partition(" ")
    if not name:
        return Plan(
            len(service.instances), 0, "nothing of it runs in this cluster; scale it where it is managed"
        )
    workload = _one(carrier.cluster(parameters), f"{kind.lower()}s", name)
    lists = ["horizontalpodautoscalers", "pods", "resourcequotas", "nodes"]
    seen = snapshot({**parameters, "not_before": 0}, carrier, lists, required=lists[:2])
    decided = decide(parameters, workload, owners(seen["horizontalpodautoscalers"], kind, name))
    if decided.reason:
        return decided
    spec, more = workload["spec"]["template"]["spec"], decided.number - replicas(workload)
    reason = (
        why_no_quota(spec, more, seen["resourcequotas"])
        or why_pending(pods_of(workload, seen["pods"]))
        or why_no_node(spec, seen["nodes"], seen["pods"])
    )
    return Plan(decided.now, decided.now, reason) if reason else decided


def scale(
    parameters: Mapping[str, Any], carrier: Carrier, before: Service, planned: Plan, record: Record
) -> tuple[Service, Plan]:
    """The service with more pods, and the plan that was carried out, which may be another one by then.

    Raises FailedError when the API refuses, and when the new pods find no room: then it is put back.
    """
    for _try in range(TRIES):
        if planned.reason:
            return before, planned
        is_as_before = partial(_is_as_before, parameters, carrier, planned.changes)
        try:
            with record(planned.changes, is_as_before) as (id_,):
                return _grow(parameters, carrier, before, planned.recorded_as(id_))
        except NotMadeError:
            planned = plan(parameters, carrier, before)
    raise FailedError(
        f"cannot scale {before.name}: somebody else changed {planned.changes[0].object} each of the "
        f"{TRIES} times that we tried; is something else scaling it?"
    )


def _is_as_before(parameters: Mapping[str, Any], carrier: Carrier, changes: Sequence[Change]) -> bool:
    """Has nothing of ours any more: it was not written, or was put back, or somebody else has changed it."""
    kind, name = changes[0].object.split("/", 1)
    now = values(_one(carrier.cluster(parameters), kind, name))
    return any(now[each.field] != each.after for each in changes)


def _grow(
    parameters: Mapping[str, Any], carrier: Carrier, before: Service, planned: Plan
) -> tuple[Service, Plan]:
    """Write it, and wait for the new pods. Raises NotMadeError, and FailedError as `scale`."""
    cluster = carrier.cluster(parameters)
    if not _write(cluster, planned.changes):
        raise NotMadeError(f"{planned.changes[0].object} is no longer what was read")
    why, hopeless = _wait(parameters, carrier, before, planned.number)
    after = look({**parameters, "not_before": 0}, carrier, before.name)
    if not why:
        return after, planned
    sick = "; ".join(f"{each.name}: {each.said}" for each in after.instances if each.trouble and each.said)
    found = {each.trouble for each in after.instances} | {each.id for each in after.troubles}
    if hopeless or found & NO_ROOM:
        undone = _write(cluster, planned.changes, back=True)
        back = how_to_put_back([planned.changes[0].change_id], f"`{planned.back}`")
        then = "it was put back" if undone else back
        raise FailedError(f"cannot scale {before.name} to {planned.number}: {hopeless or sick}; {then}")
    return after, replace(planned, note=f"; {why}{': ' + sick if sick else ''}")


def put_back(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Set the old numbers again, where those that were set are still in force."""
    cluster, done, left, over = carrier.cluster(parameters), [], [], True
    for object_, changes in read_put_back(parameters).items():
        kind, name = object_.split("/", 1)
        for _try in range(TRIES):
            found = cluster.list(kind, field_selector=f"metadata.name={name}")
            reason, is_over = why_not_back(changes, found[0] if found else None)
            if reason or carrier.check_mode or _write(cluster, changes, back=True):
                break
        else:
            reason, is_over = (
                f"somebody else changed {object_} each of the {TRIES} times that we tried",
                False,
            )
        if reason:
            left.append(reason)
            over = over and is_over
        else:
            done += [Change(each.object, each.field, each.after, each.before) for each in changes]
    if not done:
        return not_put_back(parameters["service"], "; ".join(left), over)
    return put_back_result(parameters["service"], done, carrier.check_mode, left)


def _one(cluster: Cluster, kind: str, name: str) -> dict[str, Any]:
    """One object, by the right to list, which is all that this needs. Raises FailedError when it has gone."""
    found = cluster.list(kind, field_selector=f"metadata.name={name}")
    if not found:
        raise FailedError(f"cannot find {kind}/{name} in {cluster.name}: it has gone")
    return found[0]


def _write(cluster: Cluster, changes: Sequence[Change], back: bool = False) -> bool:
    """Set the numbers of one object; False when they are no longer what was read."""
    kind, name = changes[0].object.split("/", 1)
    subresource = "" if kind == AUTOSCALER else "scale"
    try:
        cluster.patch(kind, name, patch(changes, back), JSON_PATCH, subresource)
    except ApiError as error:
        # A test that fails is a 422 that names no field; one with causes is about the values.
        if error.status == 409 or (error.status == 422 and not error.causes):
            return False
        raise
    return True


def _wait(parameters: Mapping[str, Any], carrier: Carrier, service: Service, number: int) -> tuple[str, str]:
    """Until so many pods are ready: ("", ""), or what there is when time is over, and why it never will."""
    kind, _space, name = service.workload.partition(" ")
    ends = carrier.now() + parameters["ready_seconds"]
    while True:
        workload = _one(carrier.cluster(parameters), f"{kind.lower()}s", name)
        wants, ready = replicas(workload), int((workload.get("status") or {}).get("readyReplicas") or 0)
        if wants >= number and ready >= number:
            return "", ""
        failure = condition(workload, "ReplicaFailure")
        if wants >= number and failure.get("status") == "True":
            return "no new pod can be made", short(failure.get("message"))
        if carrier.now() >= ends:
            break
        carrier.sleep(_PAUSE)
    after = f"after {parameters['ready_seconds']:g} s"
    if wants < number:
        return f"its autoscaler has not acted {after}: spec.replicas is {wants}", ""
    return f"{ready} of {number} pods are ready {after}", ""
