# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_limits: raise the memory limit or the CPU cap of what runs, for a time, and put it back."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, iso
from ansible_collections.saveit.remediation.plugins.module_utils._change_record import (
    RECORD_ARGUMENTS,
    drop,
    ids_in,
    recorded,
    require_minutes,
)
from ansible_collections.saveit.remediation.plugins.module_utils._changes import Intent, how_to_put_back
from ansible_collections.saveit.remediation.plugins.module_utils._limits import (
    CALLED,
    UNIT,
    Change,
    apply,
    new_change,
    read,
    same,
    value,
)
from ansible_collections.saveit.remediation.plugins.module_utils._limits_back import old_value, told
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
    **RECORD_ARGUMENTS,
    "service": {"type": "str", "required": True},
    "resource": {"type": "str", "choices": ["memory", "cpu"], "required": True},
    "raise_percent": {"type": "int", "default": 50},
    "maximum": {"type": "float", "default": 0},
    "assessed": {"type": "list", "elements": "dict", "default": []},
    "put_back": {"type": "list", "elements": "dict", "default": []},
    "minutes": {"type": "int", "default": 60},
}
ASSESSED = {"memory": "memory_limit_mb", "cpu": "cpu_cap"}  # in the `usage` of service_usage
HOST_SHARE = 0.5  # of the host's free memory, which one raise may promise to a container
HOST_CORES_LEFT = 0.5  # for the host and for whoever repairs it
WORTH_PERCENT = 10  # a raise by less is not worth the change


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Raise, or with `put_back` put back, the limit of each running instance; in check mode only say so.

    Raises FailedError for numbers that are none, and when the engine refuses.
    """
    name = parameters["service"]
    if not 1 <= parameters["raise_percent"] <= 400:
        percent = parameters["raise_percent"]
        raise FailedError(f"cannot raise {name}: raise_percent is {percent}, wanted 1 to 400")
    if parameters["maximum"] < 0:
        raise FailedError(f"cannot raise {name}: maximum must be 0 or more")
    require_minutes(f"cannot raise {name}", parameters["minutes"])
    service = adapter(parameters).look(parameters, carrier, name)
    fixed = resources(parameters).why_fixed(parameters, service)
    running = service.in_state(RUNNING)
    if fixed or not running:
        states = "; ".join(describe(each) for each in service.instances)
        return _unchanged(parameters, [fixed or states])
    if parameters["put_back"]:
        return _put_back(parameters, carrier, running)
    changes, reasons = [], []
    for instance in running:
        change, reason = _decide(parameters, carrier, instance)
        if change is None:
            reasons.append(reason)
        else:
            changes.append(change if carrier.check_mode else _raise(parameters, carrier, instance, change))
    if not changes:
        return _unchanged(parameters, reasons)
    return _told(parameters, carrier, changes)


def _decide(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> tuple[Change | None, str]:
    """The raise to make, or the reason why there is none."""
    resource = parameters["resource"]
    now = read(parameters, carrier, instance)
    before = value(parameters, now)
    if not before:
        return None, f"{instance.name} has no {CALLED[resource]}"
    assessed = _assessed(parameters, instance)
    if assessed is not None and not same(assessed, before):
        seen = f"{before:g} {UNIT[resource]} now, and {assessed:g} when it was assessed"
        return None, f"{instance.name} has changed: its {CALLED[resource]} is {seen}"
    bound, why = _bound(parameters, carrier, instance, before)
    wanted = before * (1 + parameters["raise_percent"] / 100)
    wanted = _rounded(resource, min(wanted, bound))
    if wanted < before * (1 + min(WORTH_PERCENT, parameters["raise_percent"]) / 100) - 0.01:
        return None, f"{instance.name} has {before:g} {UNIT[resource]}, and {why}"
    return new_change(parameters, instance, now, wanted), ""


def _raise(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, change: Change) -> Change:
    """Record it, and make it."""
    unit, called = UNIT[change.resource], CALLED[change.resource]
    entry = {key: getattr(change, key) for key in ("id", "name", "before", "after")}
    intent = Intent(
        service=parameters["service"],
        kind="limit",
        what=f"{called} of {change.name}",
        before=f"{change.before:g} {unit}",
        after=f"{change.after:g} {unit}",
        module="service_limits",
        back={"service": parameters["service"], "resource": change.resource, "put_back": [entry]},
    )

    def is_as_before() -> bool:
        return same(value(parameters, read(parameters, carrier, instance)), change.before)

    with recorded(parameters, carrier, [intent], is_as_before) as (id_,):
        apply(parameters, carrier, instance, change)
    return replace(change, change_id=id_)


def _put_back(parameters: Mapping[str, Any], carrier: Carrier, running: list[Instance]) -> Result:
    changes, reasons, over = [], [], True
    for instance in running:
        now = read(parameters, carrier, instance)
        old, reason, is_over = old_value(parameters, carrier, instance, value(parameters, now))
        over = over and is_over
        if old is None:
            reasons.append(reason)
            continue
        change = new_change(parameters, instance, now, old)
        if not carrier.check_mode:
            apply(parameters, carrier, instance, change)
        changes.append(change)
    if over:
        drop(parameters, carrier, ids_in(parameters["put_back"]))
    if not changes:
        return _unchanged(parameters, reasons, over)
    sentence = "; ".join([told(parameters, changes, carrier.check_mode), *reasons])
    verdict = "planned" if carrier.check_mode else "put-back"
    returned = {"limits": [asdict(each) for each in changes], "ends_at": "", "over": over}
    return Result(verdict, sentence, changed=True, diff=_diff(changes), returned=returned)


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


def _rounded(resource: str, value: float) -> float:
    return float(int(value)) if resource == "memory" else int(value * 100) / 100


def _unchanged(parameters: Mapping[str, Any], reasons: list[str], over: bool = False) -> Result:
    what = f"the {CALLED[parameters['resource']]} of {parameters['service']}"
    sentence = f"{what} is not changed: {'; '.join(reasons)}"
    return Result("unchanged", sentence, returned={"limits": [], "ends_at": "", "over": over})


def _told(parameters: Mapping[str, Any], carrier: Carrier, changes: list[Change]) -> Result:
    service, resource, planned = parameters["service"], parameters["resource"], carrier.check_mode
    unit, called = UNIT[resource], CALLED[resource]
    ends_at = iso(carrier.now() + 60 * parameters["minutes"], "seconds")
    steps = ", ".join(f"{each.name} from {each.before:g} to {each.after:g} {unit}" for each in changes)
    commands = "; ".join(f"`{each.put_back}`" for each in changes)
    back = how_to_put_back([each.change_id for each in changes], commands)
    did = "would raise the" if planned else "raised the"
    until = (
        "" if planned else f", before {ends_at} or when the cause is gone (a container made anew loses it)"
    )
    return Result(
        "planned" if planned else "raised",
        f"{did} {called} of {service}: {steps}; {back}{until}",
        changed=True,
        diff=_diff(changes),
        returned={"limits": [asdict(each) for each in changes], "ends_at": ends_at, "over": False},
    )


def _diff(changes: list[Change]) -> dict[str, str]:
    def lines(which: str) -> str:
        return "".join(
            f"{each.name}: {CALLED[each.resource]} {getattr(each, which):g} {UNIT[each.resource]}\n"
            for each in changes
        )

    return {"before": lines("before"), "after": lines("after")}
