# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time in logs and states, which every platform writes in the same way."""

from __future__ import annotations

import re
from datetime import datetime, timezone

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$")


def parse_time(text: str) -> float | None:
    """A time (2026-11-23T02:47:11.123456789Z) in seconds; None when it is none."""
    found = _TIME.match(text)
    if not found:
        return None
    whole, fraction, sign, hours, minutes = found.groups()
    try:
        seconds = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return None
    ahead = (int(hours or 0) * 60 + int(minutes or 0)) * 60
    return seconds + float(f"0.{fraction or 0}") - (-ahead if sign == "-" else ahead)
