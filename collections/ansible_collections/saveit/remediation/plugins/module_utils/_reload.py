# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have a service read its configuration and its files again, after they were found valid."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._service import (
    RUNNING,
    Instance,
    Service,
    describe,
)
from ansible_collections.saveit.remediation.plugins.module_utils._target import adapter

RELOAD_ARGUMENTS: Mapping[str, Any] = {
    "validate_command": {"type": "list", "elements": "str", "default": ["nginx", "-t", "-q"]},
    "signal": {"type": "str", "default": "HUP"},
    "validate_timeout_seconds": {"type": "float", "default": 10},
}
GRACE = 3  # seconds to end; it serves nobody


def reload(parameters: Mapping[str, Any], carrier: Carrier, service: Service) -> str:
    """Validate and signal every running instance, and start those that wait for files they can use.

    Returns what was done. Raises FailedError, before any signal, when the validation fails.
    """
    platform = adapter(parameters)
    running, down = service.in_state(RUNNING), service.in_state("restarting", "stopped", "created")
    if not running and not down:
        states = "; ".join(describe(each) for each in service.instances)
        raise FailedError(f"cannot reload {service.name}: {states}")
    sound = [each for each in running if _is_valid(parameters, carrier, service.name, each)]
    for instance in sound:
        platform.signal(parameters, carrier, instance, parameters["signal"])
    for instance in down:
        if instance.state != "restarting":
            platform.start(parameters, carrier, instance)
    ended = [each for each in running if each not in sound]
    for instance in [*ended, *(each for each in down if each.state == "restarting")]:
        platform.restart(parameters, carrier, instance, GRACE)
    did = [f"{each.name} reloaded" for each in sound]
    return ", ".join(did + [f"{each.name} started" for each in (*ended, *down)])


def _is_valid(parameters: Mapping[str, Any], carrier: Carrier, name: str, instance: Instance) -> bool:
    """Whether what it would read is valid; False for one that ended meanwhile, as one in a crash loop does.

    Raises FailedError, with the words of the validation, when it is not.
    """
    command, timeout = parameters["validate_command"], parameters["validate_timeout_seconds"]
    if not command:
        return True
    platform = adapter(parameters)
    done = platform.execute(parameters, carrier, instance, command, "", timeout)
    if done.rc == 0:
        return True
    now = platform.look(parameters, carrier, name)
    if instance.id not in [each.id for each in now.in_state(RUNNING)]:
        return False
    why = f"no answer within {timeout:g} s" if done.timed_out else done.said[-400:]
    raise FailedError(
        f"{instance.name} is not reloaded: `{' '.join(command)}` says that what it would read "
        f"is not valid: {why}"
    )
