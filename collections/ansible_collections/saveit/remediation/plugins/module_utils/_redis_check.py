# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_check: does this Redis server answer, and take a write?"""

from __future__ import annotations

import shlex
import uuid
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import _redis
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._redis import Answers
from ansible_collections.saveit.remediation.plugins.module_utils._redis_direct import converse_directly
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    Evidence,
    FailedError,
    Finding,
    Result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, describe
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS, adapter

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
        where, answers = _converse_inside(parameters, carrier, commands)
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


def _converse_inside(
    parameters: Mapping[str, Any], carrier: Carrier, commands: list[list[str]]
) -> tuple[str, Answers]:
    """Through redis-cli in the service's own container; secrets go in by standard input, not as arguments."""
    platform = adapter(parameters)
    service = platform.look(parameters, carrier, parameters["service"])
    running = service.in_state(RUNNING)
    if not running:
        sick = service.instances[0]
        ended = "timeout" if sick.state == "paused" else "refused"
        return sick.name, Answers(ended=ended, detail=describe(sick))
    where, timeout = running[0].name, parameters["timeout_seconds"]
    command = ["redis-cli", "--no-raw", "-h", "127.0.0.1", "-p", str(parameters["port"])]
    if parameters["tls"]:
        command += [
            "--tls",
            *(["--cacert", parameters["ca_file"]] if parameters["ca_file"] else ["--insecure"]),
        ]
    stdin = "".join(shlex.join(each) + "\n" for each in commands)
    done = platform.execute(parameters, carrier, running[0], command, stdin, timeout)
    replies = _redis.parse_cli(commands, done.stdout)
    if done.rc in (126, 127) or "executable file not found" in done.said:
        raise FailedError(
            f"cannot run redis-cli in {where}: {done.said}; set redis_host to talk to the server directly"
        )
    if done.timed_out:
        return where, Answers(
            replies, "timeout", f"no answer to {_first_unanswered(commands, replies)} within {timeout:g} s"
        )
    if not replies and (done.rc != 0 or "Could not connect" in done.stderr):  # told once for each command
        return where, Answers(replies, "refused", done.stderr.strip().split("\n")[0] or done.said)
    if len(replies) < len(commands):
        lost = f"no answer to {_first_unanswered(commands, replies)}; redis-cli said: {done.said[-200:]}"
        return where, Answers(replies, "error", lost)
    return where, Answers(replies)


def _first_unanswered(commands: list[list[str]], replies: Mapping[str, str]) -> str:
    return next((name for name in _redis.names(commands) if name not in replies), "the last command")
