# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docker-compose: what a container takes, what it may take, and how to change that while it runs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils import _cgroup
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._cgroup import Reading
from ansible_collections.saveit.remediation.plugins.module_utils._compose import ask, execute
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._service import Instance, Service
from ansible_collections.saveit.remediation.plugins.module_utils._usage import MIB

_DEFAULT_PERIOD = 100_000  # microseconds; what the kernel takes when nobody said anything
_SIZE = re.compile(r"([\d.]+)\s*([KMGT]i?)?B")
_UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40,
          "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What the engine was told that a container may take; 0 is no limit.

    `swap` is memory and swap together, as the engine counts it, -1 without a limit. The CPU cap is given
    either in `nano_cpus` or in `quota` of `period`; the engine takes no change of one where the other is set.
    """

    memory: int = 0
    swap: int = 0
    nano_cpus: int = 0
    quota: int = 0
    period: int = 0

    @property
    def memory_mb(self) -> float:
        """In MiB."""
        return round(self.memory / MIB, 1)

    @property
    def cores(self) -> float:
        """The CPU cap, in cores."""
        if self.nano_cpus:
            return round(self.nano_cpus / 1e9, 3)
        return round(self.quota / (self.period or _DEFAULT_PERIOD), 3) if self.quota > 0 else 0


def read(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> Reading:
    """The counters, read inside the container; an empty Reading where that does not work."""
    done = execute(parameters, carrier, instance, _cgroup.COMMAND, "", timeout=5)
    # grep ends with 2 because some of the files belong to the other version of cgroups.
    return _cgroup.parse(done.stdout)


def stats(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> dict[str, float | None]:
    """Working set, memory limit (bytes) and cores, as `docker stats` has them.

    It takes one and a half seconds, so it is for containers in which nothing can be read. All None when the
    engine does not know either.
    """
    command = ["stats", "--no-stream", "--format={{json .}}", instance.id]
    said = ask(parameters, carrier, command, f"cannot ask for the use of {instance.name}").stdout
    return parse_stats(said)


def stats_of(
    parameters: Mapping[str, Any], carrier: Carrier, instances: Sequence[Instance]
) -> tuple[dict[str, dict[str, float | None]], str]:
    """The same for several containers at once, by id; empty where the engine cannot tell.

    Beside it, why nobody can tell, which on this platform is never so.
    """
    if not instances:
        return {}, ""
    ids = [each.id for each in instances]
    command = ["stats", "--no-stream", "--no-trunc", "--format={{.ID}}\t{{json .}}", *ids]
    said = ask(parameters, carrier, command, "cannot ask for the use of all containers", 30).stdout
    lines = [line.partition("\t") for line in said.splitlines() if "\t" in line]
    return {id_: parse_stats(told) for id_, _tab, told in lines}, ""


def parse_stats(text: str) -> dict[str, float | None]:
    """What `docker stats --format={{json .}}` says of one container."""
    try:
        told = json.loads(text)
        sizes = [_bytes(part) for part in str(told["MemUsage"]).split("/")]
        percent = str(told["CPUPerc"]).rstrip("%")
    except (ValueError, KeyError, TypeError):
        return {"working_set": None, "limit": None, "cores": None}
    cores = round(float(percent) / 100, 2) if re.fullmatch(r"[\d.]+", percent) else None
    return {"working_set": sizes[0], "limit": sizes[1] if len(sizes) == 2 else None, "cores": cores}


def oom_events(
    parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, seconds: float
) -> int | None:
    """How many OOM kills the engine told of that may go on, in the last so many seconds by its host's clock.

    None when it told of nothing that bears on it.
    """
    # The engine keeps only its last events; on a busy host that is minutes, which the window must not exceed.
    command = ["events", f"--since={seconds:g}s", "--until=0s"]
    command += [f"--filter=event={each}" for each in ("oom", "start", "update")]
    command += [f"--filter=container={instance.id}", "--format={{.Action}}"]
    said = ask(parameters, carrier, command, f"cannot ask for the events of {instance.name}").stdout
    return kills_since([line.strip() for line in said.splitlines()], instance.restarts)


def kills_since(events: Sequence[str], restarts: int) -> int | None:
    """OOM kills since a person or a tool last started it, and since its limits were changed; None: no event.

    `events` in the order of time. The last `restarts` starts were the engine's own, after a kill as likely
    as not, so that they end nothing.
    """
    if not events:
        return None
    starts = [place for place, event in enumerate(events) if event == "start"]
    begin = starts[-restarts - 1] if len(starts) > restarts else 0
    changes = [place for place, event in enumerate(events) if event == "update"]
    return sum(event == "oom" for event in events[max(begin, *changes[-1:], 0) :])


def why_fixed(parameters: Mapping[str, Any], service: Service) -> str:
    """Why the limits of what runs cannot be raised: the engine can."""
    del parameters, service
    return ""


def limits(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> Limits:
    """What the container may take. Raises FailedError when the engine's answer is none."""
    command = ["inspect", "--type=container", "--format={{json .HostConfig}}", instance.id]
    attempt = f"cannot read the limits of {instance.name}"
    said = ask(parameters, carrier, command, attempt).stdout
    try:
        host = json.loads(said)
        names = ("Memory", "MemorySwap", "NanoCpus", "CpuQuota", "CpuPeriod")
        return Limits(*(int(host.get(name) or 0) for name in names))
    except (ValueError, TypeError, AttributeError) as error:
        raise FailedError(f"{attempt}: the engine's answer is not understood: {error}") from error


def memory_options(before: Limits, memory: int) -> list[str]:
    """The options of `docker update` that set the memory limit (bytes), with the room for swap as it was."""
    if before.swap < 0:
        return [f"--memory={memory}", "--memory-swap=-1"]
    # Without a word about swap the engine refuses a limit above its old sum of memory and swap.
    return [f"--memory={memory}", f"--memory-swap={memory + max(0, before.swap - before.memory)}"]


def cpu_options(before: Limits, cores: float) -> list[str]:
    """The options of `docker update` that set the CPU cap."""
    if before.quota > 0 and not before.nano_cpus:
        return [f"--cpu-quota={round(cores * (before.period or _DEFAULT_PERIOD))}"]
    return [f"--cpus={cores:g}"]


def update(
    parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, options: list[str], attempt: str
) -> None:
    """Change the limits of a running container. Raises FailedError with the engine's words."""
    ask(parameters, carrier, ["update", *options, instance.id], attempt)


def host_cores(parameters: Mapping[str, Any], carrier: Carrier) -> int:
    """How many cores the engine's host has. Raises FailedError when the engine does not say."""
    attempt = "cannot ask the Docker engine how many cores its host has"
    said = ask(parameters, carrier, ["info", "--format={{.NCPU}}"], attempt).stdout.strip()
    if not said.isdigit() or said == "0":
        raise FailedError(f"{attempt}: it says {said!r}")
    return int(said)


def _bytes(text: str) -> float | None:
    match = _SIZE.fullmatch(text.strip())
    return float(match[1]) * _UNITS[match[2] or ""] if match else None
