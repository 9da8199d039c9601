# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mqtt_check: does this MQTT broker take a client, and give a message back?"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import _mqtt
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._mqtt import Heard
from ansible_collections.saveit.remediation.plugins.module_utils._mqtt_direct import converse
from ansible_collections.saveit.remediation.plugins.module_utils._mqtt_inside import converse_inside
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    Evidence,
    FailedError,
    Finding,
    Result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "host": {"type": "str", "default": ""},
    "port": {"type": "int", "default": 1883},
    "subject": {"type": "str", "default": "mqtt"},
    "probe": {"type": "str", "default": ""},
    "down_finding": {"type": "str", "default": ""},
    "service": {"type": "str", "default": "mosquitto"},
    "runs_in": {"type": "str"},
    "username": {"type": "str", "default": ""},
    "password": {"type": "str", "default": "", "no_log": True},
    "version": {"type": "str", "choices": ["3.1.1", "5"], "default": "3.1.1"},
    "tls": {"type": "bool", "default": False},
    "ca_file": {"type": "path", "default": ""},
    "roundtrip": {"type": "bool", "default": True},
    "topic_prefix": {"type": "str", "default": "saveit-remediate/check"},
    "samples": {"type": "int", "default": 1},
    "timeout_seconds": {"type": "float", "default": 3},
}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Hold the conversations, all at the same time, and judge them.

    Raises FailedError for a parameter that cannot be meant.
    """
    _refuse_nonsense(parameters)
    roundtrip = parameters["roundtrip"] and not carrier.check_mode
    samples = parameters["samples"]
    if not parameters["host"]:
        where, heard = converse_inside(parameters, carrier, roundtrip)
        return judge(parameters, [heard], roundtrip, where)

    def one(_number: int) -> Heard:
        return converse(parameters, roundtrip)

    with ThreadPoolExecutor(max_workers=samples) as pool:
        return judge(parameters, list(pool.map(one, range(samples))), roundtrip)


def judge(parameters: Mapping[str, Any], heard: list[Heard], roundtrip: bool, inside: str = "") -> Result:
    """The verdict over all conversations; `inside` is where they were held, when not from here."""
    word, why = _mqtt.worst([_mqtt.verdict(each, parameters["timeout_seconds"]) for each in heard])
    subject = parameters["subject"]
    prefix = ".".join(each for each in (subject, parameters["probe"]) if each)
    tls = " with TLS" if parameters["tls"] else ""
    where = f"inside {inside}" if inside else f"{parameters['host']}:{parameters['port']}{tls}"
    sentence = f"{subject} ({where}) {why}{_home(parameters, word)}"
    slowest = {step: _slowest(heard, step) for step in _mqtt.STEPS}
    round_trip = all(each.returned for each in heard) if roundtrip else None
    refusals = [_mqtt.reason(each.code) for each in heard if each.ended == "code"]
    return Result(
        word,
        sentence,
        findings=[] if word == "healthy" else [Finding(_finding(parameters, word), subject, sentence)],
        evidence=[
            Evidence(f"{prefix}.answer", word, sentence),
            Evidence(f"{prefix}.roundtrip", round_trip),
            *(Evidence(f"{prefix}.{step}_milliseconds", took) for step, took in slowest.items()),
        ],
        returned={
            "answer": word,
            "reason": refusals[0] if refusals else "",
            "roundtrip": round_trip,
            "milliseconds": slowest,
        },
    )


def _slowest(heard: list[Heard], step: str) -> float | None:
    return max((each.milliseconds[step] for each in heard if step in each.milliseconds), default=None)


def _finding(parameters: Mapping[str, Any], word: str) -> str:
    """What the runbook calls it: a broker that is down is restarted with the service that runs it."""
    if parameters["down_finding"]:
        return str(parameters["down_finding"]) if word in _mqtt.UNUSABLE else f"mqtt-{word}"
    home = parameters["runs_in"]
    if word not in _mqtt.DOWN or home in (None, parameters["service"]):
        return f"mqtt-{word}"
    return f"mqtt-embedded-{_mqtt.DOWN[word]}" if home else "mqtt-elsewhere-down"


def _home(parameters: Mapping[str, Any], word: str) -> str:
    home = parameters["runs_in"]
    if word not in _mqtt.DOWN or home in (None, parameters["service"]):
        return ""
    if not home:
        return f"; no service {parameters['service']} runs here"
    return f"; there is no service {parameters['service']}, so the broker is the one embedded in {home}"


def _refuse_nonsense(parameters: Mapping[str, Any]) -> None:
    where = f"{parameters['host']}:{parameters['port']}"
    checks: list[tuple[Callable[[], bool], str]] = [
        (lambda: not parameters["host"] or bool(parameters["host"].strip()), "the host is empty"),
        (lambda: 0 < parameters["port"] < 65536, "a port is a number from 1 to 65535"),
        (lambda: 0 < parameters["timeout_seconds"] < math.inf, "timeout_seconds must be more than 0"),
        (lambda: 0 < parameters["samples"] <= 50, "samples must be 1 to 50"),
        (lambda: bool(parameters["topic_prefix"].strip("/")), "topic_prefix is empty"),
        (
            lambda: not any(sign in parameters["topic_prefix"] for sign in "#+\0"),
            "topic_prefix has a wildcard (# or +) in it",
        ),
    ]
    for holds, why in checks:
        if not holds():
            raise FailedError(f"cannot check MQTT at {where}: {why}")
