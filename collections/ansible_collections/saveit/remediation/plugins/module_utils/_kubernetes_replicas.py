# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes: what is changed for more pods, and what is put back. Pure.

An autoscaler that owns a workload sets its spec.replicas every few seconds, so there its own bounds are
changed: a minReplicas above what there is, it follows at once, whatever its metrics say.
"""

from __future__ import annotations

import json
import shlex
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_autoscaler import (
    bounds,
    is_disabled,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_rollout import replicas, strategy
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._scaling import Change, Plan, wanted

AUTOSCALER = "horizontalpodautoscalers"
FIELDS = {
    AUTOSCALER: ("minReplicas", "maxReplicas"),
    "deployments": ("replicas",),
    "statefulsets": ("replicas",),
}
_CONNECTION = ("platform", "namespace", "context", "kubeconfig")


def decide(
    parameters: Mapping[str, Any], workload: Mapping[str, Any], autoscalers: Sequence[Mapping[str, Any]]
) -> Plan:
    """What would be changed; `autoscalers` are those that own the workload."""
    now, kind, name = replicas(workload), workload["kind"], workload["metadata"]["name"]
    reason = why_never(parameters, workload, autoscalers)
    if reason:
        return Plan(now, now, reason)
    if not autoscalers:
        number, reason = wanted(parameters, now, parameters["maximum"])
        changes = [Change(f"{kind.lower()}s/{name}", "replicas", now, number)]
    else:
        of = f"{AUTOSCALER}/{autoscalers[0]['metadata']['name']}"
        least, most = bounds(autoscalers[0])
        highest = max(most, parameters["autoscaler_maximum"])
        now = max(now, least)
        number, reason = wanted(parameters, now, highest)
        if reason and number > highest:
            reason = f"it has {now}, and {of} has maxReplicas {most}, which is raised to {highest} at most"
        changes = [Change(of, "minReplicas", least, number)]
        if number > most:
            changes.append(Change(of, "maxReplicas", most, highest))
    if reason:
        return Plan(now, number, reason)
    back = put_back_command(parameters, changes)
    return Plan(
        now, number, changes=tuple(changes), back=back, patience_seconds=parameters["metrics_seconds"]
    )


def why_never(
    parameters: Mapping[str, Any], workload: Mapping[str, Any], autoscalers: Sequence[Mapping[str, Any]]
) -> str:
    """Why more pods of this workload would not add capacity, or do harm; "" when they would."""
    now, kind, name = replicas(workload), workload["kind"], workload["metadata"]["name"]
    if kind == "DaemonSet":
        return f"{kind} {name} has one pod on each node, and gets more only with more nodes"
    if len(autoscalers) > 1:
        names = ", ".join(each["metadata"]["name"] for each in autoscalers)
        return f"several autoscalers own {kind} {name} ({names}) and undo each other; leave one of them"
    if now == 0:
        return f"{kind} {name} is scaled to zero, which somebody wanted; start it instead"
    if autoscalers and is_disabled(autoscalers[0], now):
        return f"the autoscaler {autoscalers[0]['metadata']['name']} of {kind} {name} is switched off"
    owner = _owner(autoscalers[0] if autoscalers else workload)
    if owner:
        what = f"the autoscaler {autoscalers[0]['metadata']['name']}" if autoscalers else f"{kind} {name}"
        return f"{what} belongs to {owner}, which would undo a change of it; change that instead"
    if autoscalers or parameters["stateless"]:
        return ""
    if kind == "StatefulSet":
        return (
            f"{kind} {name} keeps a state, and another pod of it would be another one, empty or a replica, "
            "not more room for this one (the option stateless says otherwise)"
        )
    if strategy(workload).get("type") == "Recreate":
        return (
            f"{kind} {name} has the strategy Recreate, so two of its pods may not run at once "
            "(the option stateless says otherwise)"
        )
    return ""


def _owner(thing: Mapping[str, Any]) -> str:
    """What controls an object and sets its numbers, such as a ScaledObject or an operator's own kind."""
    owners = thing["metadata"].get("ownerReferences") or ()
    found = [f"{each['kind']} {each['name']}" for each in owners if each.get("controller")]
    return found[0] if found else ""


def put_back_command(parameters: Mapping[str, Any], changes: Sequence[Change]) -> str:
    """The command that puts it back, for a shell: plain Ansible, with this module."""
    target = {name: parameters[name] for name in _CONNECTION if parameters.get(name)}
    entries = [
        {"object": each.object, "field": each.field, "before": each.before, "after": each.after}
        for each in changes
    ]
    options = {**target, "service": parameters["service"], "put_back": entries}
    module = "saveit.remediation.service_scale"
    return shlex.join(["ansible", "localhost", "-m", module, "-a", json.dumps(options)])


def read_put_back(parameters: Mapping[str, Any]) -> dict[str, list[Change]]:
    """What an earlier task changed, by the object. Raises FailedError when it is not what one returned."""
    attempt = f"cannot put back {parameters['service']}"
    found: dict[str, list[Change]] = {}
    for each in parameters["put_back"]:
        try:
            change = Change(str(each["object"]), str(each["field"]), int(each["before"]), int(each["after"]))
        except (KeyError, TypeError, ValueError) as error:
            raise FailedError(f"{attempt}: {error} in put_back, which takes `changes` of a result") from error
        kind, slash, name = change.object.partition("/")
        if change.field not in FIELDS.get(kind, ()) or not slash or not name:
            raise FailedError(
                f"{attempt}: {change.field} of {change.object!r} in put_back is nothing this module changes"
            )
        found.setdefault(change.object, []).append(change)
    return found


def values(thing: Mapping[str, Any]) -> dict[str, int]:
    """The numbers of an autoscaler or a workload, by their names in the spec."""
    if thing["kind"] == "HorizontalPodAutoscaler":
        return dict(zip(FIELDS[AUTOSCALER], bounds(thing)))
    return {"replicas": replicas(thing)}


def patch(changes: Sequence[Change], back: bool = False) -> list[dict[str, Any]]:
    """A JSON patch that sets the numbers only where they are what was read: 422 otherwise."""
    tests = [("test", each.field, each.after if back else each.before) for each in changes]
    sets = [("replace", each.field, each.before if back else each.after) for each in changes]
    return [{"op": op, "path": f"/spec/{field}", "value": value} for op, field, value in (*tests, *sets)]


def why_not_back(changes: Sequence[Change], thing: Mapping[str, Any] | None) -> tuple[str, bool]:
    """Why an object is left alone, and whether nothing is left of the change; "" when it has our numbers."""
    if thing is None:
        return f"{changes[0].object} has gone, and the change with it", True
    now = values(thing)
    if all(now[each.field] == each.before for each in changes):
        told = ", ".join(f"{each.field} {each.before}" for each in changes)
        return f"{changes[0].object} has its old {told} again", True
    strange = [each for each in changes if now[each.field] != each.after]
    told = ", ".join(f"{each.field} {now[each.field]}, not the {each.after} that was set" for each in strange)
    who = last_writer(thing, strange[0].field) if strange else ""
    return f"{changes[0].object} has {told}, so it is somebody else's now{who}" if strange else "", False


def last_writer(thing: Mapping[str, Any], field: str) -> str:
    """Who wrote a field of the spec last, by metadata.managedFields, for the end of a sentence; or "".

    See https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management.
    """
    wrote = [
        (str(each.get("time")), str(each.get("manager")))
        for each in thing["metadata"].get("managedFields") or ()
        if f"f:{field}" in ((each.get("fieldsV1") or {}).get("f:spec") or {})
    ]
    return f" (set by {max(wrote)[1]} at {max(wrote)[0]})" if wrote else ""
