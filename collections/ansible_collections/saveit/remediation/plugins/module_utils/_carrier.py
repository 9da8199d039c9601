# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module reaches the world: commands on the host, a cluster, the clock, and sleep.

The logic of a module is `run(parameters, carrier) -> Result`. A test gives it a carrier that plays a recorded
conversation; the module file gives it one that starts processes, the action plugin one that uses Ansible's
open connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, List, Mapping, NamedTuple, Sequence

if TYPE_CHECKING:
    from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import Cluster

TIMED_OUT = (124, 143)  # exit codes of timeout(1) when it had to end the command: coreutils', busybox's


class Completed(NamedTuple):
    """A command that has ended."""

    rc: int
    stdout: str
    stderr: str

    @property
    def timed_out(self) -> bool:
        """Did timeout(1) have to end it?"""
        return self.rc in TIMED_OUT

    @property
    def said(self) -> str:
        """What it said about its failure, in one line."""
        return " ".join((self.stderr.strip() or self.stdout.strip()).split())


class ConnectOnce:
    """The cluster of a task: connected at its first use, and then the same until it is closed."""

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self._cluster: Cluster | None = None
        self.secrets: List[str] = []  # what we said who we are with

    def __call__(self, parameters: Mapping[str, Any]) -> Cluster:
        """Raises ObstacleError as _kubernetes_api.connect."""
        if self._cluster is None:
            from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import connect

            self._cluster = connect(parameters, folder=str(self._shared) if self._shared else None)
            token = self._cluster.access.token
            self.secrets = [token] if token else []
        return self._cluster

    def close(self) -> None:
        """Close the connections, and remove the keys that were written for them."""
        if self._cluster is not None:
            self._cluster.close()
            self._cluster = None


@dataclass(frozen=True)
class Carrier:
    """`execute` takes an argument list and standard input, and never a shell line; `host` is its name.

    `cluster` gives the connection for the options of the group `target`; `shared` is a private folder that
    all tasks of one run have in common, None where there is none. `secrets` are values that no output of
    others may show.
    """

    execute: Callable[[Sequence[str], str], Completed]
    now: Callable[[], float]
    sleep: Callable[[float], None]
    check_mode: bool = False
    host: str = "this host"
    cluster: Callable[[Mapping[str, Any]], Cluster] = field(default_factory=ConnectOnce)
    shared: Path | None = None
    secrets: Sequence[str] = ()

    def command(self, arguments: Sequence[str], stdin: str = "", timeout: float = 15) -> Completed:
        """Run a command on the host, ended after `timeout` seconds by timeout(1), which every host has."""
        return self.execute(["timeout", "-k", "1", f"{timeout:g}", *arguments], stdin)


def iso(seconds: float, timespec: str = "milliseconds") -> str:
    """A time of the carrier's clock in ISO 8601, UTC."""
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat(timespec=timespec)
