# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way in when every slot is taken: end one idle session through its server process, inside the service.

PostgreSQL takes SIGTERM at a session's process for what pg_terminate_backend does, and SIGKILL for a crash
of the whole server: so it is SIGTERM or nothing. The title of a process says user, database, client and
state, see https://www.postgresql.org/docs/current/monitoring-ps.html. It does not say how long the session
has been idle, so the process must be older than the limit, its title exactly `idle`, and its CPU time the
same, in two looks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, Instance
from ansible_collections.saveit.remediation.plugins.module_utils._target import adapter

TICKS = 100  # USER_HZ: what the kernel counts in for /proc, on every platform that containers run on
BETWEEN_LOOKS = 1.0  # seconds
_LIST = (
    "head -v -c 4096 /proc/uptime /proc/[0-9]*/cmdline /proc/[0-9]*/stat 2>/dev/null | tr '\\000' ' '; exit 0"
)
# The title and the start time once more, in the moment before the signal: a process id may be somebody
# else's by now.
_END = (
    '[ "$(tr -d "\\000" < "/proc/$1/cmdline")" = "$2" ] && '
    '[ "$(sed "s/.*) //" "/proc/$1/stat" | cut -d" " -f20)" = "$3" ] || exit 3; kill -TERM "$1"'
)
CHANGED = 3  # exit code of _END when the process is not what was chosen
_PART = re.compile(r"(?:^|\n)==> /proc/(?:(\d+)/(cmdline|stat)|uptime) <==\n")
# `postgres: [cluster: ]user database client state`; names with spaces are not read, and so never chosen.
_TITLE = re.compile(
    r"postgres: (?:(?P<cluster>[^ ]+): )?(?P<user>[^ ]+) (?P<database>[^ ]+) "
    r"(?P<client>\[local\]|[^ ]+\(\d+\)) idle"
)


@dataclass(frozen=True)
class Process:
    """A process inside the service. Times are in clock ticks: the start since boot, the CPU's altogether."""

    pid: int
    parent: int
    started: int
    cpu: int
    title: str
    age_seconds: float

    @property
    def words(self) -> str:
        """The process, for a sentence."""
        return f"process {self.pid} ({self.title}), {self.age_seconds:.0f} s old"


def parse(text: str) -> list[Process]:
    """The processes in what _LIST printed; one that ended meanwhile is left out."""
    parts = _PART.split(text)
    found: dict[int, dict[str, str]] = {}
    uptime = 0.0
    for pid, kind, content in zip(parts[1::3], parts[2::3], parts[3::3]):
        if not pid:
            uptime = float((content.split() or ["0"])[0])
        else:
            found.setdefault(int(pid), {})[kind] = content
    processes = []
    for number, each in sorted(found.items()):
        fields = each.get("stat", "").rpartition(")")[2].split()
        if len(fields) > 20 and "cmdline" in each:
            started = int(fields[19])
            age = max(0.0, uptime - started / TICKS)
            cpu = int(fields[11]) + int(fields[12])
            title = each["cmdline"].rstrip(" \n")
            processes.append(Process(number, int(fields[1]), started, cpu, title, age))
    return processes


def candidates(
    processes: Sequence[Process], database: str, exclude_users: Sequence[str], older_than_seconds: float
) -> list[Process]:
    """Idle sessions of this database, the oldest first.

    Raises FailedError when the processes of more than one PostgreSQL server can be seen: then it is
    not certain whose they are.
    """
    servers = {each.parent for each in processes if each.title.startswith("postgres: ")}
    if len(servers) > 1:
        raise FailedError(
            f"cannot end a session through its process: {len(servers)} PostgreSQL servers can be seen there"
        )
    found = []
    for each in processes:
        title = _TITLE.fullmatch(each.title)
        if (
            title
            and title["database"] == database
            and title["user"] not in ("walsender", *exclude_users)  # replication says `walsender` first
            and each.age_seconds >= older_than_seconds
        ):
            found.append(each)
    return sorted(found, key=lambda each: each.started)


def unmoved(before: Sequence[Process], after: Sequence[Process]) -> list[Process]:
    """Those of `after` that were the same in `before` and used no CPU time in between."""
    known = {(each.pid, each.started, each.cpu, each.title) for each in before}
    return [each for each in after if (each.pid, each.started, each.cpu, each.title) in known]


def choose(parameters: Mapping[str, Any], carrier: Carrier) -> Process:
    """The oldest idle session's process, after two looks. Raises FailedError when there is none."""
    looks = []
    for pause in (0.0, BETWEEN_LOOKS):
        if pause:
            carrier.sleep(pause)
        looks.append(
            candidates(
                parse(_inside(parameters, carrier, ["sh", "-c", _LIST])),
                parameters["database"],
                parameters["exclude_users"],
                parameters["idle_minutes"] * 60,
            )
        )
    still = unmoved(*looks)
    if not still:
        raise FailedError(
            f"cannot free a slot of {parameters['service']}: no server process there shows a session of the "
            f"database {parameters['database']} that is older than {parameters['idle_minutes']:g} "
            f"min and idle"
        )
    return still[0]


def end(parameters: Mapping[str, Any], carrier: Carrier, process: Process) -> bool:
    """SIGTERM; False when the process has changed since it was chosen. Raises FailedError."""
    command = ["sh", "-c", _END, "sh", str(process.pid), process.title, str(process.started)]
    platform, instance = _where(parameters, carrier)
    done = platform.execute(parameters, carrier, instance, command, "", parameters["timeout_seconds"])
    if done.rc == CHANGED:
        return False
    if done.rc != 0:
        raise FailedError(f"cannot end {process.words} in {instance.name}: {done.said}")
    return True


def _inside(parameters: Mapping[str, Any], carrier: Carrier, command: Sequence[str]) -> str:
    platform, instance = _where(parameters, carrier)
    done = platform.execute(parameters, carrier, instance, command, "", parameters["timeout_seconds"])
    if done.rc != 0:
        raise FailedError(f"cannot look at the processes in {instance.name}: {done.said}")
    return str(done.stdout)


def _where(parameters: Mapping[str, Any], carrier: Carrier) -> tuple[Any, Instance]:
    platform = adapter(parameters)
    running = platform.look(parameters, carrier, parameters["service"]).in_state(RUNNING)
    if not running:
        raise FailedError(f"cannot look at the processes of {parameters['service']}: no instance runs")
    return platform, running[0]
