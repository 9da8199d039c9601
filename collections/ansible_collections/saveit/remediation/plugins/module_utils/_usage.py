# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory and CPU a container takes of what it may take, judged from readings of its counters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional

from ansible_collections.saveit.remediation.plugins.module_utils._cgroup import Reading
from ansible_collections.saveit.remediation.plugins.module_utils._result import Finding

MIB = 1 << 20


@dataclass(frozen=True)
class Usage:
    """One container's use. None is "no data"; a limit or a cap of 0 is "none"."""

    name: str
    working_set_mb: Optional[float] = None
    memory_limit_mb: Optional[float] = None
    memory_percent: Optional[float] = None
    oom_kills: Optional[int] = None  # within the window
    cpu_cores: Optional[float] = None
    cpu_cap: Optional[float] = None
    cpu_percent: Optional[float] = None
    throttled_percent: Optional[float] = None
    why_unknown: str = ""  # where there is no data, or none about the throttling
    known_by: float = 0  # when there will be data, in seconds since the epoch; 0 when nobody can tell


def memory_of(reading: Reading) -> dict[str, Any]:
    """Working set, limit and percent. Without a limit, percent of the host's memory."""
    used, limit = reading.working_set, reading.limit
    whole = limit or reading.host_memory
    return {
        "working_set_mb": None if used is None else round(used / MIB, 1),
        "memory_limit_mb": None if limit is None else round(limit / MIB, 1),
        "memory_percent": None if used is None or not whole else round(100 * used / whole, 1),
    }


def cpu_of(first: Reading, last: Reading) -> dict[str, Any]:
    """Cores, cap, percent, and the share of periods in which the container had to wait.

    Without a cap, percent of the host's cores.
    """
    cap = last.cores
    whole = cap or last.host_cores
    cores = throttled = None
    if first.at is not None and last.at is not None and last.at > first.at:
        seconds = last.at - first.at
        # A container that was started meanwhile counts from 0 again.
        if first.cpu_seconds is not None and last.cpu_seconds is not None:
            cores = max(0.0, last.cpu_seconds - first.cpu_seconds) / seconds
        if first.throttled is not None and last.throttled is not None and last.period:
            # Of all periods, not of the busy ones: an idle container is not throttled by its one busy moment.
            periods = max(1.0, seconds / last.period)
            throttled = min(100.0, 100 * max(0, last.throttled - first.throttled) / periods)
    if cap == 0:
        throttled = None
    return {
        "cpu_cores": None if cores is None else round(cores, 2),
        "cpu_cap": cap,
        "cpu_percent": None if cores is None or not whole else round(100 * cores / whole, 1),
        "throttled_percent": None if throttled is None else round(throttled, 1),
    }


def recent_kills(counted: int | None, told: int | None, deaths: int) -> int:
    """OOM kills within the window that may go on, from three witnesses.

    `told` is what the engine told of since the last start and the last change of limits, None when it told
    nothing; it knows best. Where it may have forgotten, `deaths` are the processes that died of late and go
    on dying, by the log. A death is no OOM kill by itself, only where the kernel `counted` some since the
    container's start; an old kill that the counter still shows is not one of the window.
    """
    return min(counted or 0, deaths) if told is None else told


def memory_findings(usage: Usage, service: str, thresholds: Mapping[str, Any]) -> list[Finding]:
    """Recent OOM kills, and a working set over the threshold."""
    found = []
    if usage.oom_kills:
        window = f"{thresholds['oom_window_seconds']:g} s"
        times = "OOM kill" if usage.oom_kills == 1 else "OOM kills"
        sentence = f"{usage.oom_kills} {times} within {window}; {describe_memory(usage)}"
        found.append(Finding("memory-oom", service, f"{service}: {sentence}"))
    limit = thresholds["memory_threshold_percent"]
    if usage.memory_percent is not None and usage.memory_percent >= limit:
        sentence = f"{describe_memory(usage)}, the threshold is {limit:g} %"
        found.append(Finding("memory-high", service, f"{service}: {sentence}"))
    return found


def cpu_findings(usage: Usage, service: str, thresholds: Mapping[str, Any]) -> list[Finding]:
    """Throttled, and busy at the cap."""
    found = []
    throttled, limit = usage.throttled_percent, thresholds["throttled_threshold_percent"]
    if throttled is not None and throttled >= limit:
        sentence = (
            f"{usage.name} is throttled in {throttled:g} % of the time (the threshold is {limit:g} %); "
            f"{describe_cpu(usage)}"
        )
        found.append(Finding("cpu-throttled", service, f"{service}: {sentence}"))
    limit = thresholds["cpu_threshold_percent"]
    if usage.cpu_percent is not None and usage.cpu_percent >= limit:
        sentence = f"{describe_cpu(usage)}, the threshold is {limit:g} %"
        found.append(Finding("cpu-high", service, f"{service}: {sentence}"))
    return found


def describe_memory(usage: Usage) -> str:
    """The working set in words."""
    if usage.working_set_mb is None:
        return f"{usage.name}: no data about its memory{_why(usage)}"
    used = f"{usage.name} uses {usage.working_set_mb:.0f} MiB"
    if usage.memory_limit_mb:
        return f"{used} of its limit of {usage.memory_limit_mb:.0f} MiB ({_percent(usage.memory_percent)})"
    return f"{used} and has no limit ({_percent(usage.memory_percent)} of the host's memory)"


def describe_cpu(usage: Usage) -> str:
    """The CPU in words."""
    if usage.cpu_cores is None:
        return f"{usage.name}: no data about its CPU{_why(usage)}"
    used = f"{usage.name} uses {usage.cpu_cores:.2f} cores"
    if usage.cpu_cap:
        return f"{used} of its cap of {usage.cpu_cap:g} ({_percent(usage.cpu_percent)})"
    return f"{used} and has no cap ({_percent(usage.cpu_percent)} of the host's cores)"


def worst(values: list[float | None]) -> float | None:
    """The largest of those that are known."""
    known = [each for each in values if each is not None]
    return max(known) if known else None


def _why(usage: Usage) -> str:
    return f": {usage.why_unknown}" if usage.why_unknown else ""


def _percent(value: float | None) -> str:
    return "no data" if value is None else f"{value:.0f} %"
