# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fast path: the logic of the module file in the controller's process, over the open connection.

A module task costs a third of a second, an action plugin a fiftieth, and the managed host needs no Python for
it.
"""

from __future__ import annotations

import contextlib
import shlex
import time
import uuid
from pathlib import Path
from typing import Any, ClassVar, Dict, List, Mapping, Sequence

from ansible.constants import DEFAULT_LOCAL_TMP
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.saveit.remediation.plugins.module_utils._attempt import attempt
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import (
    Carrier,
    Completed,
    ConnectOnce,
)
from ansible_collections.saveit.remediation.plugins.module_utils._redact import (
    is_secret,
    known_secrets,
    redact_data,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result
from ansible_collections.saveit.remediation.plugins.plugin_utils._connection import (
    SilentError,
    way_of,
    within,
)
from ansible_collections.saveit.remediation.plugins.plugin_utils._unreachable import (
    Way,
    explain,
    no_answer,
    no_command,
)

_LONGEST = 600.0  # seconds for a command that has no limit of its own
_SLACK = 10.0  # seconds: a busy host, and timeout(1) waiting for SIGTERM to help


class UnreachableHostError(Exception):
    """The host was not reached, or did not run the command; carries the sentence."""


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
        self._vars = task_vars or {}
        values: dict[str, Any] = super().run(task_vars=task_vars)
        _checked, parameters = self.validate_argument_spec(argument_spec=dict(self.arguments))
        shared = Path(DEFAULT_LOCAL_TMP)  # Ansible's own of this run, mode 0700, which it removes at the end
        cluster = ConnectOnce(shared)
        secrets = known_secrets(self.arguments, parameters, self._secrets())
        carrier = Carrier(
            execute=self._execute,
            now=time.time,
            sleep=time.sleep,
            check_mode=self._task.check_mode,
            host=self._host(),
            cluster=cluster,
            shared=shared,
            secrets=secrets,
        )
        told: Dict[str, Any] = {}
        kept: Mapping[str, Any] = {}
        try:
            result = attempt(self.logic, parameters, carrier)
            told, kept = result.as_return(), result.kept
        except FailedError as error:
            told = {"failed": True, **error.as_return()}
        except UnreachableHostError as error:
            told = {"unreachable": True, "msg": str(error)}
        finally:
            cluster.close()
        values.update({**redact_data(told, [*secrets, *cluster.secrets]), **kept})
        values["observed_at"] = carrier.now()
        return values

    def _execute(self, command: Sequence[str], stdin: str) -> Completed:
        """One line for the remote shell, in which shlex.join keeps every argument one argument.

        A banner and a login shell that prints come before the marks, so they are no answer of the command.
        """
        mark = uuid.uuid4().hex
        line = shlex.join(command) if stdin else f"{shlex.join(command)} </dev/null"
        if self._connection.transport == "ssh":
            self._connection.set_option("use_tty", False)  # it would mix the two streams
        limit = self._limit(command)
        try:
            with within(limit):
                done = self._low_level_execute_command(
                    f"echo {mark}; echo {mark} >&2; {line}", in_data=stdin.encode() if stdin else None
                )
        except SilentError:
            raise UnreachableHostError(no_answer(limit, self._way())) from None
        except AnsibleConnectionFailure as error:
            raise UnreachableHostError(explain(str(error), self._way())) from None
        chatter, began, stdout = done["stdout"].partition(f"{mark}\n")
        if not began:
            said = f"{done['stderr']}\n{chatter}"
            raise UnreachableHostError(no_command(said, done["rc"], self._way()))
        return Completed(done["rc"], stdout, done["stderr"].partition(f"{mark}\n")[2])

    def _host(self) -> str:
        """Its name in the inventory, which is not that of a host made by incident_host."""
        return str(self._vars.get("incident_host_of") or self._vars.get("inventory_hostname") or "this host")

    def _secrets(self) -> List[str]:
        """Those of the host's variables, by their names: what one server was told another one may log."""
        found = []
        for name in filter(is_secret, self._vars):
            with contextlib.suppress(AnsibleError):  # a template of which something is missing: no secret yet
                found.append(self._templar.template(self._vars[name]))
        return [str(value) for value in found if value and isinstance(value, str)]

    def _way(self) -> Way:
        return way_of(self._connection, self._vars)

    def _limit(self, command: Sequence[str]) -> float:
        """Seconds after which nothing comes any more: to connect, and what timeout(1) gives the command."""
        connect = 10
        with contextlib.suppress(KeyError):
            connect = int(self._connection.get_option("timeout"))
        own = float(command[3]) if list(command[:3]) == ["timeout", "-k", "1"] else _LONGEST
        return connect + own + _SLACK
