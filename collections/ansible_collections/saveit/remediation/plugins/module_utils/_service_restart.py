# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_restart: start, unpause or restart the instances of a service that need it."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import Result
from ansible_collections.saveit.remediation.plugins.module_utils._service import (
    RUNNING,
    Instance,
    Service,
    describe,
)
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS, adapter

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "service": {"type": "str", "required": True},
    "method": {"type": "str", "choices": ["start", "unpause", "restart"], "default": "restart"},
    "grace_seconds": {"type": "int", "default": 10},
}

# The states from which each method may act; in any other the world is not what was assessed.
ACTS_ON = {"start": ("stopped", "created"), "unpause": ("paused",), "restart": (RUNNING,)}
PAST = {"start": "started", "unpause": "unpaused", "restart": "restarted"}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Act on the instances that are in a state the method is for; in check mode only say so."""
    method, name = parameters["method"], parameters["service"]
    platform = adapter(parameters)
    before = platform.look(parameters, carrier, name)
    chosen = before.in_state(*ACTS_ON[method])
    if not chosen:
        states = "; ".join(describe(each) for each in before.instances)
        acts_on = " or ".join(ACTS_ON[method])
        sentence = f"{name} is not {PAST[method]}: {states}, and {method} acts only on {acts_on}"
        return Result("unchanged", sentence, returned=_returned(before))
    names = ", ".join(each.name for each in chosen)
    if carrier.check_mode:
        return Result(
            "planned",
            f"would {method} {name} ({names})",
            changed=True,
            diff=_diff(chosen, None, method),
            returned=_returned(before),
        )
    for instance in chosen:
        if method == "restart":
            platform.restart(parameters, carrier, instance, parameters["grace_seconds"])
        else:
            getattr(platform, method)(parameters, carrier, instance)
    after = platform.look(parameters, carrier, name)
    return Result(
        PAST[method],
        f"{name} was {PAST[method]} ({names})",
        changed=True,
        diff=_diff(chosen, after, method),
        returned=_returned(after),
    )


def _returned(service: Service) -> dict[str, Any]:
    return {"service": service.as_return()}


def _diff(chosen: tuple[Instance, ...], after: Service | None, method: str) -> dict[str, str]:
    now = {each.id: each for each in after.instances} if after else {}
    lines_before = [f"{each.name}: {each.state} since {each.started_at or 'never'}\n" for each in chosen]
    lines_after = [
        f"{each.name}: {now[each.id].state} since {now[each.id].started_at}\n"
        if each.id in now
        else f"{each.name}: {RUNNING}, {PAST[method]} by this task\n"
        for each in chosen
    ]
    return {"before": "".join(lines_before), "after": "".join(lines_after)}
