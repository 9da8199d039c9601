"""Which values a real server does not take, with its words. Each rule gives causes; the caller refuses."""

from __future__ import annotations

from collections.abc import Iterator

from standin.answers import Cause
from standin.kinds import Json, Kind
from standin.pod_validation import (
    forbidden,
    invalid_value,
    metadata,
    pod,
    pod_spec,
    required,
    unsupported,
)
from standin.selectors import matches

NOT_NEGATIVE = "must be greater than or equal to 0"
IMMUTABLE = "field is immutable"
STATEFUL_FIELDS = ("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
                   "persistentVolumeClaimRetentionPolicy", "minReadySeconds")  # fmt: skip


def causes(kind: Kind, body: Json, before: Json | None) -> list[Cause]:
    """What is wrong with an object; `before` is the present one on an update."""
    return [*metadata(kind, body), *_RULES.get(kind.resource, _nothing)(body, before)]


def _nothing(_body: Json, _before: Json | None) -> Iterator[Cause]:
    return iter(())


def _negatives(spec: Json, *fields: str) -> Iterator[Cause]:
    for field in fields:
        if (spec.get(field) or 0) < 0:
            yield invalid_value(f"spec.{field}", spec[field], NOT_NEGATIVE)


def _workload(body: Json, before: Json | None, numbers: tuple[str, ...]) -> Iterator[Cause]:
    spec = body.get("spec", {})
    selector = spec.get("selector")
    template_labels = spec.get("template", {}).get("metadata", {}).get("labels", {})
    if not selector:
        yield required("spec.selector")
    elif not matches(selector, template_labels):
        yield invalid_value(
            "spec.template.metadata.labels", template_labels, "`selector` does not match template `labels`"
        )
    yield from pod_spec(spec.get("template", {}).get("spec", {}), "spec.template.spec")
    yield from _negatives(spec, *numbers)
    if before is not None and selector and selector != before["spec"]["selector"]:
        yield invalid_value("spec.selector", selector, IMMUTABLE)


def _deployment(body: Json, before: Json | None) -> Iterator[Cause]:
    yield from _workload(body, before, ("replicas", "minReadySeconds", "revisionHistoryLimit"))
    spec = body.get("spec", {})
    deadline, least = spec.get("progressDeadlineSeconds", 600), spec.get("minReadySeconds", 0)
    if 0 <= least >= deadline:
        yield invalid_value("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
    strategy = spec.get("strategy", {})
    rolling = strategy.get("rollingUpdate") or {}
    if strategy.get("type") == "Recreate" and "rollingUpdate" in strategy:
        yield forbidden(
            "spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"
        )
    elif strategy.get("type") == "RollingUpdate" and {
        rolling.get("maxUnavailable"),
        rolling.get("maxSurge"),
    } <= {0, "0%"}:
        yield invalid_value(
            "spec.strategy.rollingUpdate.maxUnavailable",
            rolling["maxUnavailable"],
            "may not be 0 when `maxSurge` is 0",
        )


def _replica_set(body: Json, before: Json | None) -> Iterator[Cause]:
    yield from _workload(body, before, ("replicas", "minReadySeconds"))


def _daemon_set(body: Json, before: Json | None) -> Iterator[Cause]:
    yield from _workload(body, before, ("minReadySeconds",))


def _stateful_set(body: Json, before: Json | None) -> Iterator[Cause]:
    if before is None:
        yield from _workload(body, None, ("replicas", "minReadySeconds"))
        return
    fixed = {key: value for key, value in body["spec"].items() if key not in STATEFUL_FIELDS}
    if fixed != {key: value for key, value in before["spec"].items() if key not in STATEFUL_FIELDS}:
        allowed = "', '".join(STATEFUL_FIELDS[:-1])
        yield forbidden(
            "spec",
            f"updates to statefulset spec for fields other than '{allowed}' and "
            f"'{STATEFUL_FIELDS[-1]}' are forbidden",
        )
        return
    yield from _workload(body, before, ("replicas", "minReadySeconds"))


def _autoscaler(body: Json, _before: Json | None) -> Iterator[Cause]:
    spec = body.get("spec", {})
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas")
    if least < 1:
        yield invalid_value("spec.minReplicas", least, "must be greater than or equal to 1")
    if most is None or most < 1:
        yield invalid_value("spec.maxReplicas", most or 0, "must be greater than 0")
    elif most < least:
        yield invalid_value("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    target = spec.get("scaleTargetRef", {})
    for name in ("kind", "name"):
        if not target.get(name):
            yield required(f"spec.scaleTargetRef.{name}")
    if least == 0 and not any(
        metric.get("type") in ("Object", "External") for metric in spec.get("metrics", [])
    ):
        yield forbidden(
            "spec.metrics",
            "must specify at least one Object or External metric to support scaling to zero replicas",
        )


def _budget(body: Json, _before: Json | None) -> Iterator[Cause]:
    spec = body.get("spec", {})
    if "minAvailable" in spec and "maxUnavailable" in spec:
        spec_text = {name: spec[name] for name in ("minAvailable", "maxUnavailable")}
        yield invalid_value("spec", spec_text, "minAvailable and maxUnavailable cannot be both set")


def _lease(body: Json, _before: Json | None) -> Iterator[Cause]:
    spec = body.get("spec", {})
    if "leaseDurationSeconds" in spec and spec["leaseDurationSeconds"] <= 0:
        yield invalid_value(
            "spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0"
        )
    if spec.get("holderIdentity") == "":
        yield invalid_value("spec.holderIdentity", "", "must not be empty")
    if spec.get("leaseTransitions", 0) < 0:
        yield invalid_value("spec.leaseTransitions", spec["leaseTransitions"], NOT_NEGATIVE)


def _certificate(body: Json, _before: Json | None) -> Iterator[Cause]:
    spec = body.get("spec")
    if spec is None:
        return
    for name in ("issuerRef", "secretName"):
        if name not in spec:
            yield required(f"spec.{name}")
    if "issuerRef" in spec and not spec["issuerRef"].get("name"):
        yield required("spec.issuerRef.name")
    yield from _conditions(body)


def _conditions(body: Json, _before: Json | None = None) -> Iterator[Cause]:
    states = ("True", "False", "Unknown")
    for at, condition in enumerate((body.get("status") or {}).get("conditions") or []):
        for name in ("status", "type"):
            if name not in condition:
                yield required(f"status.conditions[{at}].{name}")
        if condition.get("status", "True") not in states:
            yield unsupported(f"status.conditions[{at}].status", condition["status"], states)


def _role(body: Json, _before: Json | None) -> Iterator[Cause]:
    for at, rule in enumerate(body.get("rules") or []):
        if not rule.get("verbs"):
            yield required(f"rules[{at}].verbs", "verbs must contain at least one value")
        if not rule.get("nonResourceURLs"):
            if not rule.get("apiGroups"):
                yield required(f"rules[{at}].apiGroups", "resource rules must supply at least one api group")
            if not rule.get("resources"):
                yield required(f"rules[{at}].resources", "resource rules must supply at least one resource")


_RULES = {
    "deployments.apps": _deployment, "replicasets.apps": _replica_set, "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set, "pods": pod, "horizontalpodautoscalers.autoscaling": _autoscaler,
    "poddisruptionbudgets.policy": _budget, "leases.coordination.k8s.io": _lease,
    "certificates.cert-manager.io": _certificate, "certificaterequests.cert-manager.io": _conditions,
    "roles.rbac.authorization.k8s.io": _role, "clusterroles.rbac.authorization.k8s.io": _role,
}  # fmt: skip
