# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certificate_info: what a TLS endpoint serves and what its files hold, and whether the two agree."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import _certificate_files
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._certificate import Certificate
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_limits import require_limits
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_pair import Stored
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_served import (
    Served,
    look_at_endpoint,
    wanted_names,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import Evidence, Finding, Result
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "service": {"type": "str", "default": "nginx"},
    "endpoint": {"type": "str", "default": ""},
    "server_name": {"type": "str", "default": ""},
    "names": {"type": "list", "elements": "str", "default": []},
    "ca_file": {"type": "path", "default": ""},
    "files_service": {"type": "str", "default": ""},
    "certificate_file": {"type": "str", "default": ""},
    "key_file": {"type": "str", "default": "", "no_log": False},
    "certificate_name": {"type": "str", "default": "saveit-tls"},
    "secret_name": {"type": "str", "default": "", "no_log": False},
    "renew_before_days": {"type": "float", "default": 30},
    "timeout_seconds": {"type": "float", "default": 5},
}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Shake hands, read what is stored, and say what is wrong; nothing is changed.

    Raises ObstacleError when there is nothing to look at, and FailedError when one of the options cannot be
    used.
    """
    require_limits(parameters)
    served = look_at_endpoint(parameters, carrier) if parameters["endpoint"] else None
    stored = _store(parameters).look(parameters, carrier, wanted_names(parameters))
    return _tell(parameters, carrier.now(), served, stored)


def _store(parameters: Mapping[str, Any]) -> ModuleType:
    """What reads the certificate that the platform keeps: look(parameters, carrier, names) -> Stored."""
    if parameters["platform"] == "compose":
        return _certificate_files
    return import_module(f"{__package__}._kubernetes_certificate_look")


def _tell(parameters: Mapping[str, Any], now: float, served: Served | None, kept: Stored) -> Result:
    service, pair = parameters["service"], kept.pair
    seen, stored = served.certificate if served else None, pair.certificate if pair else None
    findings = []
    where = f"{service} at {served.endpoint.named}" if served else service
    if served:
        what = "its certificate: " if served.chain else ""
        findings += [
            Finding(f"certificate-{each.word}", service, f"{where}: {what}{each.sentence}")
            for each in served.problems
        ]
    serves_it = None
    if pair:
        serves_it = seen.fingerprint == stored.fingerprint if seen and stored else None
        known = {each.word for each in served.problems} if served and serves_it else set()
        findings += [
            Finding(f"certificate-{each.word}", kept.where, f"{kept.where}: {each.sentence}")
            for each in pair.problems
            if each.word not in known
        ]
        if serves_it is False and not pair.problems and stored:
            missed = _not_served(where, kept, stored.days_left(now))
            findings.insert(0, Finding("certificate-not-reloaded", service, missed))
    findings += kept.findings
    words = [each.id.split("-", 1)[1] for each in findings]
    verdict = words[0] if words else "healthy"
    told = "; ".join(each.sentence for each in findings) or _good(service, served, stored, now)
    sentence = f"{told}; {kept.aside.sentence}" if kept.aside else told
    return Result(
        verdict,
        sentence,
        findings=[*findings, kept.aside] if kept.aside else findings,
        evidence=_evidence(service, now, served, kept, serves_it),
        returned={
            "served": seen.as_return(now) if seen else None,
            "chain": [each.subject for each in served.chain] if served else [],
            "stored": stored.as_return(now) if stored else None,
            "serves_file": serves_it,
            **kept.returned,
        },
    )


def _evidence(
    service: str, now: float, served: Served | None, kept: Stored, serves_it: bool | None
) -> list[Evidence]:
    seen, pair = served.certificate if served else None, kept.pair
    words = [each.word for each in served.problems] if served else []
    why = "; ".join(each.sentence for each in served.problems) if served else "no endpoint is known"
    said = f"{seen.subject}, by {seen.issuer}" if seen else ""
    stored = "; ".join(each.sentence for each in pair.problems) if pair else kept.why_none
    return [
        Evidence(f"{service}.certificate", served.word if served else None, why or said),
        Evidence(f"{service}.trusted", served.trusted if served else None, said),
        Evidence(f"{service}.name_matches", "wrong-name" not in words if seen else None),
        Evidence(f"{service}.days_left", seen.days_left(now) if seen else None),
        Evidence(f"{service}.file", (pair.words or ("healthy",))[0] if pair else None, stored),
        Evidence(f"{service}.key_matches", pair.key_matches if pair else None),
        Evidence(f"{service}.serves_file", serves_it),
        *kept.evidence,
    ]


def _not_served(where: str, kept: Stored, left: float) -> str:
    good = f"which is good for {left:.1f} days"
    return f"{where} does not serve the certificate in {kept.where}, {good}: {kept.missed}"


def _good(service: str, served: Served | None, stored: Certificate | None, now: float) -> str:
    certificate = (served.certificate if served else None) or stored
    left = certificate.days_left(now) if certificate else 0
    where = f" at {served.endpoint.named}" if served else ""
    return f"{service}{where}: the certificate is good for {left:.1f} days more"
