# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify criteria of a runbook: names and numbers, judged here."""

from __future__ import annotations

from typing import Any, Mapping, Sequence


def unmet(criteria: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> list[str]:
    """A sentence for each criterion that the values do not meet."""
    return [text for text in (_why_unmet(each, values.get(each["evidence"])) for each in criteria) if text]


def _why_unmet(criterion: Mapping[str, Any], value: Any) -> str:
    name = criterion["evidence"]
    if value is None:
        return "" if criterion.get("no_data") == "pass" else f"{name}: no data"
    if "is" in criterion and value != criterion["is"]:
        return f"{name} is {_word(value)}, wanted {_word(criterion['is'])}"
    if "is_not" in criterion and value == criterion["is_not"]:
        return f"{name} is {_word(value)}"
    if "at_most" in criterion and not (_is_number(value) and value <= criterion["at_most"]):
        return f"{name} is {_word(value)}, wanted at most {criterion['at_most']}"
    if "at_least" in criterion and not (_is_number(value) and value >= criterion["at_least"]):
        return f"{name} is {_word(value)}, wanted at least {criterion['at_least']}"
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
