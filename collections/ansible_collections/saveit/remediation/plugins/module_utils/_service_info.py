# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_info: the state of a service."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import Finding, Result
from ansible_collections.saveit.remediation.plugins.module_utils._service import (
    ABSENT,
    Service,
    describe,
    evidence,
    findings,
)
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS, adapter

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "service": {"type": "str", "required": True},
    "required": {"type": "bool", "default": True},
    "otherwise": {"type": "str", "default": ""},
    "otherwise_port": {"type": "int", "default": 0},
}
ELSEWHERE = "nothing here runs it; somebody else manages it, and it has no restart remedy here"


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Look at the service, or at the other one when the platform does not have it; nothing is changed."""
    name, otherwise = parameters["service"], parameters["otherwise"]
    service: Service = adapter(parameters).look(
        parameters, carrier, name, required=parameters["required"] and not otherwise
    )
    lacking = ""
    if service.state == ABSENT and otherwise:
        other = adapter(parameters).look(parameters, carrier, otherwise, required=parameters["required"])
        if _stands_in(other, parameters["otherwise_port"]):
            lacking, service = f"there is no service {name}, so {otherwise} is looked at; ", other
        else:
            lacking = f"{otherwise} does not publish port {parameters['otherwise_port']}; "
    states = "; ".join(describe(each) for each in service.instances) or "there is no such service"
    found = findings(service)
    if service.state == ABSENT and not otherwise:
        found = [Finding("service-elsewhere", name, f"{name}: {ELSEWHERE}")]
    return Result(
        verdict=service.state,
        sentence=f"{lacking}{service.name}: {states}",
        findings=found,
        evidence=evidence(service),
        returned={
            "service": service.as_return(),
            "found": service.name if service.instances else "",
        },
    )


def _stands_in(other: Service, port: int) -> bool:
    """Is it the one whose users came to the port? Without a port it always is."""
    return not port or any(port in each.ports for each in other.instances)
