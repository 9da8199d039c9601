# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_scale: more instances of a service for a time, or the reason why there cannot be more."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Callable, ContextManager, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, iso
from ansible_collections.saveit.remediation.plugins.module_utils._change_record import (
    RECORD_ARGUMENTS,
    drop,
    ids_in,
    recorded,
    require_minutes,
)
from ansible_collections.saveit.remediation.plugins.module_utils._changes import how_to_put_back
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result
from ansible_collections.saveit.remediation.plugins.module_utils._scaling import Change, Plan, intent_of
from ansible_collections.saveit.remediation.plugins.module_utils._service import Service
from ansible_collections.saveit.remediation.plugins.module_utils._target import (
    TARGET_ARGUMENTS,
    adapter,
    scaling,
)

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    **RECORD_ARGUMENTS,
    "service": {"type": "str", "required": True},
    "instances": {"type": "int", "default": 0},
    "maximum": {"type": "int", "default": 5},
    "autoscaler_maximum": {"type": "int", "default": 0},
    "stateless": {"type": "bool", "default": False},
    "ready_seconds": {"type": "float", "default": 90},
    "metrics_seconds": {"type": "float", "default": 120},
    "put_back": {"type": "list", "elements": "dict", "default": []},
    "minutes": {"type": "int", "default": 60},
    "compose_command": {"type": "list", "elements": "str", "default": []},
}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Add instances, or with `put_back` put back; in check mode only say so.

    Raises FailedError for numbers that are none, and when the platform refuses; what it made is then gone.
    """
    name = parameters["service"]
    if parameters["instances"] < 0 or parameters["maximum"] < 1:
        raise FailedError(f"cannot scale {name}: instances must be 0 or more, and maximum 1 or more")
    require_minutes(f"cannot scale {name}", parameters["minutes"])
    platform = scaling(parameters)
    if parameters["put_back"]:
        result: Result = platform.put_back(parameters, carrier)
        if result.returned["over"]:
            drop(parameters, carrier, ids_in(parameters["put_back"]))
        return result
    before = adapter(parameters).look(parameters, carrier, name)
    plan = platform.plan(parameters, carrier, before)
    if plan.reason:
        return _unchanged(before, plan)
    if carrier.check_mode:
        sentence = f"would scale {_step(name, plan)}"
        returned = _returned(before, plan, "")
        return Result("planned", sentence, changed=True, diff=plan.diff, returned=returned)

    def record(changes: Sequence[Change], is_as_before: Callable[[], bool]) -> ContextManager[list[str]]:
        return recorded(parameters, carrier, [intent_of(name, changes)], is_as_before)

    after, plan = platform.scale(parameters, carrier, before, plan, record)
    if plan.reason:
        return _unchanged(after, plan)
    ends_at = iso(carrier.now() + 60 * parameters["minutes"], "seconds")
    back = how_to_put_back([plan.changes[0].change_id], f"`{plan.back}`")
    sentence = f"scaled {_step(name, plan)}; {back}, before {ends_at}{plan.note}"
    returned = _returned(after, plan, ends_at)
    return Result("scaled", sentence, changed=True, diff=plan.diff, returned=returned)


def _step(name: str, plan: Plan) -> str:
    return f"{name} from {plan.now} to {plan.number} instances"


def _unchanged(service: Service, plan: Plan) -> Result:
    returned = _returned(service, Plan(plan.now, plan.now), "")
    return Result("unchanged", f"{service.name} is not scaled: {plan.reason}", returned=returned)


def _returned(service: Service, plan: Plan, ends_at: str) -> dict[str, Any]:
    values = {
        "service": service.as_return(),
        "instances_before": plan.now,
        "instances_after": plan.number,
        "changes": [asdict(each) for each in plan.changes],
        "put_back": plan.back,
        "ends_at": ends_at,
        "over": False,
    }
    return {**values, "patience_seconds": plan.patience_seconds} if plan.patience_seconds else values
