# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connect to the database as the application does, with a command inside one of its own instances.

The command prints IMPORTED and then connects, with an alarm on the connection alone: so a database that hangs
is told from an application that is slow, or is another one.
"""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, Service
from ansible_collections.saveit.remediation.plugins.module_utils._target import adapter

IMPORTED = "imported"  # what the command prints before it connects
ALARM = 128 + 14  # the exit code of a command that SIGALRM ended


class Attempt(NamedTuple):
    """`connected` is None when nobody knows; `silent`: it hung; `error`: the last line that says why not."""

    where: str
    connected: bool | None
    silent: bool = False
    error: str = ""


def connect(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    service: Service,
    command: Sequence[str],
    timeout: float,
) -> Attempt:
    """Run the command in the first instance that runs, ended after `timeout` seconds."""
    running = service.in_state(RUNNING)
    if not command or not running:
        return Attempt(service.name, None, error=f"no instance of {service.name} runs")
    done: Completed = adapter(parameters).execute(parameters, carrier, running[0], command, "", timeout)
    where = running[0].name
    if done.rc == 0:
        return Attempt(where, True)
    lines = [line.strip() for line in done.stderr.splitlines() if "Error" in line or "FATAL" in line]
    error = (lines or [done.said])[-1]
    if IMPORTED not in done.stdout:
        return Attempt(where, None, error=error)  # not this application, or too slow to say
    return Attempt(where, False, done.timed_out or done.rc == ALARM, error)
