# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""temporary_changes, in the controller's process: see the module of the same name."""

from __future__ import annotations

from ansible_collections.saveit.remediation.plugins.module_utils._temporary_changes import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.plugin_utils._action import RunAction


class ActionModule(RunAction):
    """The module's logic over the open connection."""

    arguments = ARGUMENTS
    logic = staticmethod(run)
