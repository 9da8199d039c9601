# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""network_debug: the network as a pod of the namespace sees it, by a pod that comes and goes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._debug_pod import CONTAINER, debug_pod
from ansible_collections.saveit.remediation.plugins.module_utils._network_checks import (
    COLUMNS,
    OK,
    Check,
    checks_of,
    rows_of,
    script_of,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    FailedError,
    Finding,
    ObstacleError,
    Result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._table import table
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS
from ansible_collections.saveit.remediation.plugins.module_utils._terminal import say

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "image": {"type": "str", "default": "python:3.12-alpine"},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "paths": {"type": "dict", "default": {}},
    "timeout_seconds": {"type": "float", "default": 3},
    "start_seconds": {"type": "float", "default": 60},
    "deadline_seconds": {"type": "int", "default": 300},
    "terminal": {"type": "path", "default": ""},
    "shell_seconds": {"type": "int", "default": 3600},
    "hosts": {"type": "list", "elements": "str", "default": []},
}
_FOR_EXEC = 10  # seconds on top of the checks' own time limit
# The better shell where there is one, and what the person's terminal understands.
_SHELL = "TERM=$1; export TERM; if command -v bash >/dev/null; then exec bash; fi; exec sh"


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Make the pod, run the checks in it at once or a shell, and remove it whatever happens.

    Raises FailedError when the pod does not start, and ObstacleError when the cluster cannot be asked.
    """
    if parameters["platform"] != "kubernetes":
        return _result(
            "unavailable", f"{parameters['platform']} has no pods; its network is that of the host", []
        )
    return _shell(parameters, carrier) if parameters["terminal"] else _checks(parameters, carrier)


def _checks(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    cluster = carrier.cluster(parameters)
    checks = checks_of(
        cluster.list("services"), parameters["service_names"], parameters["paths"], parameters["addresses"]
    )
    if not checks:
        raise FailedError(
            f"cannot check the network of {cluster.name}: it has no Service, and debug_addresses is empty"
        )
    if carrier.check_mode:
        return _result("planned", f"would make {len(checks)} checks from a pod in {cluster.name}", [])
    image, limit = parameters["image"], parameters["timeout_seconds"]
    with debug_pod(
        cluster, carrier, image, parameters["deadline_seconds"], parameters["start_seconds"]
    ) as name:
        done = cluster.execute(name, CONTAINER, ["sh", "-s"], script_of(checks, limit), 2 * limit + _FOR_EXEC)
    if not done.stdout:
        raise FailedError(f"cannot run the checks in {name}, image {image}: {done.said or done.rc}")
    rows = rows_of(checks, done.stdout, limit)
    bad = [check for check, row in zip(checks, rows) if row[2] != OK]
    sentence = f"{len(checks) - len(bad)} of {len(checks)} checks from a pod in {cluster.name} are ok"
    return _result("failing" if bad else "healthy", sentence, _findings(checks, rows), rows)


def _shell(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """At the person's terminal, which is one, so that it is in one namespace."""
    if len(parameters["hosts"]) > 1:
        raise ObstacleError(
            "several-hosts",
            f"cannot open a shell on several hosts ({', '.join(parameters['hosts'])}): choose one by --limit",
            "refused",
        )
    cluster, terminal, seconds = (
        carrier.cluster(parameters), parameters["terminal"], parameters["shell_seconds"]
    )  # fmt: skip
    if carrier.check_mode:
        return _result("planned", f"would open a shell in a pod in {cluster.name}", [])
    _tell(terminal, f"starting a pod with {parameters['image']} in {cluster.name} …")
    begun_by = _forebears()
    with debug_pod(cluster, carrier, parameters["image"], seconds, parameters["start_seconds"]) as name:
        _tell(terminal, f"{name}: a shell for {seconds / 60:g} min at most; `exit` ends it")
        command = ["sh", "-c", _SHELL, "sh", os.environ.get("TERM") or "xterm"]
        done = cluster.shell(name, CONTAINER, command, terminal, lambda: _forebears() != begun_by)
    if done.rc in (126, 127) and done.stderr:
        raise FailedError(f"cannot open a shell in {name}, image {parameters['image']}: {done.said}")
    return _result("healthy", f"the shell in {cluster.name} has ended, and its pod is removed", [])


def _forebears() -> tuple[int, ...]:
    """Ansible's process and, where /proc tells, the one that started it: others, once either was killed."""
    parent = os.getppid()
    with contextlib.suppress(OSError):
        return parent, int(Path(f"/proc/{parent}/stat").read_text("utf-8").rpartition(")")[2].split()[1])
    return (parent,)


def _tell(terminal: str, sentence: str) -> None:
    try:
        say(terminal, sentence)
    except OSError as error:
        raise FailedError(f"cannot open a shell at {terminal} (terminal): {error.strerror}") from error


def _findings(checks: Sequence[Check], rows: Sequence[Sequence[Any]]) -> list[Finding]:
    return [
        Finding(f"network-{check.kind}", check.target, f"{check.kind} {check.target}: {row[2]}: {row[4]}")
        for check, row in zip(checks, rows)
        if row[2] != OK
    ]


def _result(
    verdict: str, sentence: str, findings: Sequence[Finding], rows: Sequence[Sequence[Any]] = ()
) -> Result:
    tables = [table("network", COLUMNS, rows)] if rows else []
    return Result(verdict, sentence, findings=findings, returned={"tables": tables})
