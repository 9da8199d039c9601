# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A conversation with a broker inside the instance that runs it, where nobody told its public address.

A broker of its own has the clients of Mosquitto beside it, see
https://mosquitto.org/man/mosquitto_rr-1.html. One that is embedded in a Python application is asked by a line
of Python there.
"""

from __future__ import annotations

import uuid
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._mqtt import Heard
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, describe
from ansible_collections.saveit.remediation.plugins.module_utils._target import adapter

_TIMED_OUT = 27  # the exit code of a client of Mosquitto whose -W is over
_CODES = {"bad user name or password": 134, "not authori": 135, "unavailable": 136}
# The user and the password come in by standard input, so that neither the API nor its audit log has them.
_WITH_LOGIN = 'IFS= read -r user; IFS= read -r word; exec "$@" -u "$user" -P "$word"'
# CONNECT, and with a topic SUBSCRIBE and PUBLISH of MQTT 3.1.1; it prints each step that is done.
_PYTHON = """
import socket, sys
port, limit, topic = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3].encode()
user, word = (sys.stdin.read().split("\\n") + ["", ""])[:2]
text = lambda value: len(value).to_bytes(2, "big") + value
packet = lambda kind, body: bytes([kind, len(body)]) + body
def read(sock, count):
    got = b""
    while len(got) < count:
        more = sock.recv(count - len(got))
        if not more:
            sys.exit("closed")
        got += more
    return got
try:
    sock = socket.create_connection(("127.0.0.1", port), limit)
    sock.settimeout(limit)
    flags = 2 | (0xC0 if user else 0)
    login = text(user.encode()) + text(word.encode()) if user else b""
    sock.sendall(packet(0x10, text(b"MQTT") + bytes([4, flags, 0, 30]) + text(b"saveit-remediate") + login))
    print("connack", read(sock, 4)[3], flush=True)
    if topic:
        sock.sendall(packet(0x82, b"\\0\\1" + text(topic) + b"\\0"))
        read(sock, 5)
        sock.sendall(packet(0x30, text(topic) + b"1"))
        read(sock, len(topic) + 5)
        print("message")
    sock.sendall(packet(0xE0, b""))
except ConnectionRefusedError:
    sys.exit("refused")
except socket.timeout:
    sys.exit("timeout")
except OSError as error:
    sys.exit("closed")
"""


def converse_inside(parameters: Mapping[str, Any], carrier: Carrier, roundtrip: bool) -> tuple[str, Heard]:
    """Where we asked, and what was heard. Raises FailedError when there is no client to ask with."""
    if parameters["tls"]:
        raise FailedError("cannot check the TLS of MQTT inside the broker's own instance; set mqtt_host")
    if parameters["runs_in"] == "":
        sentence = "cannot ask the MQTT broker: nothing here runs it, and nobody told its address (mqtt_host)"
        raise ObstacleError("no-service", sentence, "refused")
    name = parameters["runs_in"] or parameters["service"]
    service = adapter(parameters).look(parameters, carrier, name)
    running = service.in_state(RUNNING)
    if not running:
        told = "; ".join(describe(each) for each in service.instances)
        return service.name, Heard("refused", "connect", detail=told)
    where = running[0].name
    topic = f"{parameters['topic_prefix'].strip('/')}/{uuid.uuid4().hex[:8]}" if roundtrip else ""
    stdin = f"{parameters['username']}\n{parameters['password']}\n"
    limit = parameters["timeout_seconds"]

    def run(*command: str) -> Completed:
        done: Completed = adapter(parameters).execute(
            parameters, carrier, running[0], command, stdin, 3 * limit + 2
        )
        if done.rc in (126, 127):
            raise FailedError(
                f"cannot ask the broker inside {where}: {done.said}; set mqtt_host to ask it from here"
            )
        return done

    begun = carrier.now()
    if name != parameters["service"]:
        done = run("python", "-c", _PYTHON, str(parameters["port"]), f"{limit:g}", topic)
        return where, of_python(done, topic, (carrier.now() - begun) * 1000)
    login = ["sh", "-c", _WITH_LOGIN, "sh"] if parameters["username"] else []
    address = ["-h", "127.0.0.1", "-p", str(parameters["port"]), "-W", f"{max(1, round(limit))}"]
    if roundtrip:
        rr = ["mosquitto_rr", *address, "-t", topic, "-e", topic, "-m", "1"]
        done = run(*login, *rr)
        if done.rc == 0:
            took = (carrier.now() - begun) * 1000
            return where, Heard(milliseconds={"connack": took, "message": took})
        if done.rc != _TIMED_OUT:
            return where, of_client(done)
    sub = ["mosquitto_sub", *address, "-t", f"{parameters['topic_prefix'].strip('/')}/none", "-E"]
    done = run(*login, *sub)
    took = (carrier.now() - begun) * 1000
    if done.rc != 0:
        return where, of_client(done)
    known = {"connack": took}
    return where, Heard("timeout", "message", milliseconds=known) if roundtrip else Heard(milliseconds=known)


def of_client(done: Completed) -> Heard:
    """What the end of a client of Mosquitto means, whose exit codes are few: its words say more."""
    said = done.said.lower()
    for words, code in _CODES.items():
        if words in said:
            return Heard("code", "connack", code, done.said)
    if done.timed_out or done.rc == _TIMED_OUT:
        return Heard("timeout", "connack", detail=done.said)
    if "connection refused" in said:
        return Heard("refused", "connect", detail=done.said)
    return Heard("closed", "connack", detail=done.said)


def of_python(done: Completed, topic: str, took: float) -> Heard:
    """What our own line of Python printed, and how it ended."""
    steps = {"connack": took} if "connack 0" in done.stdout else {}
    if "connack" in done.stdout and not steps:
        return Heard("code", "connack", int(done.stdout.split()[1]), done.said)
    if "message" in done.stdout:
        steps["message"] = took
    if done.rc == 0:
        return Heard(milliseconds=steps)
    step = "message" if topic and steps else "connack"
    word = "timeout" if done.timed_out else done.stderr.strip().rpartition("\n")[2]
    if word not in ("refused", "timeout", "closed"):
        raise FailedError(f"cannot ask the broker: {done.said[-200:]}; set mqtt_host to ask it from here")
    return Heard(word, "connect" if word == "refused" else step, milliseconds=steps)
