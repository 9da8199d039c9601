"""A site with a certificate: its secret, cert-manager's Certificate where there is one, and the edge."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edge import Edge
from standin import tls

if TYPE_CHECKING:
    from standin.cluster import Cluster
    from standin.command import Done
    from standin.kinds import Json

NAME = "saveit-tls"


@dataclass
class Site:
    """A cluster with an edge in front of it, whose clients trust `authority` and cert-manager's issuer."""

    cluster: Cluster
    edge: Edge
    authority: tls.Pair
    ca_file: Path

    def trust(self) -> None:
        """The issuer too, whose certificate cert-manager puts into the secret."""
        held = base64.b64decode(self.cluster.get("secrets", NAME)["data"]["ca.crt"]).decode()
        self.ca_file.write_text(self.authority.pem + held)

    def put(self, pair: tls.Pair, key: tls.Pair | None = None) -> None:
        """Into the secret."""
        data = {"tls.crt": encoded(pair.pem), "tls.key": encoded((key or pair).key_pem)}
        metadata = {"name": NAME}
        self.cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": metadata,
                "type": "kubernetes.io/tls",
                "data": data,
            }
        )

    def status(self, **fields: Any) -> None:
        """Of the Certificate, as cert-manager would write it."""
        self.cluster.patch("certificates", NAME, {"status": fields}, subresource="status")

    def expire(self) -> None:
        self.put(tls.issue("edge", by=self.authority, valid_days=-1))
        ended = datetime.now(UTC) - timedelta(days=1)
        self.status(notAfter=ended.strftime("%Y-%m-%dT%H:%M:%SZ"), conditions=[not_ready("Expired")])

    def certificate(self) -> Json:
        return self.cluster.get("certificates", NAME)

    def key(self) -> str:
        held: str = self.cluster.get("secrets", NAME)["data"]["tls.key"]
        return held

    def saved(self) -> list[Json]:
        prefix = f"{NAME}-saved-"
        return [each for each in self.cluster.list("secrets") if each["metadata"]["name"].startswith(prefix)]

    def diagnose(self, *more: str) -> Done:
        return self.remediate("--check", *more)

    def remediate(self, *more: str) -> Done:
        return self.cluster.command("--incident", "certificate", "--yes", "--json", *more)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def not_ready(reason: str) -> Json:
    return {
        "type": "Ready", "status": "False", "reason": reason, "message": reason,
        "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }  # fmt: skip


def is_ready(certificate: Json) -> bool:
    conditions = {
        each["type"]: each["status"] for each in certificate.get("status", {}).get("conditions", [])
    }
    return conditions.get("Ready") == "True" and conditions.get("Issuing") != "True"


@pytest.fixture
def site(cluster: Cluster, tmp_path: Path) -> Iterator[Site]:
    """No Certificate and no secret yet."""
    ca_file, edge = tmp_path / "trusted.pem", Edge(cluster, tmp_path, NAME)
    authority = tls.issue("an authority of the test")
    ca_file.write_text(authority.pem)
    cluster.variables |= {
        "certificate_endpoint": edge.endpoint, "certificate_ca_file": str(ca_file),
        "certificate_renewal_timeout_seconds": 60, "ladder_hold_seconds": 0.2,
    }  # fmt: skip
    yield Site(cluster, edge, authority, ca_file)
    edge.close()


@pytest.fixture
def issued(site: Site) -> Site:
    """With a certificate that cert-manager has issued."""
    site.cluster.need("cert-manager")
    if site.cluster.is_real:
        _make_issuer(site)
    spec = {
        "secretName": NAME, "dnsNames": ["localhost"], "ipAddresses": ["127.0.0.1"], "duration": "2160h0m0s",
        "issuerRef": {"name": "saveit", "kind": "Issuer", "group": "cert-manager.io"},
    }  # fmt: skip
    site.cluster.apply(
        {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": NAME}, "spec": spec}
    )
    site.cluster.wait(lambda: is_ready(site.certificate()), "the first certificate is issued")
    site.trust()
    return site


def _make_issuer(site: Site) -> None:
    """On a real cluster: one that signs with the authority of the test."""
    data = {"tls.crt": encoded(site.authority.pem), "tls.key": encoded(site.authority.key_pem)}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "saveit-ca"}, "data": data}
    site.cluster.apply({**secret, "type": "kubernetes.io/tls"})
    body = {
        "apiVersion": "cert-manager.io/v1", "kind": "Issuer", "metadata": {"name": "saveit"},
        "spec": {"ca": {"secretName": "saveit-ca"}},
    }  # fmt: skip
    path = f"/apis/cert-manager.io/v1/namespaces/{site.cluster.namespace}/issuers"
    site.cluster.client.call("POST", path, body)


@pytest.fixture
def expired(issued: Site) -> Site:
    """With an expired certificate in the secret, which a real cert-manager would replace at once."""
    issued.cluster.need("recorded-state")
    issued.expire()
    return issued
