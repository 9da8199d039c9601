# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_reload: validate what a service would read, then signal it to read it."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._reload import RELOAD_ARGUMENTS, reload
from ansible_collections.saveit.remediation.plugins.module_utils._result import Result
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, describe
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS, adapter

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    **RELOAD_ARGUMENTS,
    "service": {"type": "str", "required": True},
}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Reload the running instances; in check mode only say so."""
    name = parameters["service"]
    service = adapter(parameters).look(parameters, carrier, name)
    running = service.in_state(RUNNING)
    returned = {"service": service.as_return()}
    if not running:
        states = "; ".join(describe(each) for each in service.instances)
        return Result("unchanged", f"{name} is not reloaded: {states}", returned=returned)
    names = ", ".join(each.name for each in running)
    command = " ".join(parameters["validate_command"])
    first = f", after `{command}` found it valid" if command else ""
    diff = {
        "before": "".join(
            f"{each.name}: what it read when it was started or last reloaded\n" for each in running
        ),
        "after": "".join(f"{each.name}: what is in its files now\n" for each in running),
    }
    if carrier.check_mode:
        sentence = f"would send SIG{parameters['signal']} to {name} ({names}){first}"
        return Result("planned", sentence, changed=True, diff=diff, returned=returned)
    sentence = f"{name}: {reload(parameters, carrier, service)}{first}"
    return Result("reloaded", sentence, changed=True, diff=diff, returned=returned)
