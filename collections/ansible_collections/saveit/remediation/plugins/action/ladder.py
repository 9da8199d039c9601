# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ladder, in the controller's process: see the module of the same name."""

from __future__ import annotations

import json
from typing import Any, Collection, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._blast_radius import CLEARED, SICK
from ansible_collections.saveit.remediation.plugins.module_utils._ladder import ARGUMENTS
from ansible_collections.saveit.remediation.plugins.module_utils._ladder import run as take_step
from ansible_collections.saveit.remediation.plugins.module_utils._ladder_state import PUBLISHED
from ansible_collections.saveit.remediation.plugins.plugin_utils._action import RunAction

GROUPS = {"look": SICK, "cleared": CLEARED}  # by the stage of a ladder where something was found


class ActionModule(RunAction):
    """One step of the ladder; the last one publishes the result contract."""

    arguments = ARGUMENTS
    logic = staticmethod(take_step)

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As the base; the end adds what `set_stats` would, over all hosts: the last word counts there."""
        known = task_vars or {}
        given = self._task.args
        if given.get("step") == "count" or (given.get("step") == "open" and given.get("stage") == "act"):
            batch = () if given["step"] == "count" else known["ansible_play_batch"]
            self._task.args = {**given, "others": self._others(known, batch)}
        values = super().run(tmp, task_vars)
        if values.get("final"):
            others = [json.loads(kept) for kept in self._others(known).values() if kept]
            published = {
                key: [each for state in (values, *others) for each in state[key]] for key in PUBLISHED
            }
            stats = {"data": {"remediation": published}, "per_host": False, "aggregate": False}
            values["ansible_stats"] = stats
            group = GROUPS.get(values["stage"])
            if group and values["verdict"] == "diagnosed":
                values.update(self._joined(group, known))
        return values

    def _joined(self, group: str, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """What group_by does and returns, without a task of its own: how that is done is not the same in all
        versions of ansible-core."""
        from ansible.plugins.action.group_by import ActionModule as GroupBy

        self._task.args = {"key": group}
        rest = (self._connection, self._play_context, self._loader, self._templar, self._shared_loader_obj)
        told = GroupBy(self._task, *rest).run(None, task_vars)
        return {name: told[name] for name in ("add_group", "parent_groups")}

    def _others(self, task_vars: Mapping[str, Any], without: Collection[str] = ()) -> dict[str, str]:
        """By host of the play, what its ladder kept; empty where it has none."""
        here, hostvars = task_vars["inventory_hostname"], task_vars["hostvars"]
        others = [
            host for host in task_vars["ansible_play_hosts_all"] if host != here and host not in without
        ]
        return {host: (hostvars[host].get("ladder_state") or {}).get("kept", "") for host in others}
