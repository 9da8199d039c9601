# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster_access: may we do what the remedies do? Asked of the API server before a plan is shown."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._access import (
    CLUSTER,
    Right,
    Rule,
    rights_of,
    role_rules,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import ApiObstacleError
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_kinds import KINDS, rule
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_snapshot import snapshot
from ansible_collections.saveit.remediation.plugins.module_utils._result import Result
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "role": {"type": "str", "default": ""},
    "runbook": {"type": "dict", "default": {}},
    "observed": {"type": "list", "elements": "dict", "default": []},
    "needs": {"type": "dict", "default": {}},
}
_WORKLOADS = ("deployments", "statefulsets", "daemonsets")


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """A SelfSubjectAccessReview for each right that the remedies need, each asked once; nothing is changed.

    Raises ObstacleError when the cluster cannot be asked.
    """
    needs: Mapping[str, list[Rule]] = parameters["needs"]
    if parameters["platform"] != "kubernetes" or not needs or not _is_sick(parameters):
        return _result("unasked", "nothing was found that a remedy could be for", {}, [])
    absent = _absent_workloads(parameters, carrier, needs)
    wanted = {
        remedy: [right for right in _required(rules) if right.resource not in absent]
        for remedy, rules in needs.items()
    }
    cluster = carrier.cluster(parameters)
    asked = dict.fromkeys(right for rights in wanted.values() for right in rights)
    try:
        allowed = {right: cluster.may(right.verb, *_kind(right))[0] for right in asked}
    except ApiObstacleError as error:
        if error.status != 403:
            raise
        return _result("unasked", f"cannot know what the remedies may do: {error}", {}, [])
    missing = [right for right, may in allowed.items() if not may]
    denied = {
        remedy: _denied([right for right in rights if not allowed[right]], cluster.name)
        for remedy, rights in wanted.items()
        if not all(allowed[right] for right in rights)
    }
    sentence = (
        _denied(missing, cluster.name) if missing else f"{cluster.name} lets us do what the remedies do"
    )
    return _result("denied" if missing else "allowed", sentence, denied, missing)


def _is_sick(parameters: Mapping[str, Any]) -> bool:
    """Was something found that the runbook knows?"""
    known = {each["id"] for each in parameters["runbook"].get("findings", ())}
    seen = {each["id"] for result in parameters["observed"] for each in result.get("findings", ())}
    return not known or bool(known & seen)


def _required(rules: list[Rule]) -> list[Right]:
    return rights_of(each for each in rules if not each.get("optional"))


def _absent_workloads(
    parameters: Mapping[str, Any], carrier: Carrier, needs: Mapping[str, list[Rule]]
) -> frozenset[str]:
    """Kinds of workload of which the namespace has none, so that nobody needs a right to change them.

    The diagnosis has listed them, so this costs no request.
    """
    marked = {
        resource
        for rules in needs.values()
        for each in rules
        if each.get("workload")
        for resource in each["resources"]
    }
    if not marked:
        return frozenset()
    seen = snapshot(parameters, carrier, _WORKLOADS)
    absent = {kind for kind in _WORKLOADS if not seen[kind]}
    if {"statefulsets", "daemonsets"} <= absent:
        absent.add("controllerrevisions")
    return frozenset(each for each in marked if each.partition("/")[0] in absent)


def _kind(right: Right) -> tuple[str, str]:
    """Its name in KINDS, and the subresource."""
    plural, _slash, subresource = right.resource.partition("/")
    name = next(name for name, kind in KINDS.items() if (kind.group, kind.plural) == (right.group, plural))
    return name, subresource


def _denied(missing: list[Right], cluster: str) -> str:
    """What is not allowed, and the rules to add."""
    what = ", ".join(f"{right.verb} {right.resource}" for right in missing)
    rules = " ".join(
        f"- {rule(group, ', '.join(each['resources']), ', '.join(each['verbs']))}"
        for each in role_rules(missing)
        for group in each["apiGroups"]
    )
    role = "ClusterRole" if all(right.scope == CLUSTER for right in missing) else "Role"
    return f"our account may not {what} in {cluster}; add to the rules of its {role}: {rules}"


def _result(verdict: str, sentence: str, denied: Mapping[str, str], missing: list[Right]) -> Result:
    return Result(verdict, sentence, returned={"denied": dict(denied), "missing": role_rules(missing)})
