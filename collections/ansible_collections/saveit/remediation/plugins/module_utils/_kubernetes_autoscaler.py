# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes: what a HorizontalPodAutoscaler does with a workload, and why it does nothing.

See https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_object import condition
from ansible_collections.saveit.remediation.plugins.module_utils._result import Evidence, Finding

_AT_MAXIMUM, _BLIND, _DISABLED = "autoscaler-at-maximum", "autoscaler-no-metrics", "autoscaler-disabled"


def owners(autoscalers: Sequence[Mapping[str, Any]], kind: str, name: str) -> list[Mapping[str, Any]]:
    """The autoscalers that set spec.replicas of this workload; more than one are in each other's way."""
    targets = [(each, each.get("spec", {}).get("scaleTargetRef", {})) for each in autoscalers]
    return [
        each
        for each, target in targets
        if (str(target.get("kind")).lower(), target.get("name")) == (kind.lower(), name)
        and str(target.get("apiVersion", "apps/v1")).partition("/")[0] == "apps"
    ]


def bounds(autoscaler: Mapping[str, Any]) -> tuple[int, int]:
    """Its minReplicas, which is 1 when nobody said anything, and its maxReplicas."""
    spec = autoscaler["spec"]
    minimum = spec.get("minReplicas")
    return (1 if minimum is None else int(minimum)), int(spec["maxReplicas"])


def is_disabled(autoscaler: Mapping[str, Any], replicas: int) -> bool:
    """An autoscaler leaves a workload alone that was scaled to zero: it would not follow its minReplicas."""
    return replicas == 0 or condition(autoscaler, "ScalingActive").get("reason") == "ScalingDisabled"


def findings(autoscaler: Mapping[str, Any], service: str, resource: str) -> list[Finding]:
    """What keeps it from adding pods.

    At its maximum only counts where it wants more because of this `resource`. That it cannot read metrics is
    told by its condition alone: desiredReplicas is then 0 and currentMetrics null, and neither is a wish.
    """
    name = autoscaler["metadata"]["name"]
    active, limited = (condition(autoscaler, each) for each in ("ScalingActive", "ScalingLimited"))
    if active.get("status") == "False":
        id_ = _DISABLED if active.get("reason") == "ScalingDisabled" else _BLIND
        what = "is switched off" if id_ == _DISABLED else "scales nothing, as it cannot read its metrics"
        return [Finding(id_, service, f"{service}: the autoscaler {name} {what}: {_said(active)}")]
    found = []
    if _scale_up_disabled(autoscaler):
        sentence = f"the autoscaler {name} may not add pods: its scaleUp.selectPolicy is Disabled"
        found.append(Finding(_DISABLED, service, f"{service}: {sentence}"))
    if limited.get("reason") == "TooManyReplicas" and _presses(autoscaler, resource):
        sentence = f"the autoscaler {name} is at its maximum of {bounds(autoscaler)[1]} pods and wants more"
        found.append(Finding(_AT_MAXIMUM, service, f"{service}: {sentence}{_metrics(autoscaler)}"))
    return found


def evidence(autoscaler: Mapping[str, Any], service: str) -> list[Evidence]:
    """Where it stands. `autoscaler_wants` is None when it cannot tell, which is not a wish for none."""
    status, (minimum, maximum) = autoscaler.get("status", {}), bounds(autoscaler)
    active = condition(autoscaler, "ScalingActive")
    knows = active.get("status") == "True"
    wants = status.get("desiredReplicas") if knows else None
    name = autoscaler["metadata"]["name"]
    why = "" if knows else f": {_said(active)}" if active else ": its controller has not looked yet"
    word = f"wants {wants}" if knows else f"cannot tell what it wants{why}"
    sentence = f"the autoscaler {name} has {minimum} to {maximum} pods and {word}{_metrics(autoscaler)}"
    return [
        Evidence(f"{service}.autoscaler_wants", wants, sentence),
        Evidence(f"{service}.autoscaler_maximum", maximum, sentence),
    ]


def _said(found: Mapping[str, Any]) -> str:
    return str(found.get("message") or found.get("reason") or "no reason is given")


def _scale_up_disabled(autoscaler: Mapping[str, Any]) -> bool:
    up = (autoscaler["spec"].get("behavior") or {}).get("scaleUp") or {}
    return up.get("selectPolicy") == "Disabled"


def _presses(autoscaler: Mapping[str, Any], resource: str) -> bool:
    """Is it this resource that is above its target? Unknown metrics count for the CPU."""
    loads = _loads(autoscaler)
    over = [name for name, now, target in loads if now > target]
    return resource in over or (not over and resource == "cpu")


def _loads(autoscaler: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """Each resource that is measured in percent of its request: name, now, target."""
    targets = {}
    for each in autoscaler["spec"].get("metrics") or ():
        told = each.get("resource") or {}
        target = (told.get("target") or {}).get("averageUtilization")
        if target is not None:
            targets[told.get("name")] = int(target)
    loads = []
    for each in autoscaler.get("status", {}).get("currentMetrics") or ():
        told = each.get("resource") or {}
        now = (told.get("current") or {}).get("averageUtilization")
        if now is not None and told.get("name") in targets:
            loads.append((told["name"], int(now), targets[told["name"]]))
    return loads


def _metrics(autoscaler: Mapping[str, Any]) -> str:
    said = ", ".join(
        f"{name} {now} % of its request (target {target} %)" for name, now, target in _loads(autoscaler)
    )
    return f"; {said}" if said else ""
