# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interlock document of a namespace: an annotation of one Lease object, changed by its resourceVersion.

One object for all services, as only one object can be compared and swapped at once, and a remedy may lease
several services. Its spec says the same in the words of coordination.k8s.io/v1, for `kubectl get lease`.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import _interlock_document as documents
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, iso
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import ApiError

NAME = "saveit-remediate"
ANNOTATION = "saveit-remediate/interlock"
_ABSENT = ""


def load(parameters: Mapping[str, Any], carrier: Carrier) -> tuple[str | None, str, float]:
    """As in _interlock_compose. A Lease of this name without our annotation is not ours, and unreadable."""
    cluster = carrier.cluster(parameters)
    try:
        found = cluster.get("leases", NAME)
    except ApiError as error:
        if error.status != 404:
            raise
        return None, _ABSENT, server_time(cluster.date, carrier)
    metadata = found["metadata"]
    text = (metadata.get("annotations") or {}).get(ANNOTATION, "")
    return text, metadata["resourceVersion"], server_time(cluster.date, carrier)


def server_time(date: str, carrier: Carrier) -> float:
    """The clock that all controllers share: the header Date, in whole seconds; else that of this machine."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):  # TypeError for an empty one, until Python 3.9
        return carrier.now()


def save(parameters: Mapping[str, Any], carrier: Carrier, text: str, version: str) -> bool:
    """As in _interlock_compose."""
    cluster = carrier.cluster(parameters)
    metadata = {"name": NAME, "annotations": {ANNOTATION: text}}
    body = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": _spec(text),
    }
    try:
        if version == _ABSENT:
            cluster.create("leases", body)
        else:
            metadata["resourceVersion"] = version
            cluster.replace("leases", NAME, body)
    except ApiError as error:
        if error.status in (404, 409):  # removed, changed, or made, by somebody else meanwhile
            return False
        raise
    return True


def name_of(parameters: Mapping[str, Any]) -> str:
    """What the document is about, for sentences."""
    return str(parameters["namespace"])


def _spec(text: str) -> dict[str, Any]:
    """Who holds it, or holds it longest; the API refuses times without six decimals."""
    leases = documents.read(text)["leases"].values()
    if not leases:
        return {}  # an empty holderIdentity is refused, and an absent one is nobody
    last = max(leases, key=lambda each: documents.seconds(each["expires"]))
    renewed = documents.seconds(last["renewed"])
    return {
        "holderIdentity": last["holder"],
        "acquireTime": _time(documents.seconds(last["since"])),
        "renewTime": _time(renewed),
        "leaseDurationSeconds": max(1, round(documents.seconds(last["expires"]) - renewed)),
    }


def _time(seconds: float) -> str:
    return iso(seconds, "microseconds").replace("+00:00", "Z")
