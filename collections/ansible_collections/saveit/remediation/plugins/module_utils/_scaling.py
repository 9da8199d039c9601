# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""More instances of a service: what is asked for, and what a platform would change for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping


@dataclass(frozen=True)
class Change:
    """One number that is set; `object` is how the platform names what has it."""

    object: str
    field: str
    before: int
    after: int


@dataclass(frozen=True)
class Plan:
    """From how many instances to how many, or the reason why not."""

    now: int
    number: int
    reason: str = ""
    changes: tuple[Change, ...] = ()
    back: str = ""  # the command that puts it back
    patience_seconds: float = 0  # until it shows that it helped; 0 leaves that to the runbook
    note: str = ""  # what else there is to say
    how: Any = None  # what the platform has to know to do it

    @property
    def diff(self) -> dict[str, str]:
        """A line for each number, before and after."""
        return {
            "before": "".join(f"{each.object}: {each.before} {each.field}\n" for each in self.changes),
            "after": "".join(f"{each.object}: {each.after} {each.field}\n" for each in self.changes),
        }


def wanted(parameters: Mapping[str, Any], now: int, maximum: int) -> tuple[int, str]:
    """How many there are to be, and why there cannot be so many, or ""."""
    number = parameters["instances"] or now + 1
    if number > maximum:
        return number, f"it has {now}, and the maximum is {maximum}"
    if number <= now:
        return number, f"it has {now} already, and this only adds"
    return number, ""
