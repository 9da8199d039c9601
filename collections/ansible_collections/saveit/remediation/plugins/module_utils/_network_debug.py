# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""network_debug: the network as a pod of the namespace sees it, by a pod that comes and goes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import uuid
from pathlib import Path
from types import FrameType
from typing import Any, Iterator, Mapping, NoReturn, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._debug_pod import (
    CONTAINER,
    SELECTOR,
    is_left_over,
    manifest,
    start,
)
from ansible_collections.saveit.remediation.plugins.module_utils._network_checks import (
    COLUMNS,
    OK,
    Check,
    checks_of,
    rows_of,
    script_of,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Finding, Result
from ansible_collections.saveit.remediation.plugins.module_utils._table import table
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "image": {"type": "str", "default": "python:3.12-alpine"},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "paths": {"type": "dict", "default": {}},
    "timeout_seconds": {"type": "float", "default": 3},
    "start_seconds": {"type": "float", "default": 60},
    "deadline_seconds": {"type": "int", "default": 300},
}
_FOR_EXEC = 10  # seconds on top of the checks' own time limit


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Make the pod, run the checks in it at once, and remove it whatever happens.

    Left-overs of runs that were killed are removed first.
    Raises FailedError when the pod does not start, and ObstacleError when the cluster cannot be asked.
    """
    if parameters["platform"] != "kubernetes":
        return _result(
            "unavailable", f"{parameters['platform']} has no pods; its network is that of the host", []
        )
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
    host = socket.gethostname()
    _sweep(cluster, carrier.now(), host)
    name = f"saveit-debug-{uuid.uuid4().hex[:8]}"
    pod = manifest(name, parameters["image"], parameters["deadline_seconds"], f"{host}/{os.getpid()}")
    limit = parameters["timeout_seconds"]
    with _signals_as_interrupt():
        try:
            start(cluster, carrier, pod, parameters["start_seconds"])
            done = cluster.execute(
                name, CONTAINER, ["sh", "-s"], script_of(checks, limit), 2 * limit + _FOR_EXEC
            )
        finally:
            _remove(cluster, name)
    if not done.stdout:
        raise FailedError(
            f"cannot run the checks in {name}, image {parameters['image']}: {done.said or done.rc}"
        )
    rows = rows_of(checks, done.stdout, limit)
    bad = [check for check, row in zip(checks, rows) if row[2] != OK]
    sentence = f"{len(checks) - len(bad)} of {len(checks)} checks from a pod in {cluster.name} are ok"
    return _result("failing" if bad else "healthy", sentence, _findings(checks, rows), rows)


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


def _sweep(cluster: Any, now: float, host: str) -> None:
    """Remove what a run that was killed left behind."""
    for pod in cluster.list("pods", label_selector=SELECTOR):
        if is_left_over(pod, now, host, _lives):
            _remove(cluster, pod["metadata"]["name"])


def _lives(pid: int) -> bool:
    """Does it run? One that has ended and was not waited for yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError):  # where there is no /proc
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text("utf-8")
    return True


def _remove(cluster: Any, name: str) -> None:
    """Gone already is fine; what cannot be removed now its deadline ends, and the next run removes."""
    with contextlib.suppress(FailedError):
        cluster.delete("pods", name, {"gracePeriodSeconds": 0})


@contextlib.contextmanager
def _signals_as_interrupt() -> Iterator[None]:
    """While inside, SIGTERM ends us like Ctrl-C, so that the pod is removed: the controller sends it."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
