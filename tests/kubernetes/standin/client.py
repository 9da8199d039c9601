"""How tests speak to a cluster, the stand-in or a real one: plain HTTP with a kubeconfig's rights."""

from __future__ import annotations

import json
import urllib.parse
from pathlib import Path
from typing import Any

from standin.faults import AGENT as AGENT
from standin.kinds import BY_RESOURCE, Json, Kind, kind_of

MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
TEMPLATED = ("deployments.apps", "statefulsets.apps", "daemonsets.apps")


def plural(name: str) -> Kind:
    """The row of `deployments` or `deployments.apps`; of two, the one that is stored."""
    if name in BY_RESOURCE:
        return BY_RESOURCE[name]
    found = [row for row in BY_RESOURCE.values() if row.plural == name]
    if not found:
        raise LookupError(f"no resource {name}")
    return found[0]


class Client:
    """Raises AssertionError where the server refuses: a test's own preparation must not fail silently."""

    def __init__(self, kubeconfig: Path, namespace: str, context: str = "") -> None:
        import urllib3  # comes with the official client

        from kubernetes import client, config  # half a second, and only here

        settings = client.Configuration()
        config.load_kube_config(str(kubeconfig), context=context or None, client_configuration=settings)
        self.namespace = namespace
        self.url = settings.host.rstrip("/")
        self.headers = {"User-Agent": AGENT, "Accept": "application/json"}
        for each in settings.auth_settings().values():
            if each["in"] == "header":
                self.headers[each["key"]] = each["value"]
        self.pool = urllib3.PoolManager(
            cert_reqs="CERT_REQUIRED" if settings.verify_ssl else "CERT_NONE", ca_certs=settings.ssl_ca_cert,
            cert_file=settings.cert_file, key_file=settings.key_file, retries=False, timeout=30.0, maxsize=4,
        )  # fmt: skip

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        query: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Status and body, whatever they are."""
        url = f"{self.url}{path}{'?' + urllib.parse.urlencode(query) if query else ''}"
        data = None if body is None else json.dumps(body)
        headers = {**self.headers, **({"Content-Type": content_type} if body is not None else {})}
        answer = self.pool.request(method, url, body=data, headers=headers)
        text = answer.data.decode()
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return answer.status, json.loads(text) if is_json else text

    def call(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json", **query: str
    ) -> Any:
        """The body of an answer that is no refusal."""
        status, answer = self.request(method, path, body, content_type, query)
        assert status < 400, (
            f"{method} {path}: {status} {answer.get('message') if isinstance(answer, dict) else answer}"
        )
        return answer

    def path(self, kind: Kind, name: str = "", subresource: str = "") -> str:
        base = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
        namespace = f"/namespaces/{self.namespace}" if kind.namespaced else ""
        return "/".join(part for part in (f"{base}{namespace}/{kind.plural}", name, subresource) if part)

    def get(self, kind: str, name: str) -> Json:
        return self.call("GET", self.path(plural(kind), name))  # type: ignore[no-any-return]

    def find(self, kind: str, name: str) -> Json | None:
        """None: there is none."""
        status, answer = self.request("GET", self.path(plural(kind), name))
        return answer if status == 200 else None

    def list(self, kind: str, selector: str = "") -> list[Json]:
        return self.call("GET", self.path(plural(kind)), labelSelector=selector)["items"]  # type: ignore[no-any-return]

    def patch(
        self, kind: str, name: str, body: Any, content_type: str = MERGE, subresource: str = ""
    ) -> Json:
        return self.call("PATCH", self.path(plural(kind), name, subresource), body, content_type)  # type: ignore[no-any-return]

    def delete(self, kind: str, name: str) -> None:
        self.call("DELETE", self.path(plural(kind), name))

    def apply(self, *objects: Json) -> None:
        """Creates objects, or makes those that exist as given; the template of a workload as a whole."""
        for each in objects:
            kind = kind_of(each)
            name = each["metadata"]["name"]
            body = {
                **each,
                "metadata": {
                    **each["metadata"],
                    **({"namespace": self.namespace} if kind.namespaced else {}),
                },
            }
            status, answer = self.request("POST", self.path(kind), body)
            if status == 409 and answer["reason"] == "AlreadyExists":
                self._change(kind, name, body)
            else:
                assert status < 400, f"create {kind.plural} {name}: {status} {answer['message']}"

    def _change(self, kind: Kind, name: str, body: Json) -> None:
        if kind.resource not in TEMPLATED:
            self.call("PATCH", self.path(kind, name), body, MERGE)
            return
        spec = body["spec"]
        steps = [{"op": "replace", "path": "/spec/template", "value": spec["template"]}]
        if "replicas" in spec:
            steps.append({"op": "replace", "path": "/spec/replicas", "value": spec["replicas"]})
        self.call("PATCH", self.path(kind, name), steps, JSON_PATCH)
