# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a TLS endpoint serves, seen from outside and judged."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._certificate import (
    Certificate,
    Problem,
    judge,
    parse_der,
)
from ansible_collections.saveit.remediation.plugins.module_utils._tls import (
    Endpoint,
    Handshake,
    handshake,
    parse_endpoint,
)

AS_IT_IS = {"expiring", "untrusted"}  # what a temporary certificate may be


class Served:
    """What the endpoint answered, judged."""

    def __init__(self, endpoint: Endpoint, shaken: Handshake, parameters: Mapping[str, Any], now: float):
        self.endpoint, self.shaken = endpoint, shaken
        self.chain = tuple(parse_der(each, str(endpoint)) for each in shaken.chain)
        self.problems: list[Problem] = []
        if not self.chain:
            self.problems.append(Problem(shaken.answer, shaken.detail))
            return
        wanted = wanted_names(parameters)
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


def wanted_names(parameters: Mapping[str, Any]) -> list[str]:
    """The names that the certificate has to be for: the one that is asked for, and those given.

    Raises FailedError for an endpoint that is none.
    """
    text = parameters["endpoint"]
    asked = [parse_endpoint(text, parameters["server_name"]).server_name] if text else []
    return list(dict.fromkeys([*asked, *parameters["names"]]))


def serves(parameters: Mapping[str, Any], carrier: Carrier, new: Certificate | None) -> bool | None:
    """Whether the endpoint serves this certificate within the time it gets; None without an endpoint."""
    if not parameters["endpoint"] or not new:
        return None
    until = carrier.now() + parameters["serve_timeout_seconds"]
    while True:
        seen = look_at_endpoint(parameters, carrier).certificate
        if seen and seen.fingerprint == new.fingerprint:
            return True
        if carrier.now() >= until:
            return False
        carrier.sleep(0.2)


def why_no_worse_one(parameters: Mapping[str, Any], carrier: Carrier) -> str:
    """Why a temporary certificate would be no better than what is served now, or ""."""
    if not parameters["endpoint"]:
        return ""
    served = look_at_endpoint(parameters, carrier)
    if not served.chain or {each.word for each in served.problems} - AS_IT_IS:
        return ""
    return (
        f"what {served.endpoint.named} serves is neither expired nor for another name, "
        "and browsers would warn of a temporary certificate"
    )
