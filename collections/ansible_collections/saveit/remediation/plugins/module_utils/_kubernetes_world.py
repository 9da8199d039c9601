# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was listed of a namespace, and which of it belongs to a workload. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

REVISION = "deployment.kubernetes.io/revision"
Objects = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class World:
    """What was listed of the namespace; a kind that nobody asked for, or may not list, is empty."""

    pods: Objects = ()
    events: Mapping[str, Objects] = field(default_factory=dict)  # by the uid of what they are about
    nodes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by name
    replicasets: Objects = ()

    @classmethod
    def of(cls, pods: Objects, events: Objects = (), nodes: Objects = (), replicasets: Objects = ()) -> World:
        """Sorted once, so that thousands of pods are judged in no time."""
        about: dict[str, list[Mapping[str, Any]]] = {}
        for each in events:
            about.setdefault((each.get("involvedObject") or {}).get("uid") or "", []).append(each)
        return cls(pods, about, {each["metadata"]["name"]: each for each in nodes}, replicasets)

    def events_of(self, thing: Mapping[str, Any]) -> Objects:
        """The events about one object."""
        return self.events.get(thing["metadata"].get("uid") or "", ())

    def node_of(self, pod: Mapping[str, Any]) -> Mapping[str, Any]:
        """The node that a pod was given to; {} when it is unknown."""
        return self.nodes.get((pod.get("spec") or {}).get("nodeName") or "", {})


def pods_of(workload: Mapping[str, Any], pods: Objects) -> list[Mapping[str, Any]]:
    """The pods that the workload made: by their owner, as a selector may match others' pods too.

    A Deployment owns them through a ReplicaSet, which has its name and the hash of the template.
    """
    meta, kind = workload["metadata"], workload.get("kind")
    found = []
    for each in pods:
        owner: Mapping[str, Any] = next(
            (o for o in each["metadata"].get("ownerReferences") or () if o.get("controller")), {}
        )
        if kind == "Deployment":
            template = (each["metadata"].get("labels") or {}).get("pod-template-hash")
            mine = owner.get("kind") == "ReplicaSet" and owner.get("name") == f"{meta['name']}-{template}"
        else:
            mine = owner.get("uid") == meta.get("uid")
        if mine:
            found.append(each)
    return sorted(found, key=lambda each: str(each["metadata"]["name"]))


def is_active(pod: Mapping[str, Any]) -> bool:
    """Does the controller count it? Not one that is being deleted, and not one that has ended for good."""
    ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return not pod["metadata"].get("deletionTimestamp") and not ended


def is_new(workload: Mapping[str, Any], pod: Mapping[str, Any], world: World) -> bool:
    """Is the pod of the newest revision? True when nobody can tell."""
    labels, meta = pod["metadata"].get("labels") or {}, workload["metadata"]
    if workload.get("kind") == "StatefulSet":
        newest = (workload.get("status") or {}).get("updateRevision")
        return not newest or labels.get("controller-revision-hash") == newest
    if workload.get("kind") == "DaemonSet":
        template = (meta.get("annotations") or {}).get("deprecated.daemonset.template.generation")
        return not template or labels.get("pod-template-generation") in (None, template)
    sets = replicasets_of(workload, world.replicasets)
    return not sets or labels.get("pod-template-hash") == sets[0]["metadata"]["labels"].get(
        "pod-template-hash"
    )


def replicasets_of(workload: Mapping[str, Any], replicasets: Objects) -> list[Mapping[str, Any]]:
    """A Deployment's ReplicaSets, the newest revision first."""
    uid = workload["metadata"].get("uid")
    mine = [
        each
        for each in replicasets
        if any(o.get("uid") == uid for o in each["metadata"].get("ownerReferences") or ())
    ]
    return sorted(mine, key=revision_of, reverse=True)


def revision_of(thing: Mapping[str, Any]) -> int:
    """The number of a ReplicaSet's or a Deployment's revision; 0 when it has none yet."""
    text = (thing["metadata"].get("annotations") or {}).get(REVISION, "")
    return int(text) if text.isdigit() else 0
