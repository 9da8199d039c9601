# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_status: state, readiness, restarts, CPU and memory of all services."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import Evidence, Result
from ansible_collections.saveit.remediation.plugins.module_utils._service import (
    RUNNING,
    Instance,
    evidence,
    findings,
)
from ansible_collections.saveit.remediation.plugins.module_utils._table import table
from ansible_collections.saveit.remediation.plugins.module_utils._target import (
    TARGET_ARGUMENTS,
    adapter,
    resources,
)
from ansible_collections.saveit.remediation.plugins.module_utils._usage import MIB

ARGUMENTS: Mapping[str, Any] = {**TARGET_ARGUMENTS, "ready": {"type": "dict", "default": {}}}
COLUMNS = ("service", "instance", "state", "ready", "restarts", "cpu (cores)", "memory (MiB)", "limit (MiB)")


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Look at every instance of every service; nothing is changed.

    Raises ObstacleError when the platform cannot be asked.
    """
    services = adapter(parameters).look_all(parameters, carrier)
    running = [each for service in services for each in service.in_state(RUNNING)]
    usage, blind = resources(parameters).stats_of(parameters, carrier, running)
    rows = [
        _row(service.name, each, parameters["ready"].get(service.name, ""), usage.get(each.id, {}))
        for service in services
        for each in service.instances
    ]
    sick = [service.name for service in services if service.state != RUNNING]
    sentence = f"{len(services)} services, {', '.join(sick) + ' not running' if sick else 'all running'}"
    sentence += f"; {blind}" if blind else ""
    return Result(
        "sick" if sick else "running",
        sentence,
        findings=[finding for service in services for finding in findings(service)],
        evidence=[item for service in services for item in evidence(service)]
        + [Evidence("services", len(services), sentence)],
        returned={"tables": [table("services", COLUMNS, rows)]},
    )


def _row(service: str, instance: Instance, told: str, usage: Mapping[str, Any]) -> list[Any]:
    ready = told or instance.health or None
    memory, limit = (_mib(usage.get(key)) for key in ("working_set", "limit"))
    return [
        service,
        instance.name,
        instance.state,
        ready if instance.state == RUNNING else "no",
        instance.restarts,
        usage.get("cores"),
        memory,
        limit,
    ]


def _mib(size: float | None) -> int | None:
    return None if size is None else round(size / MIB)
