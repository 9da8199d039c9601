# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""http_check: what a user's requests get, from outside; several samples, because one proves nothing."""

from __future__ import annotations

import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPException, IncompleteRead
from typing import Any, Callable, Mapping, Sequence
from urllib.error import HTTPError, URLError

from ansible.module_utils.urls import Request, make_context

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    Evidence,
    FailedError,
    Finding,
    Result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._within import within

ARGUMENTS: Mapping[str, Any] = {
    "url": {"type": "str", "required": True},
    "subject": {"type": "str", "required": True},
    "probe": {"type": "str", "required": True},
    "samples": {"type": "int", "default": 8},
    "parallel": {"type": "int", "default": 4},
    "timeout_seconds": {"type": "float", "default": 5},
    "slow_milliseconds": {"type": "float", "default": 1000},
    "fields": {"type": "dict", "default": {}},
    "bad_values": {"type": "dict", "default": {}},
    "ca_file": {"type": "path", "default": ""},
}


_MOST = 1_000_000  # bytes of an answer that are read


@dataclass(frozen=True)
class Answer:
    """One request's fate: status 0 and `error` when there was no HTTP answer."""

    status: int
    milliseconds: float
    body: bytes = b""
    error: str = ""

    @property
    def failed(self) -> bool:
        """No answer, or the server's own failure."""
        return self.status == 0 or self.status >= 500


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Send the samples, and judge the share of failed and of slow ones.

    Raises FailedError for a URL that is none.
    """
    del carrier  # a check only reads, in check mode too
    url = parameters["url"]
    if not url.startswith(("http://", "https://")):
        raise FailedError(f"cannot check {parameters['subject']}: {url!r} is not an http or https URL")
    if parameters["samples"] < 1 or parameters["parallel"] < 1:
        raise FailedError(f"cannot check {url}: samples and parallel must be 1 or more")
    return judge(parameters, ask(parameters, get))


def ask(parameters: Mapping[str, Any], get: Callable[[Mapping[str, Any]], Answer]) -> list[Answer]:
    """All samples, `parallel` at a time."""
    _context(parameters["ca_file"])  # by one of us, or each thread that finds it missing makes its own
    with ThreadPoolExecutor(max_workers=parameters["parallel"]) as pool:
        return list(pool.map(lambda _number: get(parameters), range(parameters["samples"])))


def judge(parameters: Mapping[str, Any], answers: Sequence[Answer]) -> Result:
    """The verdict over all samples: healthy, failing or slow, with the share in the sentence."""
    subject, url, slow_after = parameters["subject"], parameters["url"], parameters["slow_milliseconds"]
    prefix = _prefix(parameters)
    failed = [each for each in answers if each.failed]
    slow = [each for each in answers if each.milliseconds > slow_after]
    median = sorted(each.milliseconds for each in answers)[math.ceil(len(answers) / 2) - 1]
    sentence = f"{url}: {shares(answers)}; median {median:.0f} ms"
    found = []
    if failed:
        found.append(Finding("http-failing", subject, f"{subject}: {sentence}"))
    if slow:
        share = f"{len(slow)} of {len(answers)} answers took longer than {slow_after:g} ms"
        found.append(Finding("http-slow", subject, f"{subject}: {url}: {share}"))
    shown = _field_evidence(parameters, answers)
    found += _bad_values(parameters, shown)
    return Result(
        "failing" if failed else "slow" if slow else "healthy",
        f"{subject}: {sentence}",
        findings=found,
        evidence=[
            Evidence(f"{prefix}.failed_percent", _percent(failed, answers), sentence),
            Evidence(f"{prefix}.slow_percent", _percent(slow, answers), sentence),
            *shown,
        ],
        returned={
            "statuses": [each.status for each in answers],
            "milliseconds": [each.milliseconds for each in answers],
        },
    )


def _prefix(parameters: Mapping[str, Any]) -> str:
    return f"{parameters['subject']}.{parameters['probe']}"


def shares(answers: Sequence[Answer]) -> str:
    """How many answers of which kind, as in "5 of 12 answers 503"."""
    kinds: dict[str, int] = {}
    for each in answers:
        kind = str(each.status) if each.status else each.error
        kinds[kind] = kinds.get(kind, 0) + 1
    return ", ".join(f"{number} of {len(answers)} answers {kind}" for kind, number in kinds.items())


def _percent(part: Sequence[Answer], answers: Sequence[Answer]) -> float:
    return round(100 * len(part) / len(answers), 1)


def _field_evidence(parameters: Mapping[str, Any], answers: Sequence[Answer]) -> list[Evidence]:
    """The asked-for fields of the last JSON answer; None, "no data", where the answer has no such field."""
    documents = [_json(each.body) for each in answers if each.body]
    shown = []
    for name, path in parameters["fields"].items():
        value = _field(documents[-1] if documents else None, path)
        said = "no data" if value is None else f"says {value}"
        shown.append(
            Evidence(f"{_prefix(parameters)}.{name}", value, f"{path} in {parameters['url']}: {said}")
        )
    return shown


def _bad_values(parameters: Mapping[str, Any], shown: Sequence[Evidence]) -> list[Finding]:
    """A finding for each field that has the value which it should not have."""
    subject = parameters["subject"]
    bad = {
        f"{_prefix(parameters)}.{name}": (f"{name}-{value}", value)
        for name, value in parameters["bad_values"].items()
    }
    return [
        Finding(bad[each.name][0], subject, f"{subject}: {each.sentence}")
        for each in shown
        if each.name in bad and each.value == bad[each.name][1]
    ]


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _field(document: Any, path: str) -> Any:
    for step in path.split("."):
        if not isinstance(document, dict) or step not in document:
            return None
        document = document[step]
    return document


def get(parameters: Mapping[str, Any]) -> Answer:
    """One request, bounded in time; a failure is an answer too."""
    begun = time.monotonic()
    timeout = parameters["timeout_seconds"]
    try:
        return within(timeout, lambda: _get(parameters, begun))
    except TimeoutError:  # headers that trickle, or a name that nobody resolves
        return Answer(0, round((time.monotonic() - begun) * 1000, 1), error=f"missing after {timeout:g} s")


def _get(parameters: Mapping[str, Any], begun: float) -> Answer:
    timeout = parameters["timeout_seconds"]

    def answer(status: int, body: bytes = b"", error: str = "") -> Answer:
        return Answer(status, round((time.monotonic() - begun) * 1000, 1), body, error)

    try:
        try:
            response = Request(context=_context(parameters["ca_file"])).open(
                "GET",
                parameters["url"],
                timeout=timeout,
                follow_redirects="safe",
                http_agent="saveit-remediate",
            )
        except HTTPError as error:  # an answer too, with a status and a body
            response = error
        with response:
            return answer(response.status, _body(response, begun + timeout))
    except TimeoutError:
        return answer(0, error=f"missing after {timeout:g} s")
    except (URLError, HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return answer(0, error=f"missing after {timeout:g} s")
        return answer(0, error=f"missing ({' '.join(str(reason).split()) or type(reason).__name__})")


@lru_cache
def _context(ca_file: str) -> Any:
    """Made once: reading all authorities takes 25 ms, for each of many requests at once."""
    return make_context(cafile=ca_file or None)


def _body(response: Any, deadline: float) -> bytes:
    """The body up to a megabyte, read bit by bit so that a server which trickles does not hold us.

    Raises TimeoutError.
    """
    read = b""
    while len(read) < _MOST:
        if time.monotonic() > deadline:
            raise TimeoutError
        part = response.read1(65536)
        if not part:
            break
        read += part
    if response.length and len(read) < _MOST:
        raise IncompleteRead(read, response.length)
    return read
