# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put back what a renewal changed on Kubernetes: the annotation of a Certificate, a deleted secret."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate as objects,
)
from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate_issue as issue,
)
from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate_look as looks,
)
from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate_secret as secrets,
)
from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_secret_removal as removal,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_served import wanted_names
from ansible_collections.saveit.remediation.plugins.module_utils._changes import Intent
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import Cluster
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result

_MODULE = "certificate_renewal"


def annotation_intent(service: str, certificate: str) -> Intent:
    """What is recorded before a Certificate is annotated."""
    what = f"the annotation {objects.TEMPORARY} of certificates/{certificate}"
    own = {"service": service, "put_back": [{"certificate": certificate}]}
    return Intent(service, "certificate", what, "none", "true", _MODULE, own)


def secret_intent(service: str, name: str, saved: str) -> Intent:
    """What is recorded before a secret is deleted; its data is only in the copy."""
    own = {"service": service, "put_back": [{"secret": name, "saved": saved}]}
    what = f"secrets/{name}, saved as {saved}"
    return Intent(service, "secret", what, "there", "deleted, to be made anew", _MODULE, own)


def put_back(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Raises FailedError for a `put_back` that no renewal returned, and what the API says."""
    entry, cluster = parameters["put_back"][0], carrier.cluster(parameters)
    if entry.get("certificate"):
        return _annotation(cluster, carrier, str(entry["certificate"]))
    if entry.get("secret") and entry.get("saved"):
        return _secret(parameters, carrier, cluster, str(entry["secret"]), str(entry["saved"]))
    raise FailedError("cannot put back the certificate: put_back is not what a renewal returned")


def _annotation(cluster: Cluster, carrier: Carrier, name: str) -> Result:
    issuance, without = looks.read_issuance(cluster, name)
    if issuance is None:
        return _told("unchanged", f"the annotation is not taken away: {without}", over=True)
    if not issuance.temporary:
        return _told("unchanged", f"the Certificate {name} asks for no temporary one any more", over=True)
    diff = {"before": f"{objects.TEMPORARY}: true\n", "after": ""}
    if carrier.check_mode:
        return _told("planned", f"would take {objects.TEMPORARY} from the Certificate {name}", True, diff)

    def write(now: objects.Issuance) -> Mapping[str, Any]:
        return cluster.patch("certificates", now.name, objects.not_temporary_patch(now))

    issue.change(cluster, issuance, lambda now: not now.temporary, lambda _now: "", write)
    return _told("put-back", f"took {objects.TEMPORARY} from the Certificate {name}", True, diff)


def _secret(
    parameters: Mapping[str, Any], carrier: Carrier, cluster: Cluster, name: str, saved: str
) -> Result:
    """Create it again where it is missing, remove the copy where it is not needed, else leave both."""
    copy, present = looks.read_secret(cluster, saved), looks.read_secret(cluster, name)
    if copy is None:
        there = "is there" if present else "is not there either"
        return _told("unchanged", f"the copy {saved} has gone; the secret {name} {there}", over=True)
    if (copy["metadata"].get("annotations") or {}).get(secrets.SAVED_FROM) != name:
        return _told("unchanged", f"{saved} is no copy of the secret {name} that we made, and is left alone")
    if present is None:
        did, diff = f"the secret {name} as it was, from {saved}", {"before": "", "after": f"secrets/{name}\n"}
        if carrier.check_mode:
            return _told("planned", f"would create {did}", True, diff)
        cluster.create("secrets", secrets.from_copy(copy, name))
        removal.delete(cluster, copy, name)
        return _told("put-back", f"created {did}, and removed that", True, diff)
    names, now = wanted_names(parameters), carrier.now()
    pair = secrets.read_pair(present, f"the secret {name}", names, parameters, now)
    if present.get("data") != copy.get("data") and (pair.problems or not secrets.is_usable(pair)):
        why = "; ".join(each.sentence for each in pair.problems)
        how = secrets.how_to_put_back(saved, name)
        return _told("unchanged", f"the secret {name} is there again, and somebody else's: {why}; {how}")
    did, diff = (
        f"the copy {saved}, as the secret {name} is there",
        {"before": f"secrets/{saved}\n", "after": ""},
    )
    if carrier.check_mode:
        return _told("planned", f"would remove {did}", True, diff)
    removal.delete(cluster, copy, name)
    return _told("put-back", f"removed {did}", True, diff)


def _told(verdict: str, sentence: str, over: bool = False, diff: Mapping[str, str] | None = None) -> Result:
    returned: dict[str, Any] = {"stored": None, "kept": [], "change_id": "", "over": over}
    return Result(verdict, sentence, changed=verdict != "unchanged", diff=diff, returned=returned)
