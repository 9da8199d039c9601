# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""prometheus_query: one number out of Prometheus, or "no data"."""

from __future__ import annotations

import math
import time
from http.client import HTTPException
from typing import Any, Callable, Mapping
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode

from ansible.module_utils.urls import open_url

from ansible_collections.saveit.remediation.plugins.module_utils import _prometheus
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._prometheus import Answer
from ansible_collections.saveit.remediation.plugins.module_utils._redact import redact
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    Evidence,
    FailedError,
    Finding,
    Result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._within import within

ARGUMENTS: Mapping[str, Any] = {
    "url": {"type": "str", "required": True},
    "query": {"type": "str", "required": True},
    "subject": {"type": "str", "required": True},
    "probe": {"type": "str", "required": True},
    "series": {"type": "str", "choices": ["max", "min", "sum"], "default": "max"},
    "at_most": {"type": "float"},
    "at_least": {"type": "float"},
    "finding": {"type": "str", "default": ""},
    "username": {"type": "str", "default": ""},
    "password": {"type": "str", "default": "", "no_log": True},
    "token": {"type": "str", "default": "", "no_log": True},
    "ca_file": {"type": "path", "default": ""},
    "timeout_seconds": {"type": "float", "default": 5},
}
LARGEST = 10_000_000  # bytes of an answer


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Ask, and judge the number by its limits.

    Raises FailedError for a URL that is none.
    """
    del carrier  # a query only reads, in check mode too
    _refuse_nonsense(parameters)
    return judge(parameters, ask(parameters, _get))


def ask(parameters: Mapping[str, Any], get: Callable[[Mapping[str, Any], str], tuple[int, bytes]]) -> Answer:
    """One instant query; what keeps us from an answer is an answer too."""
    arguments = {"query": parameters["query"], "timeout": f"{parameters['timeout_seconds']:g}s"}
    url = f"{parameters['url'].rstrip('/')}/api/v1/query?{urlencode(arguments)}"
    try:
        return _prometheus.read(*get(parameters, url))
    except TimeoutError:
        return Answer("unavailable", f"does not answer within {parameters['timeout_seconds']:g} s")
    except (URLError, HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return Answer("unavailable", f"does not answer within {parameters['timeout_seconds']:g} s")
        return Answer("unavailable", f"does not answer: {' '.join(str(reason).split())}")


def judge(parameters: Mapping[str, Any], answer: Answer) -> Result:
    """The verdict: within, outside, no-data, refused or unavailable."""
    subject, query = parameters["subject"], parameters["query"]
    number = _prometheus.pick(answer.series, parameters["series"])
    value = _prometheus.as_value(number)
    word, why = _judged(parameters, answer, number)
    sentence = f"{subject}: {query}: {why}{_warned(answer)}"
    told = word == "outside" and parameters["finding"]
    found = [Finding(parameters["finding"], subject, sentence)] if told else []
    return Result(
        word,
        sentence,
        findings=found,
        evidence=[Evidence(f"{subject}.{parameters['probe']}", value, sentence)],
        returned={
            "value": value,
            "series": [{"labels": dict(each.labels), "value": each.value} for each in answer.series],
            "prometheus_warnings": list(answer.warnings),
        },
    )


def _judged(parameters: Mapping[str, Any], answer: Answer, number: float | None) -> tuple[str, str]:
    if answer.kind != "data":  # a mistake in the query is told, and does not end the run that asked
        return answer.kind, f"no data, Prometheus at {redact(parameters['url'])} {answer.sentence}"
    if number is None:
        many = f"{len(answer.series)} series, all of them NaN" if answer.series else "the answer is empty"
        return "no-data", f"no data ({many})"
    total = f", the {parameters['series']} of {len(answer.series)} series" if len(answer.series) > 1 else ""
    most, least = parameters["at_most"], parameters["at_least"]
    if most is not None and number > most:
        return "outside", f"{number:g}{total}, more than {most:g}"
    if least is not None and number < least:
        return "outside", f"{number:g}{total}, less than {least:g}"
    return "within", f"{number:g}{total}"


def _warned(answer: Answer) -> str:
    return f" (Prometheus warns: {'; '.join(answer.warnings)})" if answer.warnings else ""


def _refuse_nonsense(parameters: Mapping[str, Any]) -> None:
    attempt = f"cannot query {redact(parameters['url'])!r} for {parameters['subject']}"
    if not parameters["url"].startswith(("http://", "https://")):
        raise FailedError(f"{attempt}: it is not an http or https URL")
    if not parameters["query"].strip():
        raise FailedError(f"{attempt}: the query is empty")
    if not 0 < parameters["timeout_seconds"] < math.inf:
        raise FailedError(f"{attempt}: timeout_seconds must be more than 0")


def _get(parameters: Mapping[str, Any], url: str) -> tuple[int, bytes]:
    """Raises TimeoutError, also for headers that trickle, and what urllib raises."""
    return within(parameters["timeout_seconds"], lambda: _read(parameters, url))


def _read(parameters: Mapping[str, Any], url: str) -> tuple[int, bytes]:
    ends = time.monotonic() + parameters["timeout_seconds"]
    token = parameters["token"]
    try:
        response = open_url(
            url,
            timeout=parameters["timeout_seconds"],
            ca_path=parameters["ca_file"] or None,
            headers={"Authorization": f"Bearer {token}"} if token else None,
            url_username=parameters["username"] or None,
            url_password=parameters["password"] or None,
            force_basic_auth=bool(parameters["username"]),
            follow_redirects="safe",
            http_agent="saveit-remediate",
        )
    except HTTPError as error:  # an answer too, with a status and a body
        response = error
    with response:
        body = b""
        while len(body) < LARGEST:
            if time.monotonic() > ends:
                raise TimeoutError
            part = response.read1(65536)
            if not part:
                break
            body += part
        return response.status, body
