# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_usage: what a service takes of the memory and the CPU that it may take."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._crash_loop import dying, life
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    Evidence,
    FailedError,
    Finding,
    ObstacleError,
    Result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, Instance, describe
from ansible_collections.saveit.remediation.plugins.module_utils._target import (
    TARGET_ARGUMENTS,
    adapter,
    resources,
)
from ansible_collections.saveit.remediation.plugins.module_utils._usage import (
    Usage,
    cpu_findings,
    cpu_of,
    describe_cpu,
    describe_memory,
    memory_findings,
    memory_of,
    recent_kills,
    worst,
)

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "service": {"type": "str", "required": True},
    "resource": {"type": "str", "choices": ["memory", "cpu"], "required": True},
    "memory_threshold_percent": {"type": "float", "default": 85},
    "oom_window_seconds": {"type": "float", "default": 60},
    "death_pattern": {"type": "str", "default": r"(?i)(child|worker) process \[?\d+\]? died"},
    "cpu_threshold_percent": {"type": "float", "default": 90},
    "throttled_threshold_percent": {"type": "float", "default": 25},
    "window_seconds": {"type": "float", "default": 1},
    "confirm_seconds": {"type": "float", "default": 3},
    "required": {"type": "bool", "default": False},
}
DEATHS_READ = 1000  # log lines


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Read each running instance; nothing is changed. Raises FailedError for parameters that are none."""
    _check(parameters)
    name, resource = parameters["service"], parameters["resource"]
    service = adapter(parameters).look(parameters, carrier, name)
    running = service.in_state(RUNNING)
    look, judge, describe_usage = _BY_RESOURCE[resource]
    usages = [look(parameters, carrier, each) for each in running]
    found = [finding for usage in usages for finding in judge(usage, name, parameters)]
    if not running:
        states = "; ".join(describe(each) for each in service.instances)
        sentence = f"{name}: nothing runs that could use {resource}: {states}"
        found = [Finding("usage-unknown", name, sentence)]
    elif all(_value(usage, resource) is None for usage in usages):
        sentence = f"{name}: {'; '.join(describe_usage(each) for each in usages)}"
        found.append(Finding("usage-unknown", name, sentence))
    else:
        sentence = f"{name}: {'; '.join(describe_usage(each) for each in usages)}"
    if parameters["required"] and any(each.id == "usage-unknown" for each in found):
        raise ObstacleError("usage-unknown", f"cannot judge {resource}: {sentence}", "refused")
    return Result(
        found[0].id if found else "healthy",
        found[0].sentence if found else sentence,
        findings=found,
        evidence=_evidence(name, resource, usages, sentence),
        returned={"usage": [asdict(each) for each in usages]},
    )


def _check(parameters: Mapping[str, Any]) -> None:
    name = parameters["service"]
    for key in ("memory_threshold_percent", "cpu_threshold_percent", "throttled_threshold_percent"):
        if not 0 < parameters[key] <= 100:
            raise FailedError(f"cannot judge {name}: {key} is {parameters[key]:g}, wanted 0 to 100")
    for key, least, most in (
        ("window_seconds", 0.2, 60),
        ("confirm_seconds", 0, 60),
        ("oom_window_seconds", 1, 3600),
    ):
        if not least <= parameters[key] <= most:
            wanted = f"wanted {least:g} to {most:g}"
            raise FailedError(f"cannot judge {name}: {key} is {parameters[key]:g}, {wanted}")
    try:
        re.compile(parameters["death_pattern"])
    except re.error as error:
        text = parameters["death_pattern"]
        raise FailedError(
            f"cannot judge {name}: death_pattern {text!r} is no regular expression: {error}"
        ) from error


def _look_at_memory(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> Usage:
    platform, window = resources(parameters), parameters["oom_window_seconds"]
    reading = platform.read(parameters, carrier, instance)
    if reading.working_set is None:
        told = platform.stats(parameters, carrier, instance)
        memory = {"used": told["working_set"], "limit": told["limit"]}
        reading = replace(
            reading, **{key: None if value is None else int(value) for key, value in memory.items()}
        )
    events = platform.oom_events(parameters, carrier, instance, window)
    deaths = _deaths(parameters, carrier, instance) if events is None and reading.oom_kills else 0
    kills = recent_kills(reading.oom_kills, events, deaths)
    return Usage(instance.name, oom_kills=kills, **memory_of(reading))


def _deaths(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> int:
    """How many processes of the service died within the window and go on dying, by its log."""
    pattern, window = re.compile(parameters["death_pattern"]), parameters["oom_window_seconds"]
    platform = adapter(parameters)
    said = platform.logs(parameters, carrier, instance, DEATHS_READ, window).splitlines()
    now = platform.now(parameters, carrier)
    return dying(life(instance, said, now, pattern), now)


def _look_at_cpu(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> Usage:
    """Two readings a short window apart; when they show too much, a third, as one busy second is none."""
    platform = resources(parameters)
    first = platform.read(parameters, carrier, instance)
    if first.cpu_seconds is None:
        cores = platform.stats(parameters, carrier, instance)["cores"]
        cap = platform.limits(parameters, carrier, instance).cores
        percent = None if cores is None or not cap else round(100 * cores / cap, 1)
        return Usage(instance.name, cpu_cores=cores, cpu_cap=cap, cpu_percent=percent)
    carrier.sleep(parameters["window_seconds"])
    last = platform.read(parameters, carrier, instance)
    usage = Usage(instance.name, **cpu_of(first, last))
    if parameters["confirm_seconds"] and cpu_findings(usage, parameters["service"], parameters):
        carrier.sleep(parameters["confirm_seconds"])
        last = platform.read(parameters, carrier, instance)
        usage = Usage(instance.name, **cpu_of(first, last))
    return usage


_BY_RESOURCE: Mapping[str, Any] = {
    "memory": (_look_at_memory, memory_findings, describe_memory),
    "cpu": (_look_at_cpu, cpu_findings, describe_cpu),
}


def _value(usage: Usage, resource: str) -> float | None:
    return usage.working_set_mb if resource == "memory" else usage.cpu_cores


def _evidence(name: str, resource: str, usages: list[Usage], sentence: str) -> list[Evidence]:
    """The worst instance counts."""
    if resource == "memory":
        return [
            Evidence(f"{name}.memory_percent", worst([each.memory_percent for each in usages]), sentence),
            Evidence(f"{name}.oom_kills", worst([each.oom_kills for each in usages]), sentence),
        ]
    return [
        Evidence(f"{name}.cpu_percent", worst([each.cpu_percent for each in usages]), sentence),
        Evidence(f"{name}.throttled_percent", worst([each.throttled_percent for each in usages]), sentence),
    ]
