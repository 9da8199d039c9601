"""The resources that the stand-in has: one row each. Everything else here is looked up in this table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CUSTOM = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")


@dataclass(frozen=True)
class Kind:
    """One resource of the API, as in its discovery document.

    `generation`: whether metadata.generation counts changes of the spec. `unconditional`: whether a PUT
    without metadata.resourceVersion is taken. `custom`: defined by a CustomResourceDefinition.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    subresources: tuple[str, ...] = ()
    generation: bool = False
    unconditional: bool = True
    custom: bool = False
    verbs: tuple[str, ...] = ALL
    short_names: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """`deployments.apps`, as messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def full_kind(self) -> str:
        """`Deployment.apps`, as messages of validation name it."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


WORKLOAD = ("status", "scale")

TABLE = (
    Kind(
        "",
        "v1",
        "pods",
        "Pod",
        generation=True,
        short_names=("po",),
        subresources=("status", "log", "exec", "eviction", "ephemeralcontainers"),
    ),
    Kind("", "v1", "services", "Service", subresources=("status",), short_names=("svc",)),
    Kind("", "v1", "configmaps", "ConfigMap", short_names=("cm",)),
    Kind("", "v1", "secrets", "Secret"),
    Kind("", "v1", "events", "Event", short_names=("ev",)),
    Kind("", "v1", "resourcequotas", "ResourceQuota", subresources=("status",), short_names=("quota",)),
    Kind("", "v1", "serviceaccounts", "ServiceAccount", subresources=("token",), short_names=("sa",)),
    Kind("", "v1", "nodes", "Node", namespaced=False, subresources=("status",), short_names=("no",)),
    Kind(
        "",
        "v1",
        "namespaces",
        "Namespace",
        namespaced=False,
        subresources=("status",),
        short_names=("ns",),
        verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    ),
    Kind("apps", "v1", "controllerrevisions", "ControllerRevision"),
    Kind(
        "apps",
        "v1",
        "daemonsets",
        "DaemonSet",
        generation=True,
        subresources=("status",),
        short_names=("ds",),
    ),
    Kind(
        "apps",
        "v1",
        "deployments",
        "Deployment",
        generation=True,
        subresources=WORKLOAD,
        short_names=("deploy",),
    ),
    Kind(
        "apps", "v1", "replicasets", "ReplicaSet", generation=True, subresources=WORKLOAD, short_names=("rs",)
    ),
    Kind(
        "apps",
        "v1",
        "statefulsets",
        "StatefulSet",
        generation=True,
        subresources=WORKLOAD,
        short_names=("sts",),
    ),
    Kind(
        "autoscaling",
        "v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        subresources=("status",),
        short_names=("hpa",),
    ),
    Kind(
        "policy",
        "v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        generation=True,
        subresources=("status",),
        short_names=("pdb",),
    ),
    Kind("coordination.k8s.io", "v1", "leases", "Lease", unconditional=False),
    Kind("events.k8s.io", "v1", "events", "Event", short_names=("ev",)),
    Kind("rbac.authorization.k8s.io", "v1", "roles", "Role"),
    Kind("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"),
    Kind("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False),
    Kind("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    Kind(
        "authorization.k8s.io",
        "v1",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        namespaced=False,
        verbs=("create",),
    ),
    Kind(
        "authorization.k8s.io",
        "v1",
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
        namespaced=False,
        verbs=("create",),
    ),
    Kind(
        "authentication.k8s.io",
        "v1",
        "selfsubjectreviews",
        "SelfSubjectReview",
        namespaced=False,
        verbs=("create",),
    ),
    Kind("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", verbs=("get", "list")),
    Kind("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", namespaced=False, verbs=("get", "list")),
    *(
        Kind(
            group,
            "v1",
            plural,
            kind,
            namespaced=plural != "clusterissuers",
            subresources=("status",),
            generation=True,
            unconditional=False,
            custom=True,
            verbs=CUSTOM,
            short_names=short,
        )
        for group, plural, kind, short in (
            ("cert-manager.io", "certificates", "Certificate", ("cert", "certs")),
            ("cert-manager.io", "certificaterequests", "CertificateRequest", ("cr", "crs")),
            ("cert-manager.io", "issuers", "Issuer", ()),
            ("cert-manager.io", "clusterissuers", "ClusterIssuer", ()),
            ("acme.cert-manager.io", "orders", "Order", ()),
        )
    ),
)

KINDS = {(row.group, row.version, row.plural): row for row in TABLE}
BY_RESOURCE = {row.resource: row for row in TABLE}
BY_KIND = {(row.api_version, row.kind): row for row in TABLE}

# Part of a real server, and not of this one: asked for, it is 501 and never 404, which would be an untruth.
NOT_PLAYED = {
    "": (
        "bindings",
        "componentstatuses",
        "endpoints",
        "limitranges",
        "persistentvolumeclaims",
        "persistentvolumes",
        "podtemplates",
        "replicationcontrollers",
    ),
    "apiregistration.k8s.io": (),
    "apiextensions.k8s.io": (),
    "admissionregistration.k8s.io": (),
    "batch": (),
    "certificates.k8s.io": (),
    "networking.k8s.io": (),
    "storage.k8s.io": (),
    "scheduling.k8s.io": (),
    "node.k8s.io": (),
    "discovery.k8s.io": (),
    "resource.k8s.io": (),
    "flowcontrol.apiserver.k8s.io": (),
    "authorization.k8s.io": ("localsubjectaccessreviews", "subjectaccessreviews"),
    "authentication.k8s.io": ("tokenreviews",),
}


def kind_of(body: Json) -> Kind:
    """The row of an object by its apiVersion and kind.

    Raises:
        LookupError: the stand-in has no such kind.
    """
    try:
        return BY_KIND[body["apiVersion"], body["kind"]]
    except KeyError:
        raise LookupError(f"no kind {body.get('kind')} of {body.get('apiVersion')} here") from None
