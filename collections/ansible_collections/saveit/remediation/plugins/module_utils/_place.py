# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where commands run and files are: the host itself, or the container of a service."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, Instance, describe
from ansible_collections.saveit.remediation.plugins.module_utils._target import adapter


class Place:
    """The host, or with a service's name its first running container."""

    def __init__(self, parameters: Mapping[str, Any], carrier: Carrier, service: str) -> None:
        """Raises FailedError when the service does not run, and what the platform raises."""
        self._parameters, self._carrier = parameters, carrier
        self._instance: Instance | None = None
        self.name = "the host"
        if service:
            found = adapter(parameters).look(parameters, carrier, service)
            running = found.in_state(RUNNING)
            if not running:
                states = "; ".join(describe(each) for each in found.instances)
                raise FailedError(f"cannot run commands in {service}: {states}")
            self._instance, self.name = running[0], running[0].name

    def run(self, command: Sequence[str], stdin: str = "", timeout: float = 10) -> Completed:
        """Run a command, whose failure is an answer."""
        if self._instance is None:
            return self._carrier.command(command, stdin, timeout)
        platform = adapter(self._parameters)
        done: Completed = platform.execute(
            self._parameters, self._carrier, self._instance, command, stdin, timeout
        )
        return done

    def must(self, attempt: str, command: Sequence[str], stdin: str = "", timeout: float = 10) -> str:
        """Run a command that has to work, and return what it printed. Raises FailedError."""
        done = self.run(command, stdin, timeout)
        if done.rc != 0:
            why = f"no answer within {timeout:g} s" if done.timed_out else done.said or f"exit code {done.rc}"
            raise FailedError(f"cannot {attempt} on {self.name}: {why}")
        return done.stdout

    def read(self, path: str) -> str:
        """A file's text. Raises FailedError when it cannot be read."""
        return self.must(f"read {path}", ["cat", path])
