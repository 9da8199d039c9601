# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A conversation with a broker, by the library paho-mqtt, every step of it bounded in time."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
import uuid
from contextlib import suppress
from typing import Any, Callable, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._mqtt import STEPS, Heard, connack_code
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

TLS_RECORD = (0x15, 0x16)  # first byte of an alert, of a handshake
SHOWN = 24  # bytes of what is no MQTT


class EndedError(Exception):
    """The conversation is over before its time."""

    def __init__(self, ended: str, detail: str = "", code: int = 0) -> None:
        super().__init__(detail)
        self.ended = ended
        self.detail = detail
        self.code = code


def converse(parameters: Mapping[str, Any], roundtrip: bool) -> Heard:
    """Hold the conversation; it is over after `timeout_seconds` for each step, whatever the broker does.

    It has a thread of its own, because a name is resolved, and a TLS handshake trickles, without a limit.
    Raises FailedError when the library is not there, or the CA file is none.
    """
    conversation = Conversation(parameters)
    thread = threading.Thread(target=conversation.hold, args=(roundtrip,), daemon=True)
    thread.start()
    thread.join(parameters["timeout_seconds"] * (len(STEPS) if roundtrip else 2) + 0.5)
    if conversation.failure:
        raise conversation.failure
    if conversation.heard:
        return conversation.heard
    took = dict(conversation.milliseconds)
    if not conversation.resolved:
        detail = f"the name {parameters['host']} is not resolved within {parameters['timeout_seconds']:g} s"
        return Heard("unreachable", "connect", detail=detail)
    return Heard("timeout", conversation.step, milliseconds=took)


class Conversation:
    """CONNECT, CONNACK, SUBSCRIBE, PUBLISH to a topic of its own, and the message back; then DISCONNECT.

    The session is clean and the message not retained, so the broker keeps nothing of it.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.parameters = parameters
        self.timeout: float = parameters["timeout_seconds"]
        self.topic = f"{parameters['topic_prefix'].rstrip('/')}/{uuid.uuid4().hex}"
        self.step = STEPS[0]
        self.resolved = False  # the host's name
        self.milliseconds: dict[str, float] = {}
        self.heard: Heard | None = None
        self.failure: FailedError | None = None
        self.beginning = b""  # of the broker's answer
        self.codes: dict[str, int] = {}  # what the broker answered to each step, 0 for yes

    def hold(self, roundtrip: bool) -> None:
        """All of it; leaves `heard`, or `failure`."""
        try:
            client = self._client()
        except FailedError as error:
            self.failure = error
            return
        ended, detail, code = "", "", 0
        try:
            self._talk(client, roundtrip)
        except EndedError as error:
            ended, detail, code = error.ended, error.detail, error.code
        except Exception as error:  # whatever the library makes of bytes that are no MQTT
            ended, detail = "garbage", f"{type(error).__name__}: {error}"
        finally:
            connected = client.socket()
            with suppress(Exception):  # leaving politely; the verdict stands already
                client.disconnect()
                client.loop_write()
            if connected is not None:
                connected.close()
        self.heard = Heard(ended, self.step if ended else "", code, detail, dict(self.milliseconds))

    def _client(self) -> Any:
        try:
            import paho.mqtt.client as paho
        except ImportError as error:
            raise FailedError(
                f"cannot speak MQTT: the Python library paho-mqtt is not installed: {error}"
            ) from error
        if not hasattr(paho, "CallbackAPIVersion"):
            raise FailedError("cannot speak MQTT: the Python library paho-mqtt is older than 2.0")
        given = self.parameters
        version = paho.MQTTv5 if given["version"] == "5" else paho.MQTTv311
        client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id=f"saveit{uuid.uuid4().hex[:12]}",
            protocol=version,
            clean_session=None if version == paho.MQTTv5 else True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = self.timeout
        if given["username"] or given["password"]:
            client.username_pw_set(given["username"], given["password"] or None)
        if given["tls"]:
            try:
                client.tls_set(ca_certs=given["ca_file"] or None)
            except (OSError, ValueError) as error:
                raise FailedError(f"cannot use {given['ca_file']} as CA certificate: {error}") from error
        client.on_connect = lambda _client, _data, _flags, code, _more: self._answered("connack", code.value)
        client.on_subscribe = lambda _client, _data, _id, codes, _more: self._answered(
            "subscribe", max(code.value for code in codes)
        )
        client.on_publish = lambda _client, _data, _id, code, _more: self._refused("message", code.value)
        client.on_message = lambda _client, _data, message: self._answered(
            "message", 0 if message.topic == self.topic else 128
        )
        return client

    def _answered(self, step: str, code: int) -> None:
        self.codes[step] = code if code >= 128 else 0

    def _refused(self, step: str, code: int) -> None:
        if code >= 128:
            self.codes[step] = code

    def _talk(self, client: Any, roundtrip: bool) -> None:
        self._in_step("connect", lambda: self._connect(client))
        self._in_step("connack", lambda: self._listen(client, "connack"))
        if not roundtrip:
            return
        client.subscribe(self.topic, qos=1)
        self._in_step("subscribe", lambda: self._listen(client, "subscribe"))
        client.publish(self.topic, self.topic.encode(), qos=1, retain=False)
        self._in_step("message", lambda: self._listen(client, "message"))

    def _in_step(self, step: str, take: Callable[[], None]) -> None:
        self.step = step
        begun = time.monotonic()
        take()
        self.milliseconds[step] = round((time.monotonic() - begun) * 1000, 1)

    def _connect(self, client: Any) -> None:
        given = self.parameters
        try:
            socket.getaddrinfo(given["host"], given["port"], type=socket.SOCK_STREAM)
            self.resolved = True
            client.connect(given["host"], given["port"], keepalive=60)
        except ssl.SSLEOFError:
            raise EndedError("closed") from None
        except ssl.SSLError as error:
            raise EndedError("tls", _words(error)) from error
        except socket.gaierror as error:
            why = f"the name {given['host']} cannot be resolved: {_words(error)}"
            raise EndedError("unreachable", why) from error
        except socket.timeout as error:  # noqa: UP041 - another class before Python 3.10
            if "handshake" in str(error):
                raise EndedError("timeout") from error
            raise EndedError("unreachable", f"no TCP connection within {self.timeout:g} s") from error
        except ConnectionRefusedError as error:
            raise EndedError("refused", _words(error)) from error
        except ConnectionError:
            raise EndedError("closed") from None
        except OSError as error:
            raise EndedError("unreachable", _words(error)) from error

    def _listen(self, client: Any, step: str) -> None:
        """Read until the broker has answered this step."""
        ends = time.monotonic() + self.timeout
        while step not in self.codes:
            connected = client.socket()
            if connected is None:
                raise self._lost()
            left = ends - time.monotonic()
            if left <= 0:
                raise EndedError("timeout")
            pending = isinstance(connected, ssl.SSLSocket) and connected.pending()
            writes = [connected] if client.want_write() else []
            readable, writable, _errors = select.select([connected], writes, [], 0 if pending else left)
            if writable:
                client.loop_write()
            if readable or pending:
                self._peek(connected)
                if client.loop_read() and step not in self.codes:
                    raise self._lost()
        if self.codes[step]:
            raise EndedError("code", self.topic, self.codes[step])

    def _peek(self, connected: Any) -> None:
        """Look at the first bytes before the library takes them: it does not tell what it could not read."""
        if self.beginning or isinstance(connected, ssl.SSLSocket):
            return
        with suppress(BlockingIOError, ConnectionError):
            self.beginning = connected.recv(SHOWN, socket.MSG_PEEK)
        if not self.beginning or self.beginning[0] == 0x20:
            return
        if self.beginning[0] in TLS_RECORD and self.beginning[1:2] == b"\x03":
            raise EndedError("garbage", "it speaks TLS on this port")
        raise EndedError("garbage", f"it answers CONNECT with {self.beginning!r}")

    def _lost(self) -> EndedError:
        code = connack_code(self.beginning)
        if code and self.step == "connack":
            return EndedError("code", self.topic, code)
        if self.beginning and self.step == "connack":
            return EndedError("garbage", f"it answers CONNECT with {self.beginning!r}")
        return EndedError("closed")


def _words(error: OSError) -> str:
    """The reason that the system gives, in one line and without its number."""
    said = str(getattr(error, "verify_message", "") or error.strerror or error)
    return " ".join(said.split()) or type(error).__name__
