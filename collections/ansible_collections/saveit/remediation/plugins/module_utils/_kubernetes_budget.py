# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a rollout would break a PodDisruptionBudget, which rollouts themselves do not heed. Pure.

Budgets bind evictions alone; a rollout that takes pods down before their successors serve goes below them.
See https://kubernetes.io/docs/tasks/run-application/configure-pdb/.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_rollout import (
    name_of,
    taken_down,
)


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Does a label selector take these labels? None takes nothing, an empty one everything."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(each, labels) for each in selector.get("matchExpressions") or ())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator, values = expression["key"], expression["operator"], expression.get("values") or ()
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return bool((key in labels) == (operator == "Exists"))


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """A workload's selector in the words of the API's labelSelector."""
    selector = selector or {}
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for each in selector.get("matchExpressions") or ():
        key, values = each["key"], ",".join(each.get("values") or ())
        words = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        parts.append(words[each["operator"]])
    return ",".join(parts)


def broken_by(
    workload: Mapping[str, Any], wanted: int, healthy: int, budgets: Sequence[Mapping[str, Any]]
) -> str:
    """Why a rollout would break a budget; "" when it does not. `healthy` counts the pods that are ready now.

    A rollout that begins with a new pod takes nobody away; and where no pod is well there is none to protect.
    """
    takes = min(taken_down(workload, wanted), healthy)
    labels = ((workload["spec"].get("template") or {}).get("metadata") or {}).get("labels") or {}
    for budget in budgets:
        if not matches((budget.get("spec") or {}).get("selector"), labels):
            continue
        allowed = int((budget.get("status") or {}).get("disruptionsAllowed") or 0)
        if takes > allowed:
            return (
                f"a rollout of {name_of(workload)} takes down {takes} of its {healthy} ready pods "
                f"before new ones serve, and the PodDisruptionBudget {budget['metadata']['name']} "
                f"allows {allowed} ({_said(budget)}); run another pod of it first, or loosen the budget"
            )
    return ""


def _said(budget: Mapping[str, Any]) -> str:
    spec, status = budget.get("spec") or {}, budget.get("status") or {}
    rule = next(
        (f"{key} {spec[key]}" for key in ("minAvailable", "maxUnavailable") if key in spec), "no rule"
    )
    return f"{rule}, {status.get('currentHealthy', 0)} healthy of {status.get('expectedPods', 0)}"
