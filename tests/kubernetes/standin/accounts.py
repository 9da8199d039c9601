"""Who speaks to the cluster: service accounts with these rules, and their kubeconfigs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from standin.client import plural

if TYPE_CHECKING:
    from standin.cluster import Cluster


def user(cluster: Cluster, name: str, *rules: Mapping[str, Sequence[str]]) -> Path:
    """A kubeconfig of a service account of the namespace that may do only what the rules say."""
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": cluster.namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    cluster.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}},
        {**role, "rules": [dict(rule) for rule in rules]},
        {**role, "kind": "RoleBinding", "roleRef": reference, "subjects": [subject]},
    )
    path = cluster.client.path(plural("serviceaccounts"), name, "token")
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": 3600},
    }
    token = cluster.client.call("POST", path, body)["status"]["token"]
    return write_kubeconfig(cluster, name, {"token": token})


def write_kubeconfig(cluster: Cluster, name: str, credentials: Mapping[str, str]) -> Path:
    """A kubeconfig like the cluster's with other credentials, whose one context has the user's name."""
    import yaml

    whole = yaml.safe_load(cluster.kubeconfig.read_text())
    used = cluster.context or whole["current-context"]
    context = next(each["context"] for each in whole["contexts"] if each["name"] == used)
    server = next(each for each in whole["clusters"] if each["name"] == context["cluster"])
    made = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [server],
        "contexts": [
            {
                "name": name,
                "context": {"cluster": server["name"], "user": name, "namespace": cluster.namespace},
            }
        ],
        "users": [{"name": name, "user": dict(credentials)}],
    }
    path = cluster.folder / f"{name}.kubeconfig"
    path.write_text(yaml.safe_dump(made))
    path.chmod(0o600)
    return path
