# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quantities of Kubernetes, such as 100m, 1Gi or 995337n.

See https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/.
"""

from __future__ import annotations

import re
from typing import Any, Mapping

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$")
_FACTORS: Mapping[str, float] = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip


def quantity(value: Any) -> float | None:
    """In cores, bytes or pieces, whatever it counts; None when there is none, or it is not understood."""
    found = _NUMBER.match(str(value)) if value is not None else None
    if not found:
        return None
    number, exponent, suffix = found.groups()
    return float(number) * (10.0 ** int(exponent) if exponent else _FACTORS[suffix or ""])


def amount(resource: str, value: float) -> str:
    """For a sentence: memory in MiB, CPU in cores, the rest in pieces."""
    if resource.endswith("memory"):
        return f"{value / 2**20:.0f} MiB"
    if resource.endswith("cpu"):
        return f"{round(value, 3):g} cores"
    return f"{value:g} {resource.rpartition('/')[2]}"
