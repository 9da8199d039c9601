# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One limit of one container: read it, set it if it is still what was read, and see that it is set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._service import Instance
from ansible_collections.saveit.remediation.plugins.module_utils._target import resources
from ansible_collections.saveit.remediation.plugins.module_utils._usage import MIB

UNIT = {"memory": "MiB", "cpu": "cores"}
CALLED = {"memory": "memory limit", "cpu": "CPU cap"}


@dataclass(frozen=True)
class Change:
    """One container's limit, in MiB or cores, the command that puts it back, and the id of its record."""

    id: str
    name: str
    resource: str
    before: float
    after: float
    put_back: str
    change_id: str = ""


def read(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> Any:
    """All limits that are in force, as the platform has them."""
    return resources(parameters).limits(parameters, carrier, instance)


def value(parameters: Mapping[str, Any], limits: Any) -> float:
    """The one that this is about, in MiB or cores; 0 is none."""
    return float(limits.memory_mb if parameters["resource"] == "memory" else limits.cores)


def new_change(parameters: Mapping[str, Any], instance: Instance, now: Any, after: float) -> Change:
    """The change from what is in force now, with the command that would put it back."""
    before = value(parameters, now)
    back = [*parameters["docker_command"], "update", *_options(parameters, now, before), instance.name]
    return Change(instance.id, instance.name, parameters["resource"], before, after, " ".join(back))


def apply(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, change: Change) -> None:
    """Raises FailedError when it is not what was read, or is not set afterwards."""
    platform, resource = resources(parameters), change.resource
    attempt = f"cannot set the {CALLED[resource]} of {change.name} to {change.after:g} {UNIT[resource]}"
    now = read(parameters, carrier, instance)
    if not same(value(parameters, now), change.before):
        raise FailedError(f"{attempt}: somebody else has just changed it to {value(parameters, now):g}")
    platform.update(parameters, carrier, instance, _options(parameters, now, change.after), attempt)
    after = value(parameters, read(parameters, carrier, instance))
    if not same(after, change.after):
        raise FailedError(f"{attempt}: the engine agreed, and it is {after:g}")


def same(one: float, other: float) -> bool:
    """Equal, but for what was rounded when it was told."""
    return abs(one - other) < 0.051


def _options(parameters: Mapping[str, Any], before: Any, value: float) -> list[str]:
    platform = resources(parameters)
    if parameters["resource"] == "memory":
        options: list[str] = platform.memory_options(before, round(value * MIB))
    else:
        options = platform.cpu_options(before, value)
    return options
