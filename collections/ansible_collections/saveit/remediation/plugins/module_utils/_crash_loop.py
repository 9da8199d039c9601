# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does an instance crash now, or did it a while ago? From what it went through, by its log and the engine.

All times are seconds by the engine's clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, Instance
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

WINDOW = 60  # seconds that are looked back
SOON = 10  # seconds after a death in which the next may be on its way, whatever the pace was
PACE = 3  # after so many times the longest pause between two deaths no further one is on its way
STEADY = 2  # seconds that a completed start must have lived, to be one
OUTLIVED = 2  # and so many times as long as those that died


@dataclass(frozen=True)
class Life:
    """What an instance went through within WINDOW."""

    instance: Instance
    lines: Sequence[str] = ()  # of its log
    deaths: Sequence[float] = ()  # of its workers, since its own last start
    starts: Sequence[float] = ()  # that were completed, by it or by one of its workers


def life(
    instance: Instance,
    lines: Sequence[str],
    now: float,
    died: re.Pattern[str],
    started: re.Pattern[str] | None = None,
) -> Life:
    """Read the log: deaths from before its own start were of another life, and do not count."""
    begin = max(now - WINDOW, parse_time(instance.started_at) or 0)
    deaths = [time for time in _times(lines, died) if time > begin]
    return Life(instance, lines, deaths, _times(lines, started) if started else ())


def restarts(each: Life, now: float) -> int:
    """Restarts by the engine, of an instance that crashes now; else 0.

    The engine counts them from the last start by a person or a tool. A start that was completed and has lived
    longer than the one before it ends the row.
    """
    instance = each.instance
    begun, ended = parse_time(instance.started_at), parse_time(instance.finished_at)
    if instance.state == "restarting":
        return instance.restarts
    if instance.state not in (RUNNING, "stopped") or begun is None or now - begun >= WINDOW:
        return 0
    if instance.state == RUNNING:
        fell = begun if ended is None else min(begun, ended)
        return 0 if _outlived([fell], each.starts, now) else instance.restarts
    return 0 if _outlived([begun], each.starts, now if ended is None else ended) else instance.restarts


def dying(each: Life, now: float) -> int:
    """Workers that died within WINDOW, where more of them are about to; else 0."""
    if each.instance.state != RUNNING or not each.deaths:
        return 0
    pauses = [later - earlier for earlier, later in zip(each.deaths, each.deaths[1:])]
    quiet = now - each.deaths[-1]
    begun = parse_time(each.instance.started_at) or 0
    starts = [time for time in each.starts if time >= begun]
    if quiet > max(SOON, PACE * max(pauses, default=0)) or _outlived(each.deaths, starts, now):
        return 0
    return len(each.deaths)


def _outlived(deaths: Sequence[float], starts: Sequence[float], until: float) -> bool:
    """Was a start completed after the last death, that has lived longer than those before the deaths?"""
    after = [time for time in starts if time > deaths[-1]]
    before = [death - time for death in deaths for time in [_latest(starts, death)] if time is not None]
    return bool(after) and until - after[0] > max(STEADY, OUTLIVED * max(before, default=0))


def _latest(times: Sequence[float], until: float) -> float | None:
    """The last one that is not after `until`."""
    return max((time for time in times if time <= until), default=None)


def _times(lines: Sequence[str], pattern: re.Pattern[str]) -> list[float]:
    """When the lines were logged that match, by the engine's time in front of each; in order."""
    found = [parse_time(line.split(" ", 1)[0]) for line in lines if pattern.search(line)]
    return sorted(time for time in found if time is not None)
