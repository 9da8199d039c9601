# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command in a container, over the API's websocket: standard input, both streams, and the exit code.

The first byte of each message is its channel: standard input, output and error, and the status at the end.
Only version 5 of the protocol (Kubernetes 1.30) can say that the input has ended:
https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets
"""

from __future__ import annotations

import json
import time
from typing import Any, Mapping, Sequence
from urllib.parse import urlencode

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Completed
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import Answer, refusal
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_kinds import KINDS
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_transport import Transport, why
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._within import within

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
STDIN, STDOUT, STDERR, STATUS, CLOSE = 0, 1, 2, 3, 255
_CHUNK = 32 * 1024  # bytes of standard input in one message
_MOST = 8 * 1024 * 1024  # bytes of output that are kept
# Where the end of the input cannot be said, the command gets exactly what there is of it.
_FED = ["sh", "-c", 'n=$1; shift; head -c "$n" | "$@"', "sh"]
_SLACK = 1.0  # seconds for the thread to see that time is up


def execute(
    transport: Transport,
    namespace: str,
    pod: str,
    container: str,
    command: Sequence[str],
    stdin: str,
    timeout: float,
) -> Completed:
    """Run it; rc is the command's, 124 when time is up, 127 without such a command, 126 when it cannot run.

    Raises ApiError when the API refuses (404: no such pod), ObstacleError when it cannot be asked.
    """
    data = stdin.encode()
    ends = time.monotonic() + timeout
    protocols = [V5] if data else [V5, V4]
    try:
        return _over(transport, namespace, pod, container, command, data, protocols, ends)
    except _OldProtocolError:
        fed = [*_FED, str(len(data)), *command]
        return _over(transport, namespace, pod, container, fed, data, [V4], ends)


class _OldProtocolError(Exception):
    """The server knows none of the protocols that were offered; nothing was run."""


def _over(
    transport: Transport,
    namespace: str,
    pod: str,
    container: str,
    command: Sequence[str],
    data: bytes,
    protocols: Sequence[str],
    ends: float,
) -> Completed:
    flags = [*(["stdin"] if data else []), "stdout", "stderr"]
    url = url_of(transport, namespace, pod, container, command, flags)
    where = f"pods/{pod}" + (f", container {container}" if container else "")
    attempt = f"run {command[0] if command[:1] != ['sh'] else 'a command'} in {where}"
    limit = max(0.1, ends - time.monotonic())
    connected: list[Any] = []
    streams: dict[int, bytearray] = {each: bytearray() for each in (STDOUT, STDERR, STATUS)}

    def talk() -> None:
        sock = connect(transport, url, protocols, limit)
        connected.append(sock)
        _send(sock, data, protocols)
        _receive(sock, streams, ends)

    try:
        within(limit + _SLACK, talk)
    except Exception as error:  # websocket, ssl and the system each have their own
        if _is_timeout(error) and connected:
            return _completed(124, streams)
        raise_refusal(error, attempt, transport, protocols)
        raise why(error, transport.access, limit, reads=False) from error
    finally:
        for each in connected:
            within(1, each.shutdown)
    return ended(streams, attempt)


def url_of(
    transport: Transport,
    namespace: str,
    pod: str,
    container: str,
    command: Sequence[str],
    flags: Sequence[str],
) -> str:
    """Of the subresource exec; `flags` are the streams that are wanted, and tty."""
    query = [("container", container)] if container else []
    query += [("command", each) for each in command]
    query += [(each, "true") for each in flags]
    path = KINDS["pods"].path(namespace, pod, "exec")
    return f"{transport.configuration.host}{path}?{urlencode(query)}"


def connect(transport: Transport, url: str, protocols: Sequence[str], limit: float) -> Any:
    """The open websocket; `limit` seconds are its time limit from now on, too."""
    import websocket
    from kubernetes.stream.ws_client import create_websocket

    headers = {key.lower(): value for key, value in transport.authorization().items()}
    headers["sec-websocket-protocol"] = ",".join(protocols)
    before = websocket.getdefaulttimeout()
    websocket.setdefaulttimeout(limit)  # the client passes none on
    try:
        secure = url.replace("http", "ws", 1)
        return create_websocket(transport.configuration, secure, headers)
    finally:
        websocket.setdefaulttimeout(before)


def _send(sock: Any, data: bytes, protocols: Sequence[str]) -> None:
    for start in range(0, len(data), _CHUNK):
        sock.send_binary(bytes([STDIN]) + data[start : start + _CHUNK])
    if data and V5 in protocols:
        sock.send_binary(bytes([CLOSE, STDIN]))


def _receive(sock: Any, streams: dict[int, bytearray], ends: float) -> None:
    """Until the status has come, or the server closes."""
    from websocket import ABNF

    while not streams[STATUS]:
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        sock.settimeout(left)
        opcode, frame = sock.recv_data_frame(True)
        if opcode == ABNF.OPCODE_CLOSE:
            return
        message = frame.data if opcode in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) else b""
        if len(message) > 1 and message[0] in streams and len(streams[message[0]]) < _MOST:
            streams[message[0]] += message[1:]


def ended(streams: Mapping[int, bytearray], attempt: str) -> Completed:
    """How the command ended, by the status channel. Raises FailedError where it said nothing."""
    try:
        status = json.loads(bytes(streams[STATUS]))
    except ValueError:
        raise FailedError(
            f"cannot {attempt}: the connection was closed before the command had ended"
        ) from None
    if status.get("status") == "Success":
        return _completed(0, streams)
    message = str(status.get("message") or "")
    for cause in (status.get("details") or {}).get("causes") or ():
        if cause.get("reason") == "ExitCode" and str(cause.get("message")).isdigit():
            return _completed(int(cause["message"]), streams)
    streams[STDERR].extend(message.encode())  # the runtime's words: it never ran
    missing = "executable file not found" in message or "no such file or directory" in message
    return _completed(127 if missing else 126, streams)


def _completed(rc: int, streams: Mapping[int, bytearray]) -> Completed:
    stdout, stderr = (bytes(streams[each]).decode("utf-8", "replace") for each in (STDOUT, STDERR))
    return Completed(rc, stdout, stderr)


def _is_timeout(error: BaseException) -> bool:
    from websocket import WebSocketTimeoutException

    return isinstance(error, (TimeoutError, WebSocketTimeoutException))


def raise_refusal(error: BaseException, attempt: str, transport: Transport, protocols: Sequence[str]) -> None:
    """Raise what an HTTP answer in place of the websocket says."""
    from websocket import WebSocketBadStatusException

    if not isinstance(error, WebSocketBadStatusException):
        return
    headers = {key.lower(): value for key, value in (error.resp_headers or {}).items()}
    body = error.resp_body or b""
    answer = Answer(error.status_code, headers.get("content-type", ""), bytes(body))
    if answer.status in (400, 403) and not answer.is_json and V4 not in protocols:
        raise _OldProtocolError from None
    raise refusal(answer, attempt, transport.access, reads=False) from error
