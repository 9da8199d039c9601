# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster_role: the least that an account must be allowed, as the objects that allow it. Pure."""

from __future__ import annotations

import re
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._access import rights_of, role_objects
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result

ARGUMENTS: Mapping[str, Any] = {
    "names": {"type": "list", "elements": "str", "default": []},
    "rules": {"type": "list", "elements": "dict", "default": []},
    "namespace": {"type": "str", "default": "saveit"},
    "service_account": {"type": "str", "default": "saveit-remediate"},
    "role_name": {"type": "str", "default": "saveit-remediate"},
}
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"  # RFC 1123, the names of namespaces and of most objects


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Role and RoleBinding as data; no cluster is asked. Raises FailedError for a name that cannot be one."""
    del carrier
    for option, pattern in (
        ("namespace", _LABEL),
        ("service_account", f"({_LABEL}:)?{_LABEL}"),
        ("role_name", _LABEL),
    ):
        if not re.fullmatch(pattern, parameters[option]):
            raise FailedError(
                f"cannot write a Role: the {option.replace('_', ' ')} {parameters[option]!r} "
                "is no name in Kubernetes"
            )
    if not parameters["rules"]:
        raise FailedError(
            "cannot write a Role: no rules were given, and only the controller can read them by names"
        )
    rights = rights_of(parameters["rules"])
    objects = role_objects(
        rights, parameters["role_name"], parameters["namespace"], parameters["service_account"]
    )
    sentence = f"{len(rights)} rights in {len(objects)} objects for the namespace {parameters['namespace']}"
    return Result("written", sentence, returned={"manifests": objects})
