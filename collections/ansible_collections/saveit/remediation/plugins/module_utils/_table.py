# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table for people and programs: what the commands that only look publish beside evidence."""

from __future__ import annotations

from typing import Any, Mapping, Sequence


def table(name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Plain data. Numbers stay numbers and None is "no data"; a column says its unit in brackets."""
    return {"name": name, "columns": list(columns), "rows": [list(row) for row in rows]}


def counted(name: str, what: str, counts: Mapping[str, int]) -> dict[str, Any]:
    """A table of how many there are of each."""
    return table(name, [what, "count"], list(counts.items()))
