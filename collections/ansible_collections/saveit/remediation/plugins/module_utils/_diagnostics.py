# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person looks at first, kept before anything is changed: state, exit code, restarts, log."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._redact import redact
from ansible_collections.saveit.remediation.plugins.module_utils._result import Evidence
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, Instance, Service

LONGEST = 500  # characters of a log line that are kept
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\S+ ")  # the engine's time
_EXCEPTION = re.compile(r"^[\w.]*(Error|Exception|Interrupt|Exit)\b")  # the last line of a Python traceback
_ERROR = re.compile(r"\b(error|fatal|critical|panic|exception|failed|cannot)\b", re.IGNORECASE)


def log_lines(
    platform: ModuleType,
    parameters: Mapping[str, Any],
    carrier: Carrier,
    instance: Instance,
    tail: int,
    since: float,
) -> list[str]:
    """The log of an instance without secrets, before anything else is done with it: a key goes over lines."""
    text: str = platform.logs(parameters, carrier, instance, tail, since)
    return redact(text, carrier.secrets).splitlines()


def last_lines(
    platform: ModuleType,
    parameters: Mapping[str, Any],
    carrier: Carrier,
    service: Service,
    tail: int,
    since: float = 0,
) -> list[str]:
    """The last lines of each instance by time, redacted, the engine's time in front; `since` in seconds."""
    lines = [
        line[:LONGEST]
        for instance in service.telling
        for line in log_lines(platform, parameters, carrier, instance, tail, since)
    ]
    return sorted(lines, key=lambda line: line.split(" ", 1)[0])


def capture(service: Service, lines: Sequence[str], name: str) -> list[Evidence]:
    """The state of the sickest instance and the log lines as evidence, whose names begin with `name`."""
    sick = [each for each in service.instances if each.state != RUNNING]
    ended = [each for each in sick if each.state not in ("paused", "created")]
    first = (sick or service.instances)[0]
    return [
        Evidence(f"{name}.state", service.state),
        Evidence(f"{name}.exit_code", ended[0].exit_code if ended else None),
        Evidence(f"{name}.health", first.health or None),
        Evidence(f"{name}.restarts", sum(each.restarts for each in service.instances)),
        Evidence(f"{name}.log", list(lines), last_error(lines)),
    ]


def last_error(lines: Sequence[str]) -> str:
    """The line that says most about a failure: an exception, else an error, else the last."""
    texts = [text for text in map(bare, lines) if text]
    for pattern in (_EXCEPTION, _ERROR):
        for text in reversed(texts):
            if pattern.search(text):
                return text
    return texts[-1] if texts else ""


def bare(line: str) -> str:
    """A log line without the engine's time."""
    return _STAMP.sub("", line).strip()
