# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_usage: what a service takes of the memory and the CPU that it may take."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any, Callable, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    Evidence,
    FailedError,
    Finding,
    ObstacleError,
    Result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._service import describe
from ansible_collections.saveit.remediation.plugins.module_utils._target import (
    TARGET_ARGUMENTS,
    adapter,
    usage,
)
from ansible_collections.saveit.remediation.plugins.module_utils._usage import (
    Usage,
    cpu_findings,
    describe_cpu,
    describe_memory,
    memory_findings,
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
TOLD = 3  # instances that a sentence names, those that take most


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Read each instance; nothing is changed. Raises FailedError for parameters that are none."""
    _check(parameters)
    name, resource = parameters["service"], parameters["resource"]
    service = adapter(parameters).look(parameters, carrier, name)
    platform, (judge, describe_usage) = usage(parameters), _JUDGED[resource]
    usages = getattr(platform, resource)(parameters, carrier, service)
    found = [finding for each in usages for finding in judge(each, name, parameters)]
    if not usages:
        states = "; ".join(describe(each) for each in service.instances)
        sentence = f"{name}: nothing runs that could use {resource}: {states}"
        unknown = [Finding("usage-unknown", name, sentence)]
    else:
        sentence = f"{name}: {_told(usages, resource, describe_usage)}"
        known = any(_value(each, resource) is not None for each in usages)
        unknown = [] if known else [Finding("usage-unknown", name, sentence)]
    if parameters["required"] and unknown and not found:
        raise ObstacleError("usage-unknown", f"cannot judge {resource}: {sentence}", "refused")
    found += unknown
    # Alone it is no incident: an autoscaler goes by what pods request, and an incident by what they may take.
    scaler, wants = platform.scaler(parameters, carrier, service)
    found += scaler if found else []
    return Result(
        found[0].id if found else "healthy",
        found[0].sentence if found else sentence,
        findings=found,
        evidence=[*_evidence(name, resource, usages, sentence), *wants],
        returned={
            "usage": [asdict(each) for each in usages],
            "known_by": max((each.known_by for each in usages), default=0),
        },
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


_JUDGED: Mapping[str, Any] = {
    "memory": (memory_findings, describe_memory),
    "cpu": (cpu_findings, describe_cpu),
}


def _told(usages: list[Usage], resource: str, describe_usage: Callable[[Usage], str]) -> str:
    """Those that take most, and how many more there are."""
    named = usages
    if len(usages) > TOLD:
        named = sorted(usages, key=lambda each: -(_value(each, resource) or 0))[:TOLD]
    more = f"; and {len(usages) - TOLD} more" if len(usages) > TOLD else ""
    return "; ".join(describe_usage(each) for each in named) + more


def _value(taken: Usage, resource: str) -> float | None:
    return taken.working_set_mb if resource == "memory" else taken.cpu_cores


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
