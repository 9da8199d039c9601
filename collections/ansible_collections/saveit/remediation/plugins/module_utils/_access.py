# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access rules of Kubernetes: what modules declare in meta/kubernetes_access.yml, as a Role. Pure.

A rule is a mapping with apiGroups, resources and verbs as in a Role, and with the marks that the head of that
file explains.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, NamedTuple, Sequence

Rule = Mapping[str, Any]
CLUSTER, NAMESPACE = "cluster", "namespace"


class Right(NamedTuple):
    """One verb on one resource; `resource` is as in a Role, "pods/log" for a subresource."""

    group: str
    resource: str
    verb: str
    scope: str = NAMESPACE


def needed(access: Mapping[str, Any], modules: Iterable[str], *parts: str) -> list[Rule]:
    """The rules of these modules; `parts` are look, act, or both. A module that is not there needs none."""
    entries = [access["modules"].get(each, {}) for each in modules]
    names = dict.fromkeys(name for entry in entries for part in parts for name in entry.get(part, ()))
    return [rule for name in names for rule in access["rules"][name]]


def rights_of(rules: Iterable[Rule]) -> list[Right]:
    """Each right once, in the order of the rules."""
    every = (
        Right(group, resource, verb, rule.get("scope", NAMESPACE))
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    )
    return list(dict.fromkeys(every))


def role_rules(rights: Iterable[Right]) -> list[dict[str, list[str]]]:
    """As few rules of a Role as say just this: resources of one group with the same verbs share one."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for right in rights:
        verbs.setdefault((right.group, right.resource), set()).add(right.verb)
    shared: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), wanted in sorted(verbs.items()):
        shared.setdefault((group, tuple(sorted(wanted))), []).append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(wanted)}
        for (group, wanted), resources in sorted(shared.items())
    ]


def role_objects(rights: Sequence[Right], name: str, namespace: str, account: str) -> list[dict[str, Any]]:
    """Role and RoleBinding, and a ClusterRole with its binding when something belongs to the whole cluster.

    account is the service account's name, or "namespace:name" for one in another namespace.
    """
    home, _colon, user = account.rpartition(":")
    subject = {"kind": "ServiceAccount", "name": user, "namespace": home or namespace}
    wide = [right for right in rights if right.scope == CLUSTER]
    narrow = [right for right in rights if right.scope != CLUSTER]
    objects = _pair("Role", {"name": name, "namespace": namespace}, narrow, subject)
    # Its name has the namespace in it: two namespaces of a cluster would overwrite each other's binding.
    return objects + (_pair("ClusterRole", {"name": f"{name}-{namespace}"}, wide, subject) if wide else [])


def _pair(
    kind: str, metadata: Mapping[str, str], rights: Sequence[Right], subject: Mapping[str, str]
) -> list[dict[str, Any]]:
    api = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": f"{api}/v1", "kind": kind, "metadata": dict(metadata), "rules": role_rules(rights)},
        {
            "apiVersion": f"{api}/v1",
            "kind": f"{kind}Binding",
            "metadata": dict(metadata),
            "roleRef": {"apiGroup": api, "kind": kind, "name": metadata["name"]},
            "subjects": [dict(subject)],
        },
    ]
