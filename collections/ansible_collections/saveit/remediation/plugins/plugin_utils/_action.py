# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fast path: the logic of the module file in the controller's process, over the open connection.

A module task costs a third of a second, an action plugin a fiftieth, and the managed host needs no Python for
it.
"""

from __future__ import annotations

import shlex
import time
from typing import Any, ClassVar, Mapping, Sequence

from ansible.plugins.action import ActionBase

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result


class RunAction(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """Base of our action plugins; a plugin only names the module's ARGUMENTS and run()."""

    _supports_check_mode = True
    _supports_async = False
    arguments: ClassVar[Mapping[str, Any]]

    @staticmethod
    def logic(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
        """The module's run()."""
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run the logic; a failure becomes a failed result with its sentence, never a traceback."""
        del tmp
        values: dict[str, Any] = super().run(task_vars=task_vars)
        _checked, parameters = self.validate_argument_spec(argument_spec=dict(self.arguments))
        carrier = Carrier(
            execute=self._execute, now=time.time, sleep=time.sleep, check_mode=self._task.check_mode
        )
        try:
            values.update(self.logic(parameters, carrier).as_return())
        except FailedError as error:
            values.update(failed=True, **error.as_return())
        values["observed_at"] = carrier.now()
        return values

    def _execute(self, command: Sequence[str], stdin: str) -> Completed:
        # The connection takes one line for the remote shell; shlex.join keeps every argument one argument.
        done = self._low_level_execute_command(shlex.join(command), in_data=stdin.encode() if stdin else None)
        return Completed(done["rc"], done["stdout"], done["stderr"])
