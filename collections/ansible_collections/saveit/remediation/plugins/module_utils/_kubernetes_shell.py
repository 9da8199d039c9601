# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shell in a container at the terminal of a person, over the API's websocket: exec with a terminal there.

What is typed goes there as it is, what the shell writes comes here as it is, and the size of the window
follows in messages of a channel of its own. The channels: _kubernetes_exec.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import time
from typing import Any, Callable, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Completed
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_exec import (
    STATUS,
    STDERR,
    STDIN,
    STDOUT,
    V4,
    V5,
    connect,
    ended,
    raise_refusal,
    url_of,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_transport import (
    Transport,
    why,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._terminal import raw, size_of
from ansible_collections.saveit.remediation.plugins.module_utils._within import within

RESIZE = 4
_TICK = 0.2  # seconds between two looks at the size of the window, which tells only its foreground process
_TO_SEND = 10.0  # seconds for the server to take what was typed
_PING = 5.0  # seconds between two, as a silent shell and a dead connection look the same
_LOST = 60.0  # seconds without a sign of life
_CLOSED, _ALIVE = b"", b"\xff"  # no message of a stream: the end, an answer to a ping


def shell(
    transport: Transport,
    namespace: str,
    pod: str,
    container: str,
    command: Sequence[str],
    device: str,
    limit: float,
    is_over: Callable[[], bool],
) -> Completed:
    """Run the command at the terminal `device` until it ends, or `is_over`; the terminal is restored.

    `limit` are the seconds to connect in. Raises ApiError and ObstacleError as execute does, and FailedError
    when the connection breaks off or the window is closed.
    """
    attempt = f"open a shell in pods/{pod}"
    url = url_of(transport, namespace, pod, container, command, ["stdin", "stdout", "tty"])
    try:
        sock = within(limit, lambda: connect(transport, url, [V5, V4], limit))
    except Exception as error:  # websocket, ssl and the system each have their own
        raise_refusal(error, attempt, transport, [V5, V4])
        raise why(error, transport.access, limit, reads=False) from error
    try:
        with raw(device) as terminal:
            status = _talk(sock, terminal, is_over, attempt)
    finally:
        with contextlib.suppress(TimeoutError):
            within(1, sock.shutdown)
    return ended({STDOUT: bytearray(), STDERR: bytearray(), STATUS: status}, attempt)


def _talk(sock: Any, terminal: int, is_over: Callable[[], bool], attempt: str) -> bytearray:
    """Both ways, until the shell has ended: what the server says of that, nothing where it closes without."""
    size, heard, pinged = None, time.monotonic(), time.monotonic()
    while True:
        if is_over():
            raise FailedError(f"cannot {attempt} any longer: its run is over")
        now = time.monotonic()
        if now - heard > _LOST:
            raise FailedError(f"cannot {attempt} any longer: no sign of life for {_LOST:g} s")
        try:
            if size_of(terminal) != size:
                size = size_of(terminal)
                words = json.dumps({"Width": size.width, "Height": size.height}).encode()
                _send(sock, bytes([RESIZE]) + words)
            if now - pinged > _PING:
                pinged = now
                sock.ping()
            ready = select.select([terminal, sock.sock], [], [], 0 if _has_more(sock) else _TICK)[0]
            if terminal in ready:
                _send(sock, bytes([STDIN]) + _typed(terminal))
            if sock.sock in ready or _has_more(sock):
                message = _message(sock)
                heard = now if message is not None else heard
                if message == _CLOSED or (message and message[0] == STATUS and len(message) > 1):
                    return bytearray(message[1:])
                if message and message[0] in (STDOUT, STDERR):
                    _write(terminal, message[1:])
        except OSError as error:
            raise FailedError(f"cannot {attempt} any longer: {error}") from error


def _typed(terminal: int) -> bytes:
    """Raises OSError when the window was closed."""
    typed = os.read(terminal, 4096)
    if not typed:
        raise OSError("the terminal was closed")
    return typed


def _write(terminal: int, data: bytes) -> None:
    while data:
        data = data[os.write(terminal, data) :]


def _send(sock: Any, message: bytes) -> None:
    sock.settimeout(_TO_SEND)
    sock.send_binary(message)


def _has_more(sock: Any) -> bool:
    """Bytes that TLS has read already, which select does not know of."""
    pending = getattr(sock.sock, "pending", None)
    return bool(pending and pending())


def _message(sock: Any) -> bytes | None:
    """The next one; None when only a part of it is there, which the websocket keeps and goes on with."""
    from websocket import ABNF, WebSocketConnectionClosedException, WebSocketTimeoutException

    sock.settimeout(_TICK)
    try:
        opcode, frame = sock.recv_data_frame(True)
    except WebSocketTimeoutException:
        return None
    except WebSocketConnectionClosedException:
        return _CLOSED
    if opcode == ABNF.OPCODE_CLOSE:
        return _CLOSED
    return bytes(frame.data) if opcode in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) and frame.data else _ALIVE
