"""Conditions of cert-manager's objects, and its way to write a duration."""

from __future__ import annotations

import re

from standin.clock import stamp
from standin.kinds import Json


def condition(item: Json, type_: str) -> Json:
    return next((one for one in item.get("status", {}).get("conditions", []) if one["type"] == type_), {})


def set_condition(item: Json, type_: str, status: str, reason: str, message: str) -> None:
    conditions = item.setdefault("status", {}).setdefault("conditions", [])
    old = condition(item, type_)
    new = {
        "type": type_, "status": status, "reason": reason, "message": message,
        "observedGeneration": item["metadata"].get("generation", 1),
        "lastTransitionTime": old["lastTransitionTime"] if old.get("status") == status else stamp(),
    }  # fmt: skip
    if old:
        conditions[conditions.index(old)] = new
    else:
        conditions.append(new)


def seconds_of(duration: str, default: float) -> float:
    """2160h0m0s."""
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", duration)
    if not duration or found is None:
        return default
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
