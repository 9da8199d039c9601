# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certificate_renewal: have a new certificate issued and put in place, in the way of the platform."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _certificate_back_files,
    _certificate_renewal_files,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_limits import require_limits
from ansible_collections.saveit.remediation.plugins.module_utils._change_record import (
    RECORD_ARGUMENTS,
    drop,
    ids_in,
    require_minutes,
)
from ansible_collections.saveit.remediation.plugins.module_utils._reload import RELOAD_ARGUMENTS
from ansible_collections.saveit.remediation.plugins.module_utils._result import Result
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    **RELOAD_ARGUMENTS,
    **RECORD_ARGUMENTS,
    "service": {"type": "str", "default": "nginx"},
    "method": {"type": "str", "choices": ["client", "self_signed", "delete_secret"], "default": "client"},
    "command": {"type": "list", "elements": "str", "default": []},
    "command_timeout_seconds": {"type": "float", "default": 120},
    "files_service": {"type": "str", "default": ""},
    "certificate_file": {"type": "str", "default": ""},
    "key_file": {"type": "str", "default": "", "no_log": False},
    "new_certificate_file": {"type": "str", "default": ""},
    "new_key_file": {"type": "str", "default": "", "no_log": False},
    "certificate_name": {"type": "str", "default": "saveit-tls"},
    "secret_name": {"type": "str", "default": "", "no_log": False},
    "endpoint": {"type": "str", "default": ""},
    "server_name": {"type": "str", "default": ""},
    "names": {"type": "list", "elements": "str", "default": []},
    "ca_file": {"type": "path", "default": ""},
    "renew_before_days": {"type": "float", "default": 30},
    "backoff_minutes": {"type": "float", "default": 60},
    "self_signed_days": {"type": "int", "default": 7},
    "force": {"type": "bool", "default": False},
    "timeout_seconds": {"type": "float", "default": 5},
    "serve_timeout_seconds": {"type": "float", "default": 10},
    "put_back": {"type": "list", "elements": "dict", "default": []},
    "minutes": {"type": "int", "default": 1440},
}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Renew when it is needed and allowed, or with `put_back` put back; in check mode only say so.

    Raises FailedError when it was tried and there is no new certificate.
    """
    require_limits(parameters)
    require_minutes("cannot renew the certificate", parameters["minutes"])
    if not parameters["put_back"]:
        result: Result = _way(parameters, "renewal").renew(parameters, carrier)
        return result
    result = _way(parameters, "back").put_back(parameters, carrier)
    if result.returned["over"]:
        drop(parameters, carrier, ids_in(parameters["put_back"]))
    return result


def _way(parameters: Mapping[str, Any], part: str) -> ModuleType:
    """Who does it on this platform: renew, or put_back, of (parameters, carrier) -> Result."""
    if parameters["platform"] == "compose":
        return {"renewal": _certificate_renewal_files, "back": _certificate_back_files}[part]
    return import_module(f"{__package__}._kubernetes_certificate_{part}")
