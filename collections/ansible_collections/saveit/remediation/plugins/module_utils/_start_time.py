# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a service may take to start: by what its last start took, and by what it says of itself."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._service import Instance
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

FACTOR = 3  # a start may take so many times what it took the last time
LONGEST = 300.0  # seconds, whatever was observed
SHARE = 8  # most starts end in the first eighth of that, and a busy service logs much in all of it


def took(lines: Sequence[str], started_at: str, pattern: re.Pattern[str]) -> float | None:
    """Seconds from the start to the first line that says that it has ended; None when no line does."""
    begun = parse_time(started_at)
    for line in sorted(lines, key=lambda each: each.split(" ", 1)[0]):
        at = parse_time(line.split(" ", 1)[0])
        if begun is not None and at is not None and at >= begun and pattern.search(line):
            return round(at - begun, 1)
    return None


def observed(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    platform: ModuleType,
    instance: Instance,
    pattern: re.Pattern[str],
    seconds: float = LONGEST,
) -> float | None:
    """How long the instance's last start took, by its log of the first `seconds`; also of a stopped one."""
    for window in (seconds / SHARE, seconds):
        early = platform.early_logs(parameters, carrier, instance, window).splitlines()
        found = took(early, instance.started_at, pattern)
        if found is not None:
            return found
    return None


def patience(last: float | None, instances: Sequence[Instance]) -> float | None:
    """Seconds that a start may take, by the last one and by their own limit; None when neither is known."""
    known = [each.start_period for each in instances if each.start_period]
    known += [] if last is None else [FACTOR * last]
    return min(max(known), LONGEST) if known else None
