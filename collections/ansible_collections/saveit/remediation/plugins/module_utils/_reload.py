# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have a service read its configuration and its files again, after they were found valid."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, Service, describe
from ansible_collections.saveit.remediation.plugins.module_utils._target import adapter

RELOAD_ARGUMENTS: Mapping[str, Any] = {
    "validate_command": {"type": "list", "elements": "str", "default": ["nginx", "-t", "-q"]},
    "signal": {"type": "str", "default": "HUP"},
    "validate_timeout_seconds": {"type": "float", "default": 10},
}


def reload(parameters: Mapping[str, Any], carrier: Carrier, service: Service) -> str:
    """Validate and signal every running instance, and start those that wait for files they can use.

    Returns what was done. Raises FailedError, before any signal, when the validation fails.
    """
    platform = adapter(parameters)
    running, down = service.in_state(RUNNING), service.in_state("restarting", "stopped", "created")
    if not running and not down:
        states = "; ".join(describe(each) for each in service.instances)
        raise FailedError(f"cannot reload {service.name}: {states}")
    command = parameters["validate_command"]
    for instance in running if command else ():
        timeout = parameters["validate_timeout_seconds"]
        done = platform.execute(parameters, carrier, instance, command, "", timeout)
        if done.rc != 0:
            why = f"no answer within {timeout:g} s" if done.timed_out else done.said[-400:]
            raise FailedError(
                f"{instance.name} is not reloaded: `{' '.join(command)}` says that what it would read "
                f"is not valid: {why}"
            )
    for instance in running:
        platform.signal(parameters, carrier, instance, parameters["signal"])
    for instance in down:
        if instance.state == "restarting":
            platform.restart(parameters, carrier, instance, 3)
        else:
            platform.start(parameters, carrier, instance)
    did = [f"{each.name} reloaded" for each in running] + [f"{each.name} started" for each in down]
    return ", ".join(did)
