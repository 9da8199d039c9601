# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_errors: the error lines of all services, grouped by message.

Logs of different programs have nothing in common but words: levels (ERROR, FATAL), exceptions, HTTP status
5xx. What differs from line to line (times, numbers, ids, addresses) is taken out; the rest is the message.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._diagnostics import log_lines
from ansible_collections.saveit.remediation.plugins.module_utils._result import Evidence, FailedError, Result
from ansible_collections.saveit.remediation.plugins.module_utils._table import table
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS, adapter

PATTERN = (
    r"\b(?:ERROR|CRITICAL|FATAL|PANIC|EMERG|ALERT)\b|(?i:\berror:|\bfatal:|\[(?:error|crit|alert|emerg)\])"
    r"|\b\w+(?:Error|Exception)\b|level=error|\[5\d\d\]|\" 5\d\d "
)
ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "since_seconds": {"type": "float", "default": 300},
    "tail": {"type": "int", "default": 5000},
    "pattern": {"type": "str", "default": ""},
    "most": {"type": "int", "default": 50},
}
COLUMNS = ("service", "count", "last seen", "message")
LONGEST = 300  # characters of a message
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\S*\s+")  # the engine's own, before each line
_VARYING = (
    (re.compile(r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z| ?[+-]\d\d:?\d\d| UTC)?"), "TIME"),
    (re.compile(r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?"), "TIME"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE), "UUID"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "IP"),
    (re.compile(r"\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b", re.IGNORECASE), "ID"),
    (re.compile(r"\[(?!5\d\d\])\d+\]"), "[N]"),  # [503] is a status, which tells messages apart
    (re.compile(r"(?<![\w\[])(?<!\" )\d+(?:\.\d+)?"), "N"),
)


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Read and group; nothing is changed. Raises FailedError for a bad pattern or window."""
    since, tail = parameters["since_seconds"], parameters["tail"]
    if not 0 < since <= 7 * 24 * 3600:
        raise FailedError(f"cannot read errors of the last {since:g} s: wanted more than 0 s, at most 7 days")
    try:
        pattern = re.compile(parameters["pattern"] or PATTERN)
    except re.error as error:
        text = parameters["pattern"]
        raise FailedError(f"cannot look for errors: {text!r} is no regular expression: {error}") from error
    platform = adapter(parameters)
    counts: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], str] = {}
    services = platform.look_all(parameters, carrier)
    for service in services:
        for instance in service.instances:
            for line in log_lines(platform, parameters, carrier, instance, tail, since):
                if pattern.search(line):
                    stamp, message = message_of(line)
                    counts[service.name, message] += 1
                    last[service.name, message] = max(stamp, last.get((service.name, message), ""))
    order = sorted(counts, key=lambda key: (-counts[key], key))
    rows = [[name, counts[name, text], last[name, text], text] for name, text in order[: parameters["most"]]]
    total = sum(counts.values())
    by_service = Counter({service.name: 0 for service in services})
    for (name, _text), count in counts.items():
        by_service[name] += count
    sentence = f"{total} error lines in the last {since:g} s, {len(counts)} different"
    return Result(
        "errors" if total else "quiet",
        sentence,
        evidence=[
            Evidence(f"{name}.error_lines", count, sentence) for name, count in sorted(by_service.items())
        ],
        returned={"tables": [table("errors", COLUMNS, rows)]},
    )


def message_of(line: str) -> tuple[str, str]:
    """The engine's time of a line, "" without one, and its message without what differs each time."""
    stamp = _STAMP.match(line)
    text = line[stamp.end() :] if stamp else line
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    text = " ".join(text.split())
    return stamp.group(1) if stamp else "", text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
