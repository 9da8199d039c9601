# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""interlock, in the controller's process: see the module of the same name."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._interlock import ARGUMENTS
from ansible_collections.saveit.remediation.plugins.module_utils._interlock import run as take_step
from ansible_collections.saveit.remediation.plugins.plugin_utils._action import RunAction


class ActionModule(RunAction):
    """The module's logic over the open connection."""

    arguments = ARGUMENTS
    logic = staticmethod(take_step)

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As the base; a host that is lost at its release was judged before, and its lease ends."""
        values = super().run(tmp, task_vars)
        if self._task.args.get("step") == "release" and values.pop("unreachable", False):
            values.update(verdict="kept", sentence=values["msg"])
        return values
