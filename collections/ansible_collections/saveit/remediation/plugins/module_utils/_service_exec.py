# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_exec: a command inside a running instance of a service."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, describe
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS, adapter

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "service": {"type": "str", "required": True},
    "command": {"type": "list", "elements": "str", "required": True},
    "stdin": {"type": "str", "default": "", "no_log": True},
    "timeout_seconds": {"type": "float", "default": 10},
    "reads_only": {"type": "bool", "default": False},
}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Run the command in the first running instance.

    Raises FailedError when none runs, or the command fails.
    """
    name, command = parameters["service"], parameters["command"]
    if not command:
        raise FailedError(f"cannot run a command in {name}: the command is empty")
    platform = adapter(parameters)
    service = platform.look(parameters, carrier, name)
    running = service.in_state(RUNNING)
    if not running:
        states = "; ".join(describe(each) for each in service.instances)
        raise FailedError(f"cannot run {command[0]!r} in {name}: {states}")
    if carrier.check_mode and not parameters["reads_only"]:
        sentence = f"would run {command[0]!r} in {running[0].name}"
        return Result("planned", sentence, changed=True)  # an rc of None would count as a failure
    timeout = parameters["timeout_seconds"]
    done = platform.execute(parameters, carrier, running[0], command, parameters["stdin"], timeout)
    if done.timed_out:
        raise FailedError(
            f"{command[0]!r} in {running[0].name} did not end within {timeout:g} s, and was ended"
        )
    if done.rc != 0:
        raise FailedError(f"{command[0]!r} in {running[0].name} failed with exit code {done.rc}: {done.said}")
    return Result(
        "done",
        f"{command[0]!r} in {running[0].name} ended well",
        changed=not parameters["reads_only"],
        returned={"rc": done.rc, "stdout": done.stdout, "stderr": done.stderr},
    )
