# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform that a service lives on: the options of the module group `target`, and the adapter."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import _compose

TARGET_ARGUMENTS: Mapping[str, Any] = {
    "platform": {"type": "str", "required": True, "choices": ["compose"]},
    "project": {"type": "str", "default": "saveit"},
    "service_names": {"type": "dict", "default": {}},
    "docker_command": {"type": "list", "elements": "str", "default": ["docker"]},
}

_ADAPTERS = {"compose": _compose}


def adapter(parameters: Mapping[str, Any]) -> ModuleType:
    """The functions look, start, unpause, restart, signal, logs and execute of the target's platform."""
    return _ADAPTERS[parameters["platform"]]
