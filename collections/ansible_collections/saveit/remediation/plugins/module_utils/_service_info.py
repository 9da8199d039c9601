# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_info: the state of a service."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import Result
from ansible_collections.saveit.remediation.plugins.module_utils._service import describe, evidence, findings
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS, adapter

ARGUMENTS: Mapping[str, Any] = {**TARGET_ARGUMENTS, "service": {"type": "str", "required": True}}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Look at the service; nothing is changed."""
    service = adapter(parameters).look(parameters, carrier, parameters["service"])
    sentence = f"{service.name}: {'; '.join(describe(each) for each in service.instances)}"
    return Result(
        verdict=service.state,
        sentence=sentence,
        findings=findings(service),
        evidence=evidence(service),
        returned={"service": service.as_return()},
    )
