# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A conversation with a Redis server inside the cluster or on the host, where nobody told its address.

Its own container has redis-cli. One that is managed elsewhere is asked by a line of Python in a client's
instance, which knows the address, and prints what redis-cli would.
"""

from __future__ import annotations

import shlex
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils import _redis
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._redis import Answers
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, describe
from ansible_collections.saveit.remediation.plugins.module_utils._target import adapter

NO_ADDRESS = 9  # the exit code of _PYTHON where the variable holds none
# Takes the variable with the URL and the time limit as arguments, and the commands from standard input. It
# ends as redis-cli under timeout(1) does.
_PYTHON = r"""
import os, shlex, socket, ssl, sys
from urllib.parse import unquote, urlsplit
url, limit = urlsplit(os.environ.get(sys.argv[1], "")), float(sys.argv[2])
host, port = url.hostname, url.port or 6379
if not host:
    sys.exit(9)
def reply():
    line = stream.readline()
    if not line:
        sys.exit("Server closed the connection")
    kind, rest = line[:1], line[1:].decode("utf-8", "replace").strip()
    if kind in b"-:":
        return {b"-": "(error) ", b":": "(integer) "}[kind] + rest
    if kind == b"*":
        return "\n".join("%d) %s" % (number + 1, reply()) for number in range(int(rest)))
    if kind != b"$":
        return rest
    if rest == "-1":
        return "(nil)"
    text = stream.read(int(rest) + 2)[:-2].decode("utf-8", "replace")
    return text if "\n" in text else '"%s"' % text
def ask(words):
    parts = [each.encode() for each in words]
    told = b"".join(b"$%d\r\n%s\r\n" % (len(each), each) for each in parts)
    stream.write(b"*%d\r\n" % len(parts) + told)
    stream.flush()
    return reply()
try:
    sock = socket.create_connection((host, port), limit)
    if url.scheme == "rediss":
        sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
    stream = sock.makefile("rwb")
    if url.password:
        ask(["AUTH", *([unquote(url.username)] if url.username else []), unquote(url.password)])
    for line in sys.stdin.read().splitlines():
        print(ask(shlex.split(line)), flush=True)
except socket.timeout:
    sys.exit(124)
except OSError as error:
    sys.exit("Could not connect to Redis at %s:%s: %s" % (host, port, error))
"""


def converse_inside(
    parameters: Mapping[str, Any], carrier: Carrier, commands: list[list[str]]
) -> tuple[str, Answers]:
    """Where we asked, and what was heard: by redis-cli in the service's own container.

    Secrets go in by standard input, not as arguments. Where nothing runs it, a client of its is asked to ask.
    Raises FailedError when there is nothing to ask with, and ObstacleError when nobody knows its address.
    """
    platform = adapter(parameters)
    client = parameters.get("client") or {}
    service = platform.look(parameters, carrier, parameters["service"], required=not client)
    if not service.instances:
        return _ask_client(parameters, carrier, client, commands)
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
    done = platform.execute(parameters, carrier, running[0], command, _lines(commands), timeout)
    replies = _redis.parse_cli(commands, done.stdout)
    if done.rc in (126, 127) or "executable file not found" in done.said:
        raise FailedError(
            f"cannot run redis-cli in {where}: {done.said}; set redis_host to talk to the server directly"
        )
    return where, _heard(commands, replies, done, timeout)


def _ask_client(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    client: Mapping[str, Any],
    commands: Sequence[Sequence[str]],
) -> tuple[str, Answers]:
    platform, timeout = adapter(parameters), parameters["timeout_seconds"]
    users = platform.look(parameters, carrier, client["name"], required=False).in_state(RUNNING)
    if not users:
        platform.look(parameters, carrier, parameters["service"])  # raises what is missing
    program = ["python", "-c", _PYTHON, client["variable"], f"{timeout:g}"]
    done = platform.execute(parameters, carrier, users[0], program, _lines(commands), 2 * timeout + 2)
    if done.rc == NO_ADDRESS:
        platform.look(parameters, carrier, parameters["service"])
    if done.rc in (126, 127) or "Traceback" in done.stderr:
        why = (
            done.stderr.strip().rpartition("\n")[2].partition(": ")[0]
        )  # what follows may have the URL in it
        raise FailedError(
            f"cannot ask {parameters['service']} from {users[0].name}: {why or done.said}; "
            "set redis_host to talk to the server directly"
        )
    where = f"asked from {users[0].name}, as nothing here runs it"
    return where, _heard(commands, _redis.parse_cli(commands, done.stdout), done, timeout)


def _lines(commands: Sequence[Sequence[str]]) -> str:
    return "".join(shlex.join(each) + "\n" for each in commands)


def _heard(
    commands: Sequence[Sequence[str]], replies: Mapping[str, str], done: Completed, timeout: float
) -> Answers:
    """What was answered, and how the conversation ended."""
    if done.timed_out:
        return Answers(
            replies, "timeout", f"no answer to {_first_unanswered(commands, replies)} within {timeout:g} s"
        )
    if not replies and (done.rc != 0 or "Could not connect" in done.stderr):  # told once for each command
        return Answers(replies, "refused", done.stderr.strip().split("\n")[0] or done.said)
    if len(replies) < len(commands):
        lost = f"no answer to {_first_unanswered(commands, replies)}; it said: {done.said[-200:]}"
        return Answers(replies, "error", lost)
    return Answers(replies)


def _first_unanswered(commands: Sequence[Sequence[str]], replies: Mapping[str, str]) -> str:
    return next((name for name in _redis.names(commands) if name not in replies), "the last command")
