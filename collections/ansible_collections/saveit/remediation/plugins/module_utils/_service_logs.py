# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_logs: the last log lines of a service, and how many of them match a pattern."""

from __future__ import annotations

import re
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._diagnostics import log_lines
from ansible_collections.saveit.remediation.plugins.module_utils._result import Evidence, FailedError, Result
from ansible_collections.saveit.remediation.plugins.module_utils._service import Instance
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS, adapter
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "service": {"type": "str", "required": True},
    "required": {"type": "bool", "default": True},
    "tail": {"type": "int", "default": 100},
    "since_seconds": {"type": "float", "default": 0},
    "since_start": {"type": "bool", "default": False},
    "count": {"type": "dict", "default": {}},
}
SHOWN = 10  # matching lines that are returned, newest last


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Read the lines, and count those that match each pattern of `count`.

    Raises FailedError for a bad pattern.
    """
    name = parameters["service"]
    patterns = {label: _compiled(label, pattern) for label, pattern in parameters["count"].items()}
    platform = adapter(parameters)
    service = platform.look(parameters, carrier, name, required=parameters["required"])
    if not service.instances:
        return Result(
            "absent",
            f"{name}: there is no such service, and no log of it",
            evidence=[Evidence(f"{name}.{label}", None) for label in patterns],
            returned={"lines": [], "matching": {label: [] for label in patterns}},
        )
    tail, since = parameters["tail"], parameters["since_seconds"]
    lines = [
        line
        for instance in service.telling
        for line in log_lines(platform, parameters, carrier, instance, tail, since)
        if not parameters["since_start"] or _is_of_this_life(line, instance)
    ]
    matching = {
        label: [line for line in lines if pattern.search(line)] for label, pattern in patterns.items()
    }
    counts = ", ".join(f"{len(found)} {label}" for label, found in matching.items())
    window = f"of the last {since:g} s" if since else f"(the last {tail} of each instance)"
    return Result(
        "read",
        f"{name}: {len(lines)} log lines {window}{': ' + counts if counts else ''}",
        evidence=[
            Evidence(f"{name}.{label}", len(found), found[-1] if found else "")
            for label, found in matching.items()
        ],
        returned={"lines": lines, "matching": {label: found[-SHOWN:] for label, found in matching.items()}},
    )


def _is_of_this_life(line: str, instance: Instance) -> bool:
    """Was it logged since the instance was started? By the engine's time in front of it."""
    begun, at = parse_time(instance.started_at), parse_time(line.split(" ", 1)[0])
    return begun is None or (at is not None and at >= begun)


def _compiled(label: str, pattern: Any) -> re.Pattern[str]:
    try:
        return re.compile(str(pattern))
    except re.error as error:
        raise FailedError(
            f"cannot count {label!r} in the log: {pattern!r} is no regular expression: {error}"
        ) from error
