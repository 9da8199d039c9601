"""A cluster that keeps objects as the API server does, and a cert-manager that acts when it is looked at."""

from __future__ import annotations

import base64
import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._certificate import day
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import (
    ApiError,
    ApiObstacleError,
)

if TYPE_CHECKING:
    from tests.unit.collection.certificate.conftest import Issued

Act = Callable[["Cluster"], None]


def nothing(_cluster: Cluster) -> None:
    """What a cert-manager does that does not run."""


@dataclass
class Cluster:
    """Objects by kind and name. `writes` are the requests that change something, in order.

    `manager` acts whenever the Certificate is read, `meanwhile` once before the next write.
    """

    name: str = "the cluster test (namespace saveit)"
    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    manager: Act = nothing
    meanwhile: list[Act] = field(default_factory=list)
    version: int = 100
    ahead: float = 0  # seconds that its clock is ahead; sleeping takes no time
    down: int = 0  # how many requests it does not answer
    lost: int = 0  # how many patches it takes without answering

    @property
    def time(self) -> float:
        return time.time() + self.ahead

    def carrier(self, check_mode: bool = False) -> Carrier:
        def execute(command: Any, stdin: str) -> Completed:
            raise AssertionError(f"no command runs on Kubernetes: {command}")

        return Carrier(execute, lambda: self.time, self._sleep, check_mode, cluster=lambda _parameters: self)  # type: ignore[arg-type,return-value]

    def put(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self.version += 1
        whole = copy.deepcopy(dict(body))
        whole["metadata"].setdefault("uid", f"uid-{self.version}")
        whole["metadata"].setdefault("creationTimestamp", day(self.time))
        whole["metadata"]["resourceVersion"] = str(self.version)
        self.objects[kind, whole["metadata"]["name"]] = whole
        return copy.deepcopy(whole)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        if kind == "certificates":
            self.manager(self)
        self._ask("get", kind)
        return copy.deepcopy(self._there(kind, name))

    def list(self, kind: str) -> list[dict[str, Any]]:
        self._ask("list", kind)
        return [copy.deepcopy(each) for (its, _name), each in self.objects.items() if its == kind]

    def create(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        name = body["metadata"]["name"]
        self._write("create", kind, name, body)
        if (kind, name) in self.objects:
            raise refused(409, "AlreadyExists", f'{kind} "{name}" already exists')
        return self.put(kind, body)

    def patch(self, kind: str, name: str, body: Mapping[str, Any], subresource: str = "") -> dict[str, Any]:
        self._write("patch", f"{kind}/{subresource}" if subresource else kind, name, body)
        found = self._there(kind, name)
        if body["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
            raise refused(409, "Conflict", "the object has been modified")
        part = "status" if subresource else "metadata"
        merged = {**found, part: {**found.get(part, {}), **body.get(part, {})}}
        self.put(kind, merged)
        if self.lost:
            self.lost, self.down = self.lost - 1, 1
            self._ask("patch", kind)
        return copy.deepcopy(self._there(kind, name))

    def delete(self, kind: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._write("delete", kind, name, body)
        found = self._there(kind, name)["metadata"]
        if any(found[key] != value for key, value in body["preconditions"].items()):
            raise refused(409, "Conflict", "the precondition does not hold")
        return self.objects.pop((kind, name))

    def _write(self, verb: str, kind: str, name: str, body: Any) -> None:
        if self.meanwhile:
            self.meanwhile.pop(0)(self)
        self.writes.append(f"{verb} {kind} {name}")
        self.bodies.append(copy.deepcopy(body))
        self._ask(verb, kind)

    def _ask(self, verb: str, kind: str) -> None:
        if self.down:
            self.down -= 1
            raise ApiObstacleError(
                "cluster-unreachable", "the API server does not answer", "unreachable", 503
            )
        if f"{verb} {kind}" in self.forbidden:
            raise ApiObstacleError(
                "cluster-forbidden", f"may not {verb} {kind}: add this rule", "refused", 403
            )
        if kind in self.unknown:
            raise ApiError(f"cannot {verb}: no such API", 404, {"reason": "NotFound"})

    def _there(self, kind: str, name: str) -> dict[str, Any]:
        if (kind, name) not in self.objects:
            raise refused(404, "NotFound", f'{kind} "{name}" not found', {"name": name, "kind": kind})
        return self.objects[kind, name]

    def _sleep(self, seconds: float) -> None:
        self.ahead += seconds

    def certificate(self, spec: Mapping[str, Any] | None = None, **status: Any) -> dict[str, Any]:
        """Put the Certificate saveit-tls; a status of None takes a field away."""
        old = self.objects.get(("certificates", "saveit-tls"), {})
        metadata = {**old.get("metadata", {"generation": 1}), "name": "saveit-tls"}
        merged = {
            key: value for key, value in {**old.get("status", {}), **status}.items() if value is not None
        }
        issuer = {"kind": "ClusterIssuer", "name": "letsencrypt"}
        body = {
            "metadata": metadata,
            "spec": {"secretName": "saveit-tls", "issuerRef": issuer, **(spec or {})},
        }
        return self.put("certificates", {**body, "status": merged})

    def secret(
        self, certificate: Issued, key: Issued | None = None, name: str = "saveit-tls"
    ) -> dict[str, Any]:
        data = {"tls.crt": encoded(certificate.pem), "tls.key": encoded((key or certificate).key_pem)}
        return self.put("secrets", {"metadata": {"name": name}, "type": "kubernetes.io/tls", "data": data})

    def is_issuing(self) -> bool:
        conditions = self.objects["certificates", "saveit-tls"].get("status", {}).get("conditions", [])
        return any(each["type"] == "Issuing" and each["status"] == "True" for each in conditions)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def refused(status: int, reason: str, message: str, details: Mapping[str, Any] | None = None) -> ApiError:
    return ApiError(f"{status} {reason}: {message}", status, {"reason": reason, "details": details or {}})


def condition(type_: str, status: bool, reason: str, message: str = "a message") -> dict[str, Any]:
    return {
        "type": type_, "status": str(status), "reason": reason, "message": message,
        "lastTransitionTime": day(time.time()),
    }  # fmt: skip


@pytest.fixture(name="condition")
def condition_fixture() -> Callable[..., dict[str, Any]]:
    return condition


@pytest.fixture
def cluster() -> Cluster:
    """With a Certificate that is ready, and no secret."""
    cluster = Cluster()
    cluster.certificate(conditions=[condition("Ready", True, "Ready")], revision=1)
    return cluster


@pytest.fixture
def succeed(good: Issued) -> Callable[..., Act]:
    """A cert-manager that issues at once, or that puts another certificate into the secret."""

    def succeed(issued: Issued = good) -> Act:
        def act(cluster: Cluster) -> None:
            if cluster.is_issuing():
                cluster.secret(issued)
                ready = [condition("Ready", True, "Ready")]
                cluster.certificate(conditions=ready, revision=2, lastFailureTime=None)

        return act

    return succeed


@pytest.fixture
def fail() -> Act:
    """A cert-manager whose issuer refuses."""

    def act(cluster: Cluster) -> None:
        if not cluster.is_issuing():
            return
        failed = condition("Issuing", False, "Failed", "The certificate request has failed")
        ready = condition("Ready", False, "Expired", "it expired")
        time_ = day(cluster.time)
        cluster.certificate(conditions=[ready, failed], lastFailureTime=time_, failedIssuanceAttempts=1)
        owner = {"uid": cluster.objects["certificates", "saveit-tls"]["metadata"]["uid"]}
        why = {"type": "Ready", "status": "False", "reason": "Failed", "message": "the order is invalid"}
        metadata = {"name": "saveit-tls-2", "uid": "request", "ownerReferences": [owner]}
        cluster.put("certificaterequests", {"metadata": metadata, "status": {"conditions": [why]}})
        order = {"name": "saveit-tls-2-1", "ownerReferences": [{"uid": "request"}]}
        cluster.put("orders", {"metadata": order, "status": {"state": "invalid", "reason": "DNS problem"}})

    return act
