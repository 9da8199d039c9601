# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which workload is behind a service's name: the configured one, else the one with the label. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_rollout import name_of
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError

NAME_LABEL = "app.kubernetes.io/name"
WORKLOADS = ("deployments", "statefulsets", "daemonsets")
Workload = Mapping[str, Any]


def plural_of(workload: Workload) -> str:
    """The name of its kind in the API's paths."""
    return f"{str(workload.get('kind')).lower()}s"


def choose(
    workloads: Sequence[Workload], service: str, service_names: Mapping[str, Any], where: str
) -> Workload | None:
    """The service's workload; None when there is none. `where` is the cluster, for a sentence.

    Raises ObstacleError when two match, or the configured name has a kind that runs no pods.
    """
    configured = str(service_names.get(service, ""))
    kind, _slash, name = configured.rpartition("/")
    if kind and f"{kind.lower().rstrip('s')}s" not in WORKLOADS:
        sentence = (
            f"cannot look for {service}: {configured!r} (service_names, in the inventory) is of the kind "
            f"{kind!r}; wanted deployment/NAME, statefulset/NAME or daemonset/NAME"
        )
        raise ObstacleError("no-such-kind", sentence, "refused")
    of_kind = [each for each in workloads if not kind or plural_of(each) == f"{kind.lower().rstrip('s')}s"]
    if configured:
        found = [each for each in of_kind if each["metadata"]["name"] == name]
        found = found or [each for each in of_kind if label_of(each) in (name, service)]
    else:
        found = [each for each in of_kind if service in (label_of(each), each["metadata"]["name"])]
    if len(found) > 1:
        raise ObstacleError("ambiguous-service", _two(found, service, configured, where), "refused")
    return found[0] if found else None


def label_of(workload: Workload) -> str:
    """What its label says that it is."""
    return str((workload["metadata"].get("labels") or {}).get(NAME_LABEL, ""))


def has_daemonsets(pods: Sequence[Mapping[str, Any]]) -> bool:
    """Has a DaemonSet made one of the pods?"""
    owners = (each for pod in pods for each in pod["metadata"].get("ownerReferences") or ())
    return any(each.get("kind") == "DaemonSet" for each in owners)


def names(workloads: Sequence[Workload], service_names: Mapping[str, Any]) -> list[str]:
    """The name of each, as runbooks use it: the configured one, else its label, else its own name."""
    configured = {str(value).lower().rpartition("/")[2]: key for key, value in service_names.items() if value}
    labels = Counter(map(label_of, workloads))
    own = Counter(each["metadata"]["name"] for each in workloads)
    told = []
    for each in workloads:
        name, label = each["metadata"]["name"], label_of(each)
        path = f"{str(each.get('kind')).lower()}/{name}"
        by_path = next((key for key, value in service_names.items() if str(value).lower() == path), "")
        by_label = configured.get(label, label) if label and labels[label] == 1 else ""
        told.append(by_path or configured.get(name) or by_label or (name if own[name] == 1 else path))
    return told


def none_found(
    workloads: Sequence[Workload], service: str, service_names: Mapping[str, Any], where: str
) -> ObstacleError:
    """The obstacle of a service that no workload runs; it may well be managed by somebody else."""
    wanted = str(service_names.get(service, service))
    there = ", ".join(
        sorted(f"{str(each.get('kind')).lower()}/{each['metadata']['name']}" for each in workloads)
    )
    sentence = (
        f"cannot find the service {service!r} in {where}: no Deployment, StatefulSet or DaemonSet is called "
        f"{wanted!r} or has the label {NAME_LABEL}={wanted}; there is {there or 'none at all'} "
        f"(service_names in the inventory maps {service!r}); a managed service has no workload, "
        "and no restart remedy here"
    )
    return ObstacleError("no-service", sentence, "refused")


def _two(found: Sequence[Workload], service: str, configured: str, where: str) -> str:
    told = " and ".join(name_of(each) for each in found[:4])
    first = f"{str(found[0].get('kind')).lower()}/{found[0]['metadata']['name']}"
    how = f"is called {configured!r}" if configured else f"has the name or the label {NAME_LABEL}={service}"
    return (
        f"cannot tell which workload of {where} is the service {service!r}: each of {told} {how}; "
        f"say which in the inventory, as in service_names: {{{service}: {first}}}"
    )
