"""The fixture on a real cluster: a namespace of its own, removed at the end."""

from __future__ import annotations

import secrets
from pathlib import Path

from standin.cluster import Cluster
from standin.command import SERVICE_NAMES
from standin.kinds import Json

ONLY_STAND_IN = {
    "faults": "a real API server does not fail on request",
    "usage": "what real containers use cannot be set",
    "answers": "what commands say in real containers cannot be set",
    "issuance": "a real issuer does not refuse on request",
    "nodes": "the nodes of a real cluster are not taken away",
    "recorded-state": "a real cluster does not take objects with their status",
}
GROUPS = {"metrics": "metrics.k8s.io/v1beta1", "cert-manager": "cert-manager.io/v1"}


class RealCluster(Cluster):
    is_real = True
    patience = 180.0
    pause = 0.5

    def __init__(self, kubeconfig: Path, folder: Path, context: str = "") -> None:
        namespace = f"saveit-test-{secrets.token_hex(4)}"
        super().__init__(kubeconfig, namespace, folder, context)
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        self.known: dict[str, str] = {}
        try:
            self.wait(lambda: self.find("serviceaccounts", "default"), "the namespace is furnished")
        except BaseException:
            self.close()
            raise

    def lacks(self, feature: str) -> str:
        if feature in ONLY_STAND_IN:
            return ONLY_STAND_IN[feature]
        if feature not in self.known:
            status, _answer = self.client.request("GET", f"/apis/{GROUPS[feature]}")
            self.known[feature] = (
                "" if status == 200 else f"this cluster has no {feature} (no group {GROUPS[feature]})"
            )
        return self.known[feature]

    def _answer(self, service: str, path: str) -> tuple[int, str, str]:
        """Through the API server's own proxy to the Service."""
        name = SERVICE_NAMES.get(service, service)
        found = self.find("services", name)
        if found is None:
            return 503, "text/plain", f"no Service {name}\n"
        where = f"http:{name}:{_port(found)}"
        status, body = self.client.request(
            "GET", f"/api/v1/namespaces/{self.namespace}/services/{where}/proxy{path}"
        )
        if isinstance(body, str):
            return status, "text/plain", body
        import json

        return status, "application/json", json.dumps(body)

    def close(self) -> None:
        super().close()
        self.delete("namespaces", self.namespace)


def _port(service: Json) -> int:
    return int(service["spec"]["ports"][0]["port"])
