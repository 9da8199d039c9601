# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform that a service lives on: the options of the module group `target`, and the adapter."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _compose,
    _compose_resources,
    _compose_scale,
    _compose_usage,
    _interlock_compose,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

TARGET_ARGUMENTS: Mapping[str, Any] = {
    "platform": {"type": "str", "required": True, "choices": ["compose", "kubernetes"]},
    "service_names": {"type": "dict", "default": {}},
    "project": {"type": "str", "default": "saveit"},
    "docker_command": {"type": "list", "elements": "str", "default": ["docker"]},
    "namespace": {"type": "str", "default": "saveit"},
    "context": {"type": "str", "default": ""},
    "kubeconfig": {"type": "path", "default": ""},
    "api_timeout_seconds": {"type": "float", "default": 10},
    "not_before": {"type": "float", "default": 0},
}


def adapter(parameters: Mapping[str, Any]) -> ModuleType:
    """The functions look, start, unpause, restart, signal, logs and execute of the target's platform."""
    return _platform(parameters, _compose, "")


def resources(parameters: Mapping[str, Any]) -> ModuleType:
    """The functions stats_of, why_fixed, limits, update and others of the target's platform."""
    return _platform(parameters, _compose_resources, "_resources")


def scaling(parameters: Mapping[str, Any]) -> ModuleType:
    """The functions plan, scale and put_back of the target's platform."""
    return _platform(parameters, _compose_scale, "_scale")


def usage(parameters: Mapping[str, Any]) -> ModuleType:
    """The functions memory, cpu and scaler of the target's platform."""
    return _platform(parameters, _compose_usage, "_usage")


def interlocks(parameters: Mapping[str, Any]) -> ModuleType:
    """The functions load, save and name_of of the target's platform, see _interlock_store."""
    return _platform(parameters, _interlock_compose, "_interlock")


def rollouts(parameters: Mapping[str, Any]) -> ModuleType | None:
    """The function act of a platform that replaces the instances of a service by itself; None otherwise."""
    return None if parameters["platform"] == "compose" else _platform(parameters, _compose, "_restart")


def _platform(parameters: Mapping[str, Any], compose: ModuleType, part: str) -> ModuleType:
    """What is for Kubernetes is imported only there: a host of compose need not pay for it."""
    if parameters["platform"] == "compose":
        return compose
    try:
        return import_module(f"{__package__}._kubernetes{part}")
    except ImportError as error:  # a module that was copied to a host brings only what it names
        raise FailedError(
            f"a cluster is spoken to from the controller, by the action plugin: {error}"
        ) from error
