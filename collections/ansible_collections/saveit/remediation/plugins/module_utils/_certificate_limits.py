# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers that the certificate modules take, each with the range in which it makes sense."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

# From, to, and the role's name for it.
LIMITS: Mapping[str, tuple[float, float, str]] = {
    "renew_before_days": (0, 3650, "certificate_renew_before_days"),
    "timeout_seconds": (0.1, 60, "certificate_timeout_seconds"),
    "command_timeout_seconds": (0.1, 3600, "certificate_renewal_timeout_seconds"),
    "backoff_minutes": (0, 43_200, "certificate_backoff_minutes"),
    "self_signed_days": (1, 397, "certificate_self_signed_days"),  # browsers take no longer ones
    "serve_timeout_seconds": (0, 300, ""),
    "validate_timeout_seconds": (0.1, 300, ""),
}


def require_limits(parameters: Mapping[str, Any]) -> None:
    """Raises FailedError for a number that is out of its range."""
    for name, (low, high, setting) in LIMITS.items():
        value = parameters.get(name, low)
        if not low <= value <= high:  # written so that it holds for a NaN
            where = f" ({setting}, in the inventory)" if setting else ""
            raise FailedError(
                f"cannot work with {name} {value:g}: it has to be from {low:g} to {high:g}{where}"
            )
