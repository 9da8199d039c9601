# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cert-manager's objects as plain values: what a Certificate, its requests and their orders say. Pure.

The rules are cert-manager's own: https://cert-manager.io/docs/usage/certificate/ and, for the back-off,
https://cert-manager.io/docs/faq/#what-happens-if-issuance-fails-will-it-be-retried
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._certificate import day
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

TEMPORARY = "cert-manager.io/issue-temporary-certificate"  # an annotation of the Certificate
_OF_CERTIFICATE = "cert-manager.io/certificate-name"  # annotations of a CertificateRequest
_OF_REVISION = "cert-manager.io/certificate-revision"
_ASKED = "saveit-remediate asked for a new certificate"
_LONGEST_BACKOFF = 32  # hours
_HOUR = 3600


@dataclass(frozen=True)
class Condition:
    """One condition; `status` is None for "Unknown", `since` is in seconds since the epoch."""

    status: bool | None
    reason: str
    message: str
    since: float | None


@dataclass(frozen=True)
class Issuance:
    """A Certificate object and how far its issuance is; times are in seconds since the epoch."""

    name: str
    uid: str
    version: str  # the resourceVersion it was read at
    generation: int
    secret_name: str
    issuer: str
    ready: Condition | None
    issuing: Condition | None
    revision: int | None
    not_after: float | None
    renewal_time: float | None
    last_failure: float | None
    attempts: int
    temporary: bool  # whether it asks for a temporary certificate
    conditions: tuple[Mapping[str, Any], ...] = ()

    @property
    def is_issuing(self) -> bool:
        """Whether an issuance is under way."""
        return self.issuing is not None and self.issuing.status is True

    @property
    def is_asked_by_us(self) -> bool:
        """Whether it was this tool that asked for the issuance under way."""
        return self.is_issuing and self.issuing is not None and self.issuing.message == _ASKED

    @property
    def has_failed(self) -> bool:
        """Whether the last issuance failed; cert-manager takes the time away when one succeeds."""
        return self.last_failure is not None and not self.is_issuing

    @property
    def backoff_ends(self) -> float:
        """Before this cert-manager does not try again by itself: 1 h, then 2, 4 … 32; 0 without a failure."""
        if self.last_failure is None:
            return 0
        hours: int = min(1 << min(max(self.attempts, 1) - 1, 8), _LONGEST_BACKOFF)
        return self.last_failure + hours * _HOUR

    @property
    def word(self) -> str:
        """In one word: issuing, failed, ready or not-ready."""
        if self.is_issuing:
            return "issuing"
        if self.has_failed:
            return "failed"
        return "ready" if self.ready and self.ready.status else "not-ready"

    def as_return(self) -> dict[str, Any]:
        """Plain data for a module's return value."""
        return {
            "name": self.name,
            "issuer": self.issuer,
            "state": self.word,
            "ready": self.ready.status if self.ready else None,
            "issuing": self.is_issuing,
            "message": self.ready.message if self.ready else "",
            "revision": self.revision,
            "not_after": _day(self.not_after),
            "renewal_time": _day(self.renewal_time),
            "last_failure_time": _day(self.last_failure),
            "failed_attempts": self.attempts,
            "backoff_ends": _day(self.backoff_ends or None),
        }


def read(certificate: Mapping[str, Any]) -> Issuance:
    """A Certificate as the API server gives it; fields that are absent are not known, or zero."""
    metadata, spec = certificate["metadata"], certificate.get("spec") or {}
    status = certificate.get("status") or {}
    issuer = spec.get("issuerRef") or {}
    conditions = tuple(status.get("conditions") or ())
    return Issuance(
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        version=metadata.get("resourceVersion", ""),
        generation=metadata.get("generation", 0),
        secret_name=spec.get("secretName", ""),
        issuer=f"{issuer.get('kind', 'Issuer')} {issuer.get('name', '')}",
        ready=_condition(conditions, "Ready"),
        issuing=_condition(conditions, "Issuing"),
        revision=status.get("revision"),
        not_after=_seconds(status.get("notAfter")),
        renewal_time=_seconds(status.get("renewalTime")),
        last_failure=_seconds(status.get("lastFailureTime")),
        attempts=status.get("failedIssuanceAttempts") or 0,
        temporary=(metadata.get("annotations") or {}).get(TEMPORARY) == "true",
        conditions=conditions,
    )


def issue_patch(issuance: Issuance, now: float) -> dict[str, Any]:
    """The merge patch of the status that has cert-manager renew, if nobody has changed the object since.

    A merge patch replaces a list as a whole, so the other conditions are in it.
    """
    issuing = {
        "type": "Issuing",
        "status": "True",
        "reason": "ManuallyTriggered",
        "message": _ASKED,
        "lastTransitionTime": day(now),
        "observedGeneration": issuance.generation,
    }
    others = [dict(each) for each in issuance.conditions if each.get("type") != "Issuing"]
    return {
        "metadata": {"resourceVersion": issuance.version},
        "status": {"conditions": [*others, issuing]},
    }


def temporary_patch(issuance: Issuance) -> dict[str, Any]:
    """The merge patch that asks for a temporary certificate, if nobody has changed the object since."""
    return {"metadata": {"resourceVersion": issuance.version, "annotations": {TEMPORARY: "true"}}}


def not_temporary_patch(issuance: Issuance) -> dict[str, Any]:
    """The merge patch that takes this back, if nobody has changed the object since."""
    return {"metadata": {"resourceVersion": issuance.version, "annotations": {TEMPORARY: None}}}


def ended(before: Issuance, now: Issuance) -> str:
    """How the issuance that was asked for at `before` ended: "issued", "failed", or "" while it goes on."""
    if now.last_failure is not None and now.last_failure != before.last_failure:
        return "failed"
    if now.is_issuing:
        return ""
    if now.issuing is not None and now.issuing != before.issuing and now.issuing.reason == "Failed":
        return "failed"
    newer = (now.revision or 0) > (before.revision or 0) or (now.not_after or 0) > (before.not_after or 0)
    return "issued" if newer and now.ready is not None and now.ready.status else ""


def newest_request(requests: Sequence[Mapping[str, Any]], issuance: Issuance) -> Mapping[str, Any] | None:
    """The CertificateRequest of this Certificate with the highest revision, or the latest one."""
    own = [each for each in requests if _belongs(each, issuance)]
    return max(own, key=_age, default=None)


def order_of(orders: Sequence[Mapping[str, Any]], request: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The ACME order that was made for this request; None with an issuer that is not ACME."""
    uid = request["metadata"].get("uid")
    own = [
        each
        for each in orders
        if any(owner.get("uid") == uid for owner in each["metadata"].get("ownerReferences") or ())
    ]
    return max(own, key=_age, default=None)


def attempted_at(request: Mapping[str, Any] | None) -> float | None:
    """When the issuer was asked last."""
    return _seconds(request["metadata"].get("creationTimestamp")) if request else None


def told(request: Mapping[str, Any] | None, order: Mapping[str, Any] | None) -> str:
    """What the request and its order say of themselves; "" when there is none."""
    said = []
    if request:
        status = request.get("status") or {}
        wrong = [each for each in status.get("conditions") or () if _stands_in_the_way(each)]
        what = "; ".join(f"{each.get('reason', '')}: {_line(each.get('message'))}" for each in wrong)
        said.append(f"CertificateRequest {request['metadata']['name']} says {what or 'nothing yet'}")
    if order:
        status = order.get("status") or {}
        state, why = status.get("state") or "new", _line(status.get("reason"))
        said.append(f"Order {order['metadata']['name']} is {state}{f': {why}' if why else ''}")
    return "; ".join(said)


def _condition(conditions: Sequence[Mapping[str, Any]], type_: str) -> Condition | None:
    found = next((each for each in conditions if each.get("type") == type_), None)
    if found is None:
        return None
    status = {"True": True, "False": False}.get(found.get("status", ""))
    since = _seconds(found.get("lastTransitionTime"))
    return Condition(status, found.get("reason", ""), _line(found.get("message")), since)


def _belongs(request: Mapping[str, Any], issuance: Issuance) -> bool:
    metadata = request["metadata"]
    owners = metadata.get("ownerReferences") or ()
    named = (metadata.get("annotations") or {}).get(_OF_CERTIFICATE) == issuance.name
    return named or any(owner.get("uid") == issuance.uid for owner in owners)


def _age(each: Mapping[str, Any]) -> tuple[int, float]:
    metadata = each["metadata"]
    revision = (metadata.get("annotations") or {}).get(_OF_REVISION, "")
    return int(revision) if revision.isdigit() else 0, _seconds(metadata.get("creationTimestamp")) or 0


def _stands_in_the_way(condition: Mapping[str, Any]) -> bool:
    """Ready and Approved are good when they are True; Denied and InvalidRequest when they are not."""
    good = "True" if condition.get("type") in ("Ready", "Approved") else "False"
    return condition.get("status") != good


def _line(text: Any) -> str:
    return " ".join(str(text or "").split())[:400]


def _day(moment: float | None) -> str | None:
    return None if moment is None else day(moment)


def _seconds(text: str | None) -> float | None:
    return parse_time(text) if text else None
