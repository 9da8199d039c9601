# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate on Kubernetes, read only: cert-manager's objects, and the secret that is served."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate as objects,
)
from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate_secret as secrets,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._certificate import day, span
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_pair import Pair, Stored
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import ApiError, Cluster
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    Evidence,
    Finding,
    ObstacleError,
)

FORBIDDEN = "cluster-forbidden"
SLOW = 60  # seconds; cert-manager makes the request of an issuance within a few
MISSED = "its Ingress names another secret, or the ingress controller has not taken it up"


def look(parameters: Mapping[str, Any], carrier: Carrier, names: Sequence[str]) -> Stored:
    """What the Certificate and the secret say. Raises ObstacleError when the cluster does not tell."""
    cluster, now = carrier.cluster(parameters), carrier.now()
    issuance, without = read_issuance(cluster, parameters["certificate_name"])
    name = name_of_secret(parameters, issuance)
    pair, why_none = _read_pair(cluster, name, names, parameters, now)
    said = why(cluster, issuance) if issuance and issuance.word in ("issuing", "failed") else ""
    state = issuance_sentence(issuance, said, now) if issuance else without
    return Stored(
        f"the secret {name}",
        pair,
        why_none,
        MISSED,
        aside=None if issuance else _unmanaged(name, f"{without}{_holds(name, pair, now)}"),
        findings=_findings(issuance, pair, state),
        evidence=[Evidence(f"{parameters['service']}.issuance", issuance.word if issuance else None, state)],
        returned={"issuance": issuance.as_return() if issuance else None, "secret": name},
    )


def read_issuance(cluster: Cluster, name: str) -> tuple[objects.Issuance | None, str]:
    """The Certificate of this name, or None and the sentence why there is none."""
    try:
        return objects.read(cluster.get("certificates", name)), ""
    except ObstacleError as error:
        if error.id != FORBIDDEN:
            raise
        return None, str(error)
    except ApiError as error:
        if error.status != 404:
            raise
        known = isinstance(error.body, Mapping) and (error.body.get("details") or {}).get("name")
        if known:
            return None, (
                f"{cluster.name} has no Certificate {name} (certificate_resource_name, in the inventory)"
            )
        return None, f"{cluster.name} has no cert-manager"


def read_secret(cluster: Cluster, name: str) -> Mapping[str, Any] | None:
    """The secret with its private key, or None when there is no such secret. Raises ObstacleError."""
    try:
        found: Mapping[str, Any] = cluster.get("secrets", name)
    except ApiError as error:
        if error.status != 404:
            raise
        return None
    return found


def name_of_secret(parameters: Mapping[str, Any], issuance: objects.Issuance | None) -> str:
    """The one that is given, or the Certificate names, or that has the Certificate's own name."""
    named: str = parameters["secret_name"] or (issuance.secret_name if issuance else "")
    return named or str(parameters["certificate_name"])


def newest(cluster: Cluster, issuance: objects.Issuance) -> Mapping[str, Any] | None:
    """The last CertificateRequest; None where there is none, or it may not be read."""
    return objects.newest_request(_list(cluster, "certificaterequests"), issuance)


def why(cluster: Cluster, issuance: objects.Issuance) -> str:
    """What the last CertificateRequest and its Order say."""
    request = newest(cluster, issuance)
    orders = _list(cluster, "orders") if request else []
    return objects.told(request, objects.order_of(orders, request) if request else None)


def issuance_sentence(issuance: objects.Issuance, said: str, now: float) -> str:
    """Where the issuance stands, why, and when cert-manager goes on by itself."""
    name, issuing = f"the Certificate {issuance.name}", issuance.issuing
    if issuance.is_issuing and issuing:
        lasts = max(0.0, now - issuing.since) if issuing.since else 0.0
        nobody = "; no CertificateRequest of it is seen, does cert-manager run?" if lasts > SLOW else ""
        more = f"; {said}" if said else nobody
        return f"an issuance of {name} has been under way for {span(lasts)} ({issuing.reason}){more}"
    if issuance.has_failed and issuance.last_failure:
        message = issuing.message if issuing else ""
        told = said or message or "no reason is given"  # the message only repeats that of the request
        row = f", the {issuance.attempts}th in a row" if issuance.attempts > 3 else ""
        again = "tries" if now < issuance.backoff_ends else "should have tried"
        return (
            f"the last issuance of {name} failed at {day(issuance.last_failure)}{row}: {told}; "
            f"cert-manager {again} again at {day(issuance.backoff_ends)}"
        )
    if issuance.ready is None:
        return f"{name} has no status: cert-manager has not looked at it, does it run?"
    is_ready = "is ready" if issuance.ready.status else f"is not ready ({issuance.ready.reason})"
    return f"{name} {is_ready}: {issuance.ready.message}"


def _read_pair(
    cluster: Cluster, name: str, names: Sequence[str], parameters: Mapping[str, Any], now: float
) -> tuple[Pair | None, str]:
    """Who may not read secrets still sees what is served, where an endpoint is known."""
    try:
        secret = read_secret(cluster, name)
    except ObstacleError as error:
        if error.id != FORBIDDEN or not parameters["endpoint"]:
            raise
        return None, str(error)
    return secrets.read_pair(secret, f"the secret {name}", names, parameters, now), ""


def _list(cluster: Cluster, kind: str) -> Sequence[Mapping[str, Any]]:
    """Nothing where the kind is unknown or may not be listed: it would only say more."""
    try:
        return cluster.list(kind)
    except ObstacleError as error:
        if error.id != FORBIDDEN:
            raise
    except ApiError as error:
        if error.status != 404:
            raise
    return []


def _findings(issuance: objects.Issuance | None, pair: Pair | None, state: str) -> list[Finding]:
    """A renewal under way is no fault while the certificate is good, a failed one is."""
    if issuance is None or issuance.word == "ready":
        return []
    is_good = pair is not None and not pair.problems
    if issuance.word == "failed":
        return [Finding("certificate-issuance-failed", f"Certificate {issuance.name}", state)]
    if issuance.word == "issuing":
        return [] if is_good else [Finding("certificate-issuing", f"Certificate {issuance.name}", state)]
    # What is wrong with the certificate itself is a finding already, and why the Certificate is not ready.
    return [Finding("certificate-not-ready", f"Certificate {issuance.name}", state)] if is_good else []


def _unmanaged(name: str, sentence: str) -> Finding:
    return Finding("certificate-unmanaged", f"the secret {name}", sentence)


def _holds(name: str, pair: Pair | None, now: float) -> str:
    if pair is None or pair.certificate is None:
        return ""
    held = pair.certificate
    left = held.days_left(now)
    return f"; the secret {name} holds {held.subject}, by {held.issuer}, good for {left:.1f} days"
