# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform that a service lives on: the options of the module group `target`, and the adapter."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _compose,
    _compose_resources,
    _compose_scale,
)

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


_RESOURCES = {"compose": _compose_resources}


def resources(parameters: Mapping[str, Any]) -> ModuleType:
    """The functions read, stats, oom_events, limits, update and others of the target's platform."""
    return _RESOURCES[parameters["platform"]]


_SCALING = {"compose": _compose_scale}


def scaling(parameters: Mapping[str, Any]) -> ModuleType:
    """The functions composed, why_not, tool, scale_command and scale of the target's platform."""
    return _SCALING[parameters["platform"]]
