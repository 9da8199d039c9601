# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put back a limit that was raised, where it is still in force."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._limits import CALLED, UNIT, Change, same
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._service import Instance
from ansible_collections.saveit.remediation.plugins.module_utils._target import resources
from ansible_collections.saveit.remediation.plugins.module_utils._usage import MIB

ROOM_PERCENT = 95  # of the old memory limit, which the working set may take when it is put back


def old_value(
    parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, now: float
) -> tuple[float | None, str, bool]:
    """What to put back; None with the reason why not, and whether nothing is left of the change.

    `now` is what is in force. Raises FailedError when `put_back` is not what an earlier task returned.
    """
    mine = [each for each in parameters["put_back"] if each.get("name") == instance.name]
    unit, called = UNIT[parameters["resource"]], CALLED[parameters["resource"]]
    if not mine:
        return None, f"nothing was changed on {instance.name}", True
    try:
        old, new = float(mine[0]["before"]), float(mine[0]["after"])
    except (KeyError, TypeError, ValueError) as error:
        raise FailedError(f"cannot put back the limit of {instance.name}: {error} in put_back") from error
    if mine[0].get("id", instance.id) != instance.id:
        own = f"its {called} is the compose file's again, {now:g} {unit}" if now else f"it has no {called}"
        return None, f"{instance.name} was made anew since the raise, which ended it: {own}", True
    if same(old, now):
        return None, f"{instance.name} has its old {called} of {old:g} {unit} again", True
    if not same(new, now):
        return None, f"{instance.name} has {now:g} {unit}, not the {new:g} that were set", False
    reason = _too_full(parameters, carrier, instance, old) if parameters["resource"] == "memory" else ""
    return (None, reason, False) if reason else (old, "", True)


def told(parameters: Mapping[str, Any], changes: Sequence[Change], planned: bool) -> str:
    """What was put back, in a sentence."""
    unit = UNIT[parameters["resource"]]
    steps = ", ".join(f"{each.name} from {each.before:g} to {each.after:g} {unit}" for each in changes)
    did = "would put back" if planned else "put back"
    return f"{did} the {CALLED[parameters['resource']]} of {parameters['service']}: {steps}"


def _too_full(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, wanted: float) -> str:
    """Why the old memory limit would now kill; "" when it would not."""
    used = resources(parameters).read(parameters, carrier, instance).working_set
    if used is None or used / MIB <= wanted * ROOM_PERCENT / 100:
        return ""
    return (
        f"{instance.name} uses {used / MIB:.0f} MiB now, and the old limit of {wanted:g} MiB would have "
        "processes of it killed; restart it before"
    )
