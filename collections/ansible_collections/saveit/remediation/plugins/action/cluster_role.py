# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster_role, in the controller's process: see the module of the same name."""

from __future__ import annotations

from typing import Any, Mapping

from ansible.errors import AnsibleActionFail

from ansible_collections.saveit.remediation.plugins.module_utils._cluster_role import ARGUMENTS
from ansible_collections.saveit.remediation.plugins.module_utils._cluster_role import run as write
from ansible_collections.saveit.remediation.plugins.plugin_utils._access_files import (
    commands,
    incident_types,
    rules_for,
)
from ansible_collections.saveit.remediation.plugins.plugin_utils._action import RunAction


class ActionModule(RunAction):
    """The module's logic, with the rules of the runbooks that are named; all of them without a name."""

    arguments = ARGUMENTS
    logic = staticmethod(write)

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As the base; raises AnsibleActionFail for a runbook that there is not."""
        given = self._task.args
        if not given.get("rules"):
            names = given.get("names") or incident_types()
            known = [*incident_types(), *commands()]
            unknown = [name for name in names if name not in known]
            if unknown:
                raise AnsibleActionFail(f"unknown runbook {', '.join(unknown)}; there are {', '.join(known)}")
            given["rules"] = [rule for name in names for rule in rules_for(name)]
        return super().run(tmp, task_vars)
