# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certificate_info: what a TLS endpoint serves and what its files hold, and whether the two agree."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._certificate import (
    Certificate,
    Problem,
    judge,
    parse_der,
)
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_files import Pair, read_pair
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_limits import require_limits
from ansible_collections.saveit.remediation.plugins.module_utils._place import Place
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    Evidence,
    FailedError,
    Finding,
    ObstacleError,
    Result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS
from ansible_collections.saveit.remediation.plugins.module_utils._tls import (
    Endpoint,
    Handshake,
    handshake,
    parse_endpoint,
)

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
    "renew_before_days": {"type": "float", "default": 30},
    "timeout_seconds": {"type": "float", "default": 5},
}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Shake hands, read the files, and say what is wrong; nothing is changed.

    Raises ObstacleError when neither an endpoint nor a file is given, and FailedError when one of the options
    cannot be used.
    """
    require_limits(parameters)
    if not parameters["endpoint"] and not parameters["certificate_file"]:
        raise ObstacleError(
            "not-configured",
            "cannot check a certificate: neither an endpoint nor a file is given "
            "(certificate_endpoint, certificate_file, in the inventory)",
            "refused",
        )
    served = look_at_endpoint(parameters, carrier) if parameters["endpoint"] else None
    pair, no_files = _look_at_files(parameters, carrier)
    return _tell(parameters, carrier.now(), served, pair, no_files)


class Served:
    """What the endpoint answered, judged."""

    def __init__(self, endpoint: Endpoint, shaken: Handshake, parameters: Mapping[str, Any], now: float):
        self.endpoint, self.shaken = endpoint, shaken
        self.chain = tuple(parse_der(each, str(endpoint)) for each in shaken.chain)
        self.problems: list[Problem] = []
        if not self.chain:
            self.problems.append(Problem(shaken.answer, shaken.detail))
            return
        wanted = wanted_names(parameters, endpoint)
        self.problems += judge(self.chain[0], now, wanted, parameters["renew_before_days"])
        own_dates = {"expired", "not-yet-valid"} & {each.word for each in self.problems}
        if shaken.distrust and not (shaken.times_only and own_dates):
            alone = "; it is self-signed" if self.chain[0].self_signed else ""
            self.problems.append(Problem("untrusted", f"it is not trusted: {shaken.distrust}{alone}"))

    @property
    def certificate(self) -> Certificate | None:
        """The server's own certificate, when one was served."""
        return self.chain[0] if self.chain else None

    @property
    def word(self) -> str:
        """The verdict."""
        return self.problems[0].word if self.problems else "healthy"

    @property
    def trusted(self) -> bool | None:
        """None without an answer."""
        return None if not self.chain else "untrusted" not in [each.word for each in self.problems]


def look_at_endpoint(parameters: Mapping[str, Any], carrier: Carrier) -> Served:
    """One look from outside. Raises FailedError for an endpoint or a file of authorities that is none."""
    endpoint = parse_endpoint(parameters["endpoint"], parameters["server_name"])
    shaken = handshake(endpoint, parameters["ca_file"], parameters["timeout_seconds"])
    return Served(endpoint, shaken, parameters, carrier.now())


def wanted_names(parameters: Mapping[str, Any], endpoint: Endpoint | None) -> list[str]:
    """The names that the certificate has to be for: those given, and the one that is asked for."""
    asked = [endpoint.server_name] if endpoint else []
    return list(dict.fromkeys([*asked, *parameters["names"]]))


def _look_at_files(parameters: Mapping[str, Any], carrier: Carrier) -> tuple[Pair | None, str]:
    """The files, or why there is no data about them."""
    if not parameters["certificate_file"]:
        return None, "no certificate file is known (certificate_file, in the inventory)"
    try:
        place = Place(parameters, carrier, parameters["files_service"])
    except FailedError as error:
        return None, str(error)
    text, name = parameters["endpoint"], parameters["server_name"]
    wanted = wanted_names(parameters, parse_endpoint(text, name) if text else None)
    files = (parameters["certificate_file"], parameters["key_file"])
    return read_pair(place, files, wanted, parameters, carrier.now()), ""


def _tell(
    parameters: Mapping[str, Any], now: float, served: Served | None, pair: Pair | None, no_files: str
) -> Result:
    service = parameters["service"]
    seen, stored = served.certificate if served else None, pair.certificate if pair else None
    findings = []
    where = f"{service} at {served.endpoint.named}" if served else service
    if served:
        what = "its certificate: " if served.chain else ""
        findings += [
            Finding(f"certificate-{each.word}", service, f"{where}: {what}{each.sentence}")
            for each in served.problems
        ]
    serves_file = None
    if pair:
        file = parameters["certificate_file"]
        serves_file = seen.fingerprint == stored.fingerprint if seen and stored else None
        told = {each.word for each in served.problems} if served and serves_file else set()
        findings += [
            Finding(f"certificate-{each.word}", file, f"{file}: {each.sentence}")
            for each in pair.problems
            if each.word not in told
        ]
        if serves_file is False and not pair.problems and stored:
            missed = _not_reloaded(where, file, stored, now)
            findings.insert(0, Finding("certificate-not-reloaded", service, missed))
    words = [each.id.split("-", 1)[1] for each in findings]
    verdict = words[0] if words else "healthy"
    sentence = "; ".join(each.sentence for each in findings) or _good(service, served, stored, now)
    return Result(
        verdict,
        sentence,
        findings=findings,
        evidence=_evidence(service, now, served, pair, serves_file, no_files),
        returned={
            "served": seen.as_return(now) if seen else None,
            "chain": [each.subject for each in served.chain] if served else [],
            "stored": stored.as_return(now) if stored else None,
            "serves_file": serves_file,
        },
    )


def _evidence(
    service: str,
    now: float,
    served: Served | None,
    pair: Pair | None,
    serves_file: bool | None,
    no_files: str,
) -> list[Evidence]:
    seen = served.certificate if served else None
    words = [each.word for each in served.problems] if served else []
    why = "; ".join(each.sentence for each in served.problems) if served else "no endpoint is known"
    said = f"{seen.subject}, by {seen.issuer}" if seen else ""
    stored = "; ".join(each.sentence for each in pair.problems) if pair else no_files
    return [
        Evidence(f"{service}.certificate", served.word if served else None, why or said),
        Evidence(f"{service}.trusted", served.trusted if served else None, said),
        Evidence(f"{service}.name_matches", "wrong-name" not in words if seen else None),
        Evidence(f"{service}.days_left", seen.days_left(now) if seen else None),
        Evidence(f"{service}.file", (pair.words or ("healthy",))[0] if pair else None, stored),
        Evidence(f"{service}.key_matches", pair.key_matches if pair else None),
        Evidence(f"{service}.serves_file", serves_file),
    ]


def _not_reloaded(where: str, file: str, stored: Certificate, now: float) -> str:
    left = stored.days_left(now)
    good = f"which is good for {left:.1f} days"
    return f"{where} does not serve the certificate in {file}, {good}: a reload was missed"


def _good(service: str, served: Served | None, stored: Certificate | None, now: float) -> str:
    certificate = (served.certificate if served else None) or stored
    left = certificate.days_left(now) if certificate else 0
    where = f" at {served.endpoint.named}" if served else ""
    return f"{service}{where}: the certificate is good for {left:.1f} days more"
