"""cert-manager: a Certificate gets its secret, is renewed when asked, and tells when the issuer refuses.

The certificates are real ones, signed by an authority of the stand-in. What its issuer does is
`world.issuance`.
"""

from __future__ import annotations

import base64
import math
from datetime import UTC, datetime, timedelta

from standin import defaults, tls
from standin.clock import stamp
from standin.controllers.certificate_conditions import condition, seconds_of, set_condition
from standin.controllers.events import record
from standin.controllers.pods import owner_reference
from standin.kinds import Json
from standin.store import copied
from standin.world import World

CERTIFICATES, REQUESTS, ORDERS = (
    "certificates.cert-manager.io", "certificaterequests.cert-manager.io", "orders.acme.cert-manager.io",
)  # fmt: skip
TAKES = 1.0  # seconds of the cluster until an issuer has answered
BACK_OFF = 3600.0  # seconds after a failure; a manual renewal does not wait for it
TEMPORARY = "cert-manager.io/issue-temporary-certificate"
REFUSED = 'Failed to wait for order resource "{order}" to become ready: order is in "invalid" state: '


class CertManager:
    """`asked`: since when a request is open, by the certificate's uid."""

    def __init__(self) -> None:
        self.authority: tls.Pair | None = None
        self.asked: dict[str, float] = {}
        self.failed: dict[str, float] = {}
        self.count = 0

    def step(self, world: World) -> float:
        if "cert-manager.io" in world.missing_groups:
            return math.inf
        return min(
            (self._sync(world, copied(each)) for each in world.store.peek(CERTIFICATES)), default=math.inf
        )

    def _sync(self, world: World, each: Json) -> float:
        metadata, now = each["metadata"], world.clock.now()
        uid = metadata["uid"]
        secret = world.store.get("secrets", metadata["namespace"], each["spec"]["secretName"])
        issuing = condition(each, "Issuing")
        if issuing.get("status") == "True":
            return self._issue(world, each, secret, now)
        temporary = (
            secret is not None
            and secret["metadata"].get("annotations", {}).get("standin/temporary") == "true"
        )
        if secret is None or temporary or not condition(each, "Ready"):
            left = self.failed.get(uid, -BACK_OFF) + BACK_OFF - now
            if left > 0 and issuing.get("reason") == "Failed":
                return left
            message = "Issuing certificate as Secret does not exist"
            set_condition(each, "Ready", "False", "DoesNotExist", message)
            set_condition(each, "Issuing", "True", "DoesNotExist", message)
            world.store.put(CERTIFICATES, each)
            record(world, each, "Normal", "Issuing", message, "cert-manager-certificates-trigger")
            return 0
        return math.inf

    def _issue(self, world: World, each: Json, secret: Json | None, now: float) -> float:
        uid, name = each["metadata"]["uid"], each["metadata"]["name"]
        began = self.asked.get(uid)
        if began is None:
            self.asked[uid] = now
            self.count += 1
            each.setdefault("status", {})["nextPrivateKeySecretName"] = f"{name}-{defaults.suffix()}"
            world.store.put(CERTIFICATES, each)
            self._request(world, each)
            if secret is None and each["metadata"].get("annotations", {}).get(TEMPORARY) == "true":
                self._secret(world, each, temporary=True)
            return 0
        if world.issuance == "hangs":
            return math.inf
        if now - began < TAKES:
            return began + TAKES - now
        del self.asked[uid]
        if world.issuance == "fails":
            self.failed[uid] = now
            self._refuse(world, each)
        else:
            self._deliver(world, each)
        return 0

    def _deliver(self, world: World, each: Json) -> None:
        begin, end = self._secret(world, each, temporary=False)
        status = each["status"]
        for gone in ("nextPrivateKeySecretName", "lastFailureTime", "failedIssuanceAttempts"):
            status.pop(gone, None)
        before = seconds_of(each["spec"].get("renewBefore", ""), (end - begin).total_seconds() / 3)
        status |= {
            "notBefore": stamp(begin),
            "notAfter": stamp(end),
            "renewalTime": stamp(end - timedelta(seconds=before)),
            "revision": status.get("revision", 0) + 1,
        }
        status["conditions"] = [one for one in status["conditions"] if one["type"] != "Issuing"]
        set_condition(each, "Ready", "True", "Ready", "Certificate is up to date and has not expired")
        self._settle(world, each, "True", "Issued", "Certificate fetched from issuer successfully", "valid")
        world.store.put(CERTIFICATES, each)
        said = "The certificate has been successfully issued"
        record(world, each, "Normal", "Issuing", said, "cert-manager-certificates-issuing")

    def _refuse(self, world: World, each: Json) -> None:
        order = self._order_name(each)
        why = REFUSED.format(order=order)
        self._settle(world, each, "False", "Failed", why, "invalid")
        status = each["status"]
        status.pop("nextPrivateKeySecretName", None)
        status |= {
            "lastFailureTime": stamp(),
            "failedIssuanceAttempts": status.get("failedIssuanceAttempts", 0) + 1,
        }
        said = f"The certificate request has failed to complete and will be retried: {why}"
        set_condition(each, "Issuing", "False", "Failed", said)
        world.store.put(CERTIFICATES, each)
        record(world, each, "Warning", "Failed", said, "cert-manager-certificates-issuing")

    def _request_name(self, each: Json) -> str:
        return f"{each['metadata']['name']}-{each['status'].get('revision', 0) + 1}"

    def _order_name(self, each: Json) -> str:
        return f"{self._request_name(each)}-{1_000_000_000 + self.count}"

    def _request(self, world: World, each: Json) -> None:
        """A CertificateRequest, and the Order of an ACME issuer. One that failed before is replaced."""
        metadata, name = each["metadata"], self._request_name(each)
        world.store.remove(REQUESTS, metadata["namespace"], name)
        labels = {"cert-manager.io/certificate-name": metadata["name"]}
        annotations = {
            "cert-manager.io/certificate-name": metadata["name"],
            "cert-manager.io/certificate-revision": name.rpartition("-")[2],
        }
        order = f"{metadata['namespace']}/{self._order_name(each)}"
        pending: Json = {
            "type": "Ready",
            "status": "False",
            "reason": "Pending",
            "lastTransitionTime": stamp(),
            "message": f'Waiting on certificate issuance from order {order}: "pending"',
        }
        request = world.store.put(
            REQUESTS,
            {
                "apiVersion": "cert-manager.io/v1",
                "kind": "CertificateRequest",
                "metadata": {
                    "name": name,
                    "namespace": metadata["namespace"],
                    "generation": 1,
                    "annotations": annotations,
                    "labels": labels,
                    "ownerReferences": [owner_reference(each)],
                },
                "spec": {
                    "issuerRef": each["spec"]["issuerRef"],
                    "request": base64.b64encode(b"request").decode(),
                },
                "status": {"conditions": [pending]},
            },
        )
        world.store.put(
            ORDERS,
            {
                "apiVersion": "acme.cert-manager.io/v1",
                "kind": "Order",
                "metadata": {
                    "name": self._order_name(each),
                    "namespace": metadata["namespace"],
                    "generation": 1,
                    "annotations": annotations,
                    "ownerReferences": [owner_reference(request)],
                },
                "spec": {
                    "issuerRef": each["spec"]["issuerRef"],
                    "dnsNames": each["spec"].get("dnsNames", []),
                    "request": base64.b64encode(b"request").decode(),
                },
                "status": {"state": "pending", "url": "https://acme.example.org/order/1"},
            },
        )
        said = f'Created new CertificateRequest resource "{name}"'
        record(world, each, "Normal", "Requested", said, "cert-manager-certificates-request-manager")

    def _settle(self, world: World, each: Json, ready: str, reason: str, message: str, state: str) -> None:
        namespace = each["metadata"]["namespace"]

        def answer(request: Json) -> None:
            set_condition(request, "Ready", ready, reason, message)
            if ready == "False":
                request["status"]["failureTime"] = stamp()

        def order(item: Json) -> None:
            item["status"]["state"] = state
            if state == "invalid":
                item["status"] |= {
                    "failureTime": stamp(),
                    "reason": "Failed to finalize Order: 429 urn:ietf:params:acme:error:rateLimited: "
                    "too many certificates already issued for this exact set of domains",
                }

        world.store.change(REQUESTS, namespace, self._request_name_at(each, state), answer)
        world.store.change(
            ORDERS, namespace, f"{self._request_name_at(each, state)}-{1_000_000_000 + self.count}", order
        )

    def _request_name_at(self, each: Json, state: str) -> str:
        """`_deliver` has already counted the revision up."""
        revision = each["status"].get("revision", 0) + (0 if state == "valid" else 1)
        return f"{each['metadata']['name']}-{revision}"

    def _secret(self, world: World, each: Json, *, temporary: bool) -> tuple[datetime, datetime]:
        self.authority = self.authority or tls.issue("standin issuer")
        names = each["spec"].get("dnsNames") or [each["metadata"]["name"]]
        seconds = seconds_of(each["spec"].get("duration", ""), 90 * 86400)
        pair = tls.issue(names[0], by=self.authority, valid_days=seconds / 86400)
        annotations = {"cert-manager.io/certificate-name": each["metadata"]["name"]}
        if temporary:
            annotations["standin/temporary"] = "true"
        data = {"tls.crt": pair.pem, "tls.key": pair.key_pem, "ca.crt": self.authority.pem}
        namespace, name = each["metadata"]["namespace"], each["spec"]["secretName"]
        world.store.put("secrets", {
            "kind": "Secret", "apiVersion": "v1",
            "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
            "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
            "type": "kubernetes.io/tls",
        })  # fmt: skip
        return datetime.now(UTC), pair.certificate.not_valid_after_utc
