# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of Kubernetes objects that are read or changed: where each is in the API.

Nothing is discovered: one incident would pay dozens of requests for it. All of these versions are in
Kubernetes 1.24 and later.
"""

from __future__ import annotations

from typing import Mapping, NamedTuple
from urllib.parse import quote


class Kind(NamedTuple):
    """One kind: its API ("apps/v1", "v1" for the core), its plural name in paths, and its own name."""

    api: str
    plural: str
    name: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """As RBAC rules say it; "" is the core."""
        return self.api.rpartition("/")[0]

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """The path of the list, of one object, or of its subresource."""
        parts = ["/apis" if self.group else "/api", self.api]
        if self.namespaced:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        parts += [quote(each, safe="") for each in (name, subresource) if each]
        return "/".join(parts)


KINDS: Mapping[str, Kind] = {
    "pods": Kind("v1", "pods", "Pod"),
    "services": Kind("v1", "services", "Service"),
    "events": Kind("v1", "events", "Event"),
    "secrets": Kind("v1", "secrets", "Secret"),
    "configmaps": Kind("v1", "configmaps", "ConfigMap"),
    "resourcequotas": Kind("v1", "resourcequotas", "ResourceQuota"),
    "limitranges": Kind("v1", "limitranges", "LimitRange"),
    "namespaces": Kind("v1", "namespaces", "Namespace", namespaced=False),
    "nodes": Kind("v1", "nodes", "Node", namespaced=False),
    "deployments": Kind("apps/v1", "deployments", "Deployment"),
    "statefulsets": Kind("apps/v1", "statefulsets", "StatefulSet"),
    "daemonsets": Kind("apps/v1", "daemonsets", "DaemonSet"),
    "replicasets": Kind("apps/v1", "replicasets", "ReplicaSet"),
    "controllerrevisions": Kind("apps/v1", "controllerrevisions", "ControllerRevision"),
    "horizontalpodautoscalers": Kind("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    "poddisruptionbudgets": Kind("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget"),
    "leases": Kind("coordination.k8s.io/v1", "leases", "Lease"),
    "ingresses": Kind("networking.k8s.io/v1", "ingresses", "Ingress"),
    "podmetrics": Kind("metrics.k8s.io/v1beta1", "pods", "PodMetrics"),
    "certificates": Kind("cert-manager.io/v1", "certificates", "Certificate"),
    "certificaterequests": Kind("cert-manager.io/v1", "certificaterequests", "CertificateRequest"),
    "orders": Kind("acme.cert-manager.io/v1", "orders", "Order"),
    "challenges": Kind("acme.cert-manager.io/v1", "challenges", "Challenge"),
}

# Who serves the groups that are not in every cluster.
ADD_ONS: Mapping[str, str] = {
    "metrics.k8s.io": "metrics-server",
    "cert-manager.io": "cert-manager",
    "acme.cert-manager.io": "cert-manager",
}


def rule(group: str, resource: str, verbs: str) -> str:
    """The RBAC rule that allows this, in one line of YAML as a Role has it under `rules`."""
    api = group or '""'
    return f"{{apiGroups: [{api}], resources: [{resource}], verbs: [{verbs}]}}"
