# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of a listed object, what a diagnosis reads: thousands of pods and events have to fit into memory.

Who needs more, as a template to go back to, gets that one object by name.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_METADATA = ("managedFields", "selfLink")
_CONTAINER = (
    "name", "image", "command", "args", "ports", "resources", "restartPolicy",
    "readinessProbe", "livenessProbe", "startupProbe",
)  # fmt: skip
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_POD_SPEC = (
    *_CONTAINERS,
    "nodeName",
    "nodeSelector",
    "terminationGracePeriodSeconds",
    "restartPolicy",
    "priorityClassName",
)
_POD_STATUS_DROPPED = ("hostIP", "hostIPs", "podIPs", "observedGeneration")
_STATUS_DROPPED = ("imageID", "volumeMounts", "allocatedResources", "resources", "user")
_NODE_STATUS = ("conditions", "allocatable", "capacity")


def prune(item: Dict[str, Any]) -> Dict[str, Any]:
    """The object without what is never read. The object itself is left as it is."""
    kept = {**item, "metadata": _metadata(item.get("metadata") or {})}
    shorten = _BY_KIND.get(str(item.get("kind")))
    return shorten(kept) if shorten else kept


def _metadata(metadata: Mapping[str, Any]) -> Dict[str, Any]:
    kept = {key: value for key, value in metadata.items() if key not in _METADATA}
    notes = kept.get("annotations")
    if notes and _LAST_APPLIED in notes:
        kept["annotations"] = {key: value for key, value in notes.items() if key != _LAST_APPLIED}
    return kept


def _pod(item: Dict[str, Any]) -> Dict[str, Any]:
    status = _without(item.get("status") or {}, _POD_STATUS_DROPPED)
    for name in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        if status.get(name):
            status[name] = [_without(each, _STATUS_DROPPED) for each in status[name]]
    return {**item, "spec": _pod_spec(item.get("spec") or {}), "status": status}


def _with_template(item: Dict[str, Any]) -> Dict[str, Any]:
    """A ReplicaSet keeps of its template what tells two revisions apart in words."""
    spec = item.get("spec") or {}
    template = spec.get("template") or {}
    shorter = {**template, "spec": _pod_spec(template.get("spec") or {})}
    return {**item, "spec": {**spec, "template": shorter}}


def _pod_spec(spec: Mapping[str, Any]) -> Dict[str, Any]:
    kept = _only(spec, _POD_SPEC)
    for name in _CONTAINERS:
        if kept.get(name):
            kept[name] = [_only(each, _CONTAINER) for each in kept[name]]
    return kept


def _event(item: Dict[str, Any]) -> Dict[str, Any]:
    metadata = _only(item["metadata"], ("name", "namespace", "uid", "resourceVersion", "creationTimestamp"))
    involved = _only(item.get("involvedObject") or {}, ("kind", "name", "uid", "fieldPath"))
    return {**item, "metadata": metadata, "involvedObject": involved}


def _node(item: Dict[str, Any]) -> Dict[str, Any]:
    return {**item, "status": _only(item.get("status") or {}, _NODE_STATUS)}


_BY_KIND = {"Pod": _pod, "ReplicaSet": _with_template, "Event": _event, "Node": _node}


def _only(values: Mapping[str, Any], names: Sequence[str]) -> Dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _without(values: Mapping[str, Any], names: Sequence[str]) -> Dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
