# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_scale: more instances of a service, or the reason why there cannot be more."""

from __future__ import annotations

import shlex
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, iso
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result
from ansible_collections.saveit.remediation.plugins.module_utils._service import Service
from ansible_collections.saveit.remediation.plugins.module_utils._target import (
    TARGET_ARGUMENTS,
    adapter,
    scaling,
)

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "service": {"type": "str", "required": True},
    "instances": {"type": "int", "default": 0},
    "maximum": {"type": "int", "default": 5},
    "minutes": {"type": "int", "default": 60},
    "compose_command": {"type": "list", "elements": "str", "default": []},
}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Add instances; in check mode only say so.

    Raises FailedError for numbers that are none, and when the platform refuses; what it made is then gone.
    """
    name, wanted = parameters["service"], parameters["instances"]
    if wanted < 0 or parameters["maximum"] < 1 or parameters["minutes"] < 1:
        raise FailedError(f"cannot scale {name}: instances must be 0 or more, maximum and minutes 1 or more")
    platform = scaling(parameters)
    before = adapter(parameters).look(parameters, carrier, name)
    now = len(before.instances)
    number = wanted or now + 1
    if number > parameters["maximum"]:
        return _unchanged(before, f"it has {now}, and the maximum is {parameters['maximum']}")
    if number <= now:
        return _unchanged(before, f"it has {now} already, and this only adds")
    made = platform.composed(parameters, carrier, before)
    reason = platform.why_not(parameters, carrier, made)
    if reason:
        return _unchanged(before, reason)
    command = platform.tool(parameters, carrier)
    if not command:
        return _unchanged(before, "this host has neither `docker compose` nor `docker-compose`")
    back = shlex.join(platform.scale_command(command, made, now))
    diff = {"before": f"{name}: {now} instances\n", "after": f"{name}: {number} instances\n"}
    if carrier.check_mode:
        sentence = f"would scale {name} from {now} to {number} instances"
        returned = _returned(before, now, number, back, "")
        return Result("planned", sentence, changed=True, diff=diff, returned=returned)
    after = platform.scale(parameters, carrier, before, made, number)
    ends_at = iso(carrier.now() + 60 * parameters["minutes"], "seconds")
    sentence = f"scaled {name} from {now} to {number} instances; put it back with `{back}`, before {ends_at}"
    returned = _returned(after, now, number, back, ends_at)
    return Result("scaled", sentence, changed=True, diff=diff, returned=returned)


def _unchanged(service: Service, reason: str) -> Result:
    now = len(service.instances)
    returned = _returned(service, now, now, "", "")
    return Result("unchanged", f"{service.name} is not scaled: {reason}", returned=returned)


def _returned(service: Service, before: int, after: int, back: str, ends_at: str) -> dict[str, Any]:
    return {
        "service": service.as_return(),
        "instances_before": before,
        "instances_after": after,
        "put_back": back,
        "ends_at": ends_at,
    }
