# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster_access, in the controller's process: see the module of the same name."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._cluster_access import ARGUMENTS
from ansible_collections.saveit.remediation.plugins.module_utils._cluster_access import run as ask
from ansible_collections.saveit.remediation.plugins.plugin_utils._access_files import needs_of_remedies
from ansible_collections.saveit.remediation.plugins.plugin_utils._action import RunAction


class ActionModule(RunAction):
    """The module's logic, with what the remedies of a role need by their own task files."""

    arguments = ARGUMENTS
    logic = staticmethod(ask)

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As the base; `role` becomes `needs`."""
        given = self._task.args
        if given.get("role") and not given.get("needs"):
            given["needs"] = needs_of_remedies(given["role"], given["runbook"]["remedies"])
        return super().run(tmp, task_vars)
