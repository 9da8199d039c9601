# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docker-compose: what the containers of a service take, from the kernel, the engine and the log."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _compose,
    _compose_resources,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._crash_loop import dying, life
from ansible_collections.saveit.remediation.plugins.module_utils._result import Evidence, Finding
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, Instance, Service
from ansible_collections.saveit.remediation.plugins.module_utils._usage import (
    Usage,
    cpu_findings,
    cpu_of,
    memory_of,
    recent_kills,
)

DEATHS_READ = 1000  # log lines


def memory(parameters: Mapping[str, Any], carrier: Carrier, service: Service) -> list[Usage]:
    """Working set, limit and recent OOM kills of each running container."""
    return [_memory(parameters, carrier, each) for each in service.in_state(RUNNING)]


def cpu(parameters: Mapping[str, Any], carrier: Carrier, service: Service) -> list[Usage]:
    """Cores, cap and throttling of each running container, over a short window."""
    return [_cpu(parameters, carrier, each) for each in service.in_state(RUNNING)]


def scaler(
    parameters: Mapping[str, Any], carrier: Carrier, service: Service
) -> tuple[list[Finding], list[Evidence]]:
    """What scales the service by itself: nothing does on this platform."""
    del parameters, carrier, service
    return [], []


def _memory(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> Usage:
    window = parameters["oom_window_seconds"]
    reading = _compose_resources.read(parameters, carrier, instance)
    if reading.working_set is None:
        told = _compose_resources.stats(parameters, carrier, instance)
        memory = {"used": told["working_set"], "limit": told["limit"]}
        reading = replace(
            reading, **{key: None if value is None else int(value) for key, value in memory.items()}
        )
    events = _compose_resources.oom_events(parameters, carrier, instance, window)
    deaths = _deaths(parameters, carrier, instance) if events is None and reading.oom_kills else 0
    kills = recent_kills(reading.oom_kills, events, deaths)
    return Usage(instance.name, oom_kills=kills, **memory_of(reading))


def _deaths(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> int:
    """How many processes of the service died within the window and go on dying, by its log."""
    pattern, window = re.compile(parameters["death_pattern"]), parameters["oom_window_seconds"]
    said = _compose.logs(parameters, carrier, instance, DEATHS_READ, window).splitlines()
    now = _compose.now(parameters, carrier)
    return dying(life(instance, said, now, pattern), now)


def _cpu(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> Usage:
    """Two readings a short window apart; when they show too much, a third, as one busy second is none."""
    first = _compose_resources.read(parameters, carrier, instance)
    if first.cpu_seconds is None:
        cores = _compose_resources.stats(parameters, carrier, instance)["cores"]
        cap = _compose_resources.limits(parameters, carrier, instance).cores
        percent = None if cores is None or not cap else round(100 * cores / cap, 1)
        return Usage(instance.name, cpu_cores=cores, cpu_cap=cap, cpu_percent=percent)
    carrier.sleep(parameters["window_seconds"])
    last = _compose_resources.read(parameters, carrier, instance)
    usage = Usage(instance.name, **cpu_of(first, last))
    if parameters["confirm_seconds"] and cpu_findings(usage, parameters["service"], parameters):
        carrier.sleep(parameters["confirm_seconds"])
        last = _compose_resources.read(parameters, carrier, instance)
        usage = Usage(instance.name, **cpu_of(first, last))
    return usage
