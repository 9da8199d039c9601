# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ladder, in the controller's process: see the module of the same name."""

from __future__ import annotations

import json
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._ladder import ARGUMENTS
from ansible_collections.saveit.remediation.plugins.module_utils._ladder import run as take_step
from ansible_collections.saveit.remediation.plugins.module_utils._ladder_state import PUBLISHED
from ansible_collections.saveit.remediation.plugins.plugin_utils._action import RunAction


class ActionModule(RunAction):
    """One step of the ladder; the last one publishes the result contract."""

    arguments = ARGUMENTS
    logic = staticmethod(take_step)

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As the base; the end adds what `set_stats` would, over all hosts: the last word counts there."""
        values = super().run(tmp, task_vars)
        if values.get("final"):
            states = [values, *self._other_states(task_vars or {})]
            published = {key: [each for state in states for each in state[key]] for key in PUBLISHED}
            stats = {"data": {"remediation": published}, "per_host": False, "aggregate": False}
            values["ansible_stats"] = stats
        return values

    def _other_states(self, task_vars: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        here, hostvars = task_vars["inventory_hostname"], task_vars["hostvars"]
        others = [hostvars[host] for host in task_vars["ansible_play_hosts_all"] if host != here]
        known = [each.get("ladder_state", {}) for each in others]
        return [json.loads(each["kept"]) for each in known if "kept" in each]
