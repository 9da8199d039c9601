# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_limits: raise the memory limit or the CPU cap of what runs, and put it back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, iso
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, Instance, describe
from ansible_collections.saveit.remediation.plugins.module_utils._target import (
    TARGET_ARGUMENTS,
    adapter,
    resources,
)
from ansible_collections.saveit.remediation.plugins.module_utils._usage import MIB

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "service": {"type": "str", "required": True},
    "resource": {"type": "str", "choices": ["memory", "cpu"], "required": True},
    "raise_percent": {"type": "int", "default": 50},
    "maximum": {"type": "float", "default": 0},
    "assessed": {"type": "list", "elements": "dict", "default": []},
    "put_back": {"type": "list", "elements": "dict", "default": []},
    "minutes": {"type": "int", "default": 60},
}
UNIT = {"memory": "MiB", "cpu": "cores"}
CALLED = {"memory": "memory limit", "cpu": "CPU cap"}
ASSESSED = {"memory": "memory_limit_mb", "cpu": "cpu_cap"}  # in the `usage` of service_usage
HOST_SHARE = 0.5  # of the host's free memory, which one raise may promise to a container
HOST_CORES_LEFT = 0.5  # for the host and for whoever repairs it
WORTH_PERCENT = 10  # a raise by less is not worth the change
ROOM_PERCENT = 95  # of the old memory limit, which the working set may take when it is put back


@dataclass(frozen=True)
class Change:
    """One container's limit, in MiB or cores, and the command that puts the old value back."""

    id: str
    name: str
    resource: str
    before: float
    after: float
    put_back: str


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Raise, or with `put_back` put back, the limit of each running instance; in check mode only say so.

    Raises FailedError for numbers that are none, and when the engine refuses.
    """
    name, resource = parameters["service"], parameters["resource"]
    if not 1 <= parameters["raise_percent"] <= 400:
        percent = parameters["raise_percent"]
        raise FailedError(f"cannot raise {name}: raise_percent is {percent}, wanted 1 to 400")
    if parameters["maximum"] < 0 or parameters["minutes"] < 1:
        raise FailedError(f"cannot raise {name}: maximum must be 0 or more, and minutes 1 or more")
    service = adapter(parameters).look(parameters, carrier, name)
    fixed = resources(parameters).why_fixed(parameters, service)
    if fixed:
        return _unchanged(f"the {CALLED[resource]} of {name} is not changed: {fixed}")
    running = service.in_state(RUNNING)
    if not running:
        states = "; ".join(describe(each) for each in service.instances)
        return _unchanged(f"the {CALLED[resource]} of {name} is not changed: {states}")
    changes, reasons = [], []
    for instance in running:
        change, reason = _decide(parameters, carrier, instance)
        if change is None:
            reasons.append(reason)
        elif not carrier.check_mode:
            _apply(parameters, carrier, instance, change)
        if change is not None:
            changes.append(change)
    if not changes:
        return _unchanged(f"the {CALLED[resource]} of {name} is not changed: {'; '.join(reasons)}")
    return _told(parameters, carrier, changes)


def _decide(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> tuple[Change | None, str]:
    """The change to make, or the reason why there is none."""
    resource = parameters["resource"]
    now = resources(parameters).limits(parameters, carrier, instance)
    before = _value(resource, now)
    if parameters["put_back"]:
        wanted, reason = _old_value(parameters, instance, before)
        if wanted is not None and resource == "memory":
            reason = _too_full(parameters, carrier, instance, wanted)
    elif not before:
        return None, f"{instance.name} has no {CALLED[resource]}"
    else:
        assessed = _assessed(parameters, instance)
        if assessed is not None and not _same(assessed, before):
            seen = f"{before:g} {UNIT[resource]} now, and {assessed:g} when it was assessed"
            return None, f"{instance.name} has changed: its {CALLED[resource]} is {seen}"
        bound, why = _bound(parameters, carrier, instance, before)
        wanted = before * (1 + parameters["raise_percent"] / 100)
        wanted = _rounded(resource, min(wanted, bound))
        worth = wanted >= before * (1 + min(WORTH_PERCENT, parameters["raise_percent"]) / 100) - 0.01
        reason = "" if worth else f"{instance.name} has {before:g} {UNIT[resource]}, and {why}"
    if reason or wanted is None:
        return None, reason
    back = [*parameters["docker_command"], "update", *_options(parameters, now, before), instance.name]
    return Change(instance.id, instance.name, resource, before, wanted, " ".join(back)), ""


def _old_value(parameters: Mapping[str, Any], instance: Instance, before: float) -> tuple[float | None, str]:
    """What an earlier change replaced, when it is still in force."""
    mine = [each for each in parameters["put_back"] if each.get("name") == instance.name]
    unit, called = UNIT[parameters["resource"]], CALLED[parameters["resource"]]
    if not mine:
        return None, f"nothing was changed on {instance.name}"
    try:
        old, new = float(mine[0]["before"]), float(mine[0]["after"])
    except (KeyError, TypeError, ValueError) as error:
        raise FailedError(f"cannot put back the limit of {instance.name}: {error} in put_back") from error
    if mine[0].get("id", instance.id) != instance.id:
        own = (
            f"its {called} is the compose file's again, {before:g} {unit}"
            if before
            else f"it has no {called}"
        )
        return None, f"{instance.name} was made anew since the raise, which ended it: {own}"
    if _same(old, before):
        return None, f"{instance.name} has its old {called} of {old:g} {unit} again"
    if not _same(new, before):
        return None, f"{instance.name} has {before:g} {unit}, not the {new:g} that were set"
    return old, ""


def _too_full(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, wanted: float) -> str:
    """Why the old memory limit would now kill; "" when it would not."""
    used = resources(parameters).read(parameters, carrier, instance).working_set
    if used is None or used / MIB <= wanted * ROOM_PERCENT / 100:
        return ""
    return (
        f"{instance.name} uses {used / MIB:.0f} MiB now, and the old limit of {wanted:g} MiB would have "
        "processes of it killed; restart it before"
    )


def _assessed(parameters: Mapping[str, Any], instance: Instance) -> float | None:
    key = ASSESSED[parameters["resource"]]
    mine = [each.get(key) for each in parameters["assessed"] if each.get("name") == instance.name]
    return float(mine[0]) if mine and mine[0] is not None else None


def _bound(
    parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, before: float
) -> tuple[float, str]:
    """The highest value that is allowed, and why no higher one is."""
    platform, most = resources(parameters), parameters["maximum"]
    if parameters["resource"] == "cpu":
        cores = platform.host_cores(parameters, carrier)
        bound, why = (
            cores - HOST_CORES_LEFT,
            f"the host has {cores} cores, of which it keeps {HOST_CORES_LEFT:g}",
        )
    else:
        free = platform.read(parameters, carrier, instance).host_available
        if free is None:
            return before, "nobody can tell how much memory the host has free"
        bound = before + HOST_SHARE * free / MIB
        why = f"the host has only {free / MIB:.0f} MiB free"
    if most and most < bound:
        return most, f"the maximum is {most:g}"
    return bound, why


def _apply(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, change: Change) -> None:
    """Set it, if it is still what was read, and see that it is set."""
    platform, resource = resources(parameters), change.resource
    attempt = f"cannot set the {CALLED[resource]} of {change.name} to {change.after:g} {UNIT[resource]}"
    now = platform.limits(parameters, carrier, instance)
    if not _same(_value(resource, now), change.before):
        raise FailedError(f"{attempt}: somebody else has just changed it to {_value(resource, now):g}")
    platform.update(parameters, carrier, instance, _options(parameters, now, change.after), attempt)
    now = platform.limits(parameters, carrier, instance)
    if not _same(_value(resource, now), change.after):
        raise FailedError(f"{attempt}: the engine agreed, and it is {_value(resource, now):g}")


def _value(resource: str, limits: Any) -> float:
    return float(limits.memory_mb if resource == "memory" else limits.cores)


def _options(parameters: Mapping[str, Any], before: Any, value: float) -> list[str]:
    platform = resources(parameters)
    if parameters["resource"] == "memory":
        options: list[str] = platform.memory_options(before, round(value * MIB))
    else:
        options = platform.cpu_options(before, value)
    return options


def _rounded(resource: str, value: float) -> float:
    return float(int(value)) if resource == "memory" else int(value * 100) / 100


def _same(one: float, other: float) -> bool:
    return abs(one - other) < 0.051  # what is said to be assessed was rounded


def _unchanged(sentence: str) -> Result:
    return Result("unchanged", sentence, returned={"limits": [], "ends_at": ""})


def _told(parameters: Mapping[str, Any], carrier: Carrier, changes: list[Change]) -> Result:
    service, resource, planned = parameters["service"], parameters["resource"], carrier.check_mode
    unit, called = UNIT[resource], CALLED[resource]
    ends_at = "" if parameters["put_back"] else iso(carrier.now() + 60 * parameters["minutes"], "seconds")
    steps = ", ".join(f"{each.name} from {each.before:g} to {each.after:g} {unit}" for each in changes)
    if parameters["put_back"]:
        sentence = f"{'would put back' if planned else 'put back'} the {called} of {service}: {steps}"
    else:
        back = "; ".join(f"`{each.put_back}`" for each in changes)
        did = "would raise the" if planned else "raised the"
        until = (
            ""
            if planned
            else f", before {ends_at} or when the cause is gone (a container made anew loses it)"
        )
        sentence = f"{did} {called} of {service}: {steps}; put it back with {back}{until}"
    verdict = "planned" if planned else "put-back" if parameters["put_back"] else "raised"
    return Result(
        verdict,
        sentence,
        changed=True,
        diff={
            "before": "".join(f"{each.name}: {called} {each.before:g} {unit}\n" for each in changes),
            "after": "".join(f"{each.name}: {called} {each.after:g} {unit}\n" for each in changes),
        },
        returned={"limits": [asdict(each) for each in changes], "ends_at": ends_at},
    )
