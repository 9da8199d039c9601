"""Quantities: 20m, 64Mi, 1.5."""

from __future__ import annotations

import re

UNITS = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip


def amount(text: str | float) -> float:
    """In cores, bytes or pieces.

    Raises:
        ValueError: no quantity.
    """
    found = re.fullmatch(r"([0-9.]+)(n|u|m|k|[MGTPE]i?|Ki)?", str(text))
    if found is None:
        raise ValueError(f"{text} is no quantity")
    return float(found[1]) * UNITS[found[2] or ""]


def written(name: str, value: float) -> str:
    """As the server writes a sum of a resource: millicores, Mi where it comes out even, plain numbers."""
    if "cpu" in name:
        return f"{value:.0f}" if value == int(value) else f"{value * 1000:.0f}m"
    if "memory" in name and value:
        for unit in ("Gi", "Mi", "Ki"):
            if value % UNITS[unit] == 0:
                return f"{value / UNITS[unit]:.0f}{unit}"
    return f"{value:.0f}"
