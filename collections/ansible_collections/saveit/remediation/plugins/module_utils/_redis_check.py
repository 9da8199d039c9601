# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_check: does this Redis server answer, and take a write?"""

from __future__ import annotations

import uuid
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import _redis
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._redis_direct import converse_directly
from ansible_collections.saveit.remediation.plugins.module_utils._redis_inside import converse_inside
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    Evidence,
    Finding,
    Result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "service": {"type": "str", "default": "redis"},
    "host": {"type": "str", "default": ""},
    "port": {"type": "int", "default": 6379},
    "username": {"type": "str", "default": ""},
    "password": {"type": "str", "default": "", "no_log": True},
    "tls": {"type": "bool", "default": False},
    "ca_file": {"type": "path", "default": ""},
    "writes": {"type": "bool", "default": False},
    "timeout_seconds": {"type": "float", "default": 2},
    "slow_milliseconds": {"type": "float", "default": 100},
    "wait_seconds": {"type": "int", "default": 0},
    "client": {
        "type": "dict",  # no default: {} would lack its required name
        "options": {
            "name": {"type": "str", "required": True},
            "variable": {"type": "str", "default": "REDIS_URL"},
        },
    },
}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Talk to the server; with wait_seconds, again and again while it says that it is loading."""
    waits_until = carrier.now() + (0 if carrier.check_mode else parameters["wait_seconds"])
    result = _check(parameters, carrier)
    while result.verdict == "loading" and carrier.now() < waits_until:
        carrier.sleep(1)
        result = _check(parameters, carrier)
    return result


def _check(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    writes = parameters["writes"] and not carrier.check_mode
    key = f"saveit-remediate:check:{uuid.uuid4().hex}"
    commands = _redis.conversation(key, writes, parameters["username"], parameters["password"])
    if parameters["host"]:
        where = f"{parameters['host']}:{parameters['port']}"
        answers = converse_directly(parameters, commands)
    else:
        where, answers = converse_inside(parameters, carrier, commands)
    word, why = _redis.verdict(answers, parameters["slow_milliseconds"])
    name = parameters["service"]
    sentence = f"{name} ({where}) {why}"
    info = _redis.parse_info(answers.replies)
    eta = info.get("loading_eta_seconds")
    took = _redis.server_milliseconds(answers.replies)
    round_trip = _redis.roundtrip(answers.replies) if writes else None
    return Result(
        word,
        sentence,
        findings=[] if word == "healthy" else [Finding(f"redis-{word}", name, sentence)],
        evidence=[
            Evidence(f"{name}.answer", word, sentence),
            Evidence(f"{name}.roundtrip", round_trip),
            Evidence(f"{name}.milliseconds", took),
        ],
        returned={
            "answer": word,
            "milliseconds": took,
            "roundtrip": round_trip,
            "loading_eta_seconds": int(eta) if eta and eta.lstrip("-").isdigit() else None,
        },
    )
