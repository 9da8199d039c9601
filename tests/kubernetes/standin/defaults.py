"""What the server fills in where a manifest says nothing."""

from __future__ import annotations

import base64
import random
from typing import Any

from standin.kinds import Json, Kind

LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # of generated names: no vowels, so that no word comes out


def suffix(length: int = 5) -> str:
    return "".join(random.choices(LETTERS, k=length))  # noqa: S311


def fill(kind: Kind, body: Json) -> None:
    """Fills an object in place."""
    spec = body.setdefault("spec", {}) if kind.plural in _FILL_SPEC else body.get("spec", {})
    filler = _FILLERS.get(kind.resource)
    if filler is not None:
        filler(body, spec)


def _deployment(_body: Json, spec: Json) -> None:
    spec.setdefault("replicas", 1)
    _template(spec)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)


def _replica_set(_body: Json, spec: Json) -> None:
    spec.setdefault("replicas", 1)
    _template(spec)


def _stateful_set(_body: Json, spec: Json) -> None:
    spec.setdefault("replicas", 1)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    update = spec.setdefault("updateStrategy", {})
    if update.setdefault("type", "RollingUpdate") == "RollingUpdate":
        update.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("persistentVolumeClaimRetentionPolicy", {"whenDeleted": "Retain", "whenScaled": "Retain"})
    _template(spec)


def _daemon_set(_body: Json, spec: Json) -> None:
    update = spec.setdefault("updateStrategy", {})
    if update.setdefault("type", "RollingUpdate") == "RollingUpdate":
        update.setdefault("rollingUpdate", {}).update(
            {"maxSurge": 0, "maxUnavailable": 1} | (update.get("rollingUpdate") or {})
        )
    spec.setdefault("revisionHistoryLimit", 10)
    _template(spec)


def _template(spec: Json) -> None:
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    pod_spec(template.setdefault("spec", {}))


def pod_spec(spec: Json) -> None:
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        _container(container)
    for name, value in (
        ("restartPolicy", "Always"), ("terminationGracePeriodSeconds", 30), ("dnsPolicy", "ClusterFirst"),
        ("securityContext", {}), ("schedulerName", "default-scheduler"),
    ):  # fmt: skip
        spec.setdefault(name, value)
    for volume in spec.get("volumes", []):
        for source in ("configMap", "secret", "projected", "downwardAPI"):
            if source in volume:
                volume[source].setdefault("defaultMode", 420)


def _container(container: Json) -> None:
    tag = container.get("image", "").rpartition("/")[2].partition(":")[2]
    for port in container.get("ports", []):
        port.setdefault("protocol", "TCP")
    container.setdefault("resources", {})
    limits = container["resources"].get("limits", {})
    if limits:  # what is limited and not requested is requested too
        requests = container["resources"].setdefault("requests", {})
        for name, value in limits.items():
            requests.setdefault(name, value)
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is not None:
            for key, value in (
                ("timeoutSeconds", 1),
                ("periodSeconds", 10),
                ("successThreshold", 1),
                ("failureThreshold", 3),
            ):
                probe.setdefault(key, value)
            if "httpGet" in probe:
                probe["httpGet"].setdefault("scheme", "HTTP")
                probe["httpGet"].setdefault("path", "/")
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("imagePullPolicy", "Always" if tag in ("", "latest") else "IfNotPresent")


def _pod(body: Json, spec: Json) -> None:
    """Defaults of the kind, and what admission adds: the service account's token, tolerations, priority."""
    pod_spec(spec)
    account = spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", account)
    spec.setdefault("tolerations", [])
    for key in ("not-ready", "unreachable"):
        row = {
            "key": f"node.kubernetes.io/{key}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 300,
        }
        if not any(old.get("key") == row["key"] for old in spec["tolerations"]):
            spec["tolerations"].append(row)
    spec.setdefault("priority", 0)
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    if spec.get("automountServiceAccountToken", True):
        _token_volume(spec)
    body.setdefault("status", {}).update({"phase": "Pending", "qosClass": qos(spec)})


def _token_volume(spec: Json) -> None:
    if any(volume["name"].startswith("kube-api-access-") for volume in spec.get("volumes", [])):
        return
    name = f"kube-api-access-{suffix()}"
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [
            {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
        ]}},
    ]  # fmt: skip
    spec.setdefault("volumes", []).append(
        {"name": name, "projected": {"sources": sources, "defaultMode": 420}}
    )
    mount = {"name": name, "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        container.setdefault("volumeMounts", []).append(dict(mount))


def qos(spec: Json) -> str:
    """The class of service that follows from requests and limits."""
    resources = [container.get("resources", {}) for container in spec.get("containers", [])]
    if not any(each.get("requests") or each.get("limits") for each in resources):
        return "BestEffort"
    names = ("cpu", "memory")
    guaranteed = all(
        each.get("limits", {}).get(name) and each["limits"][name] == each.get("requests", {}).get(name)
        for each in resources
        for name in names
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _autoscaler(body: Json, spec: Json) -> None:
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    body.setdefault("status", {"desiredReplicas": 0, "currentMetrics": None})


def _service(_body: Json, spec: Json) -> None:
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    for port in spec.get("ports", []):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))


def _event(body: Json, _spec: Json) -> None:
    body.setdefault("source", {})
    for name in ("firstTimestamp", "lastTimestamp", "eventTime"):
        body.setdefault(name, None)
    for name in ("reportingComponent", "reportingInstance"):
        body.setdefault(name, "")


def _secret(body: Json, _spec: Json) -> None:
    body.setdefault("type", "Opaque")
    for key, value in body.pop("stringData", {}).items():
        body.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()


def _budget(body: Json, _spec: Json) -> None:
    names = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
    counters: dict[str, Any] = dict.fromkeys(names, 0)
    body.setdefault("status", counters)


def _binding(body: Json, _spec: Json) -> None:
    for subject in body.get("subjects", []):
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", "rbac.authorization.k8s.io")


def _namespace(body: Json, spec: Json) -> None:
    body["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = body["metadata"].get(
        "name", ""
    )
    spec.setdefault("finalizers", ["kubernetes"])
    body.setdefault("status", {"phase": "Active"})


_FILL_SPEC = (
    "deployments",
    "replicasets",
    "statefulsets",
    "daemonsets",
    "pods",
    "namespaces",
    "horizontalpodautoscalers",
    "services",
)
_FILLERS = {
    "deployments.apps": _deployment, "replicasets.apps": _replica_set, "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set, "pods": _pod, "horizontalpodautoscalers.autoscaling": _autoscaler,
    "services": _service, "events": _event, "secrets": _secret, "namespaces": _namespace,
    "poddisruptionbudgets.policy": _budget, "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
}  # fmt: skip
