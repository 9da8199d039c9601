"""The server's side of RFC 6455, as far as exec needs it."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator
from contextlib import AbstractContextManager
from io import BufferedIOBase
from typing import Any

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
LARGEST = 16 * 1024 * 1024


def accept_key(key: str) -> str:
    return base64.b64encode(hashlib.sha1((key + MAGIC).encode(), usedforsecurity=False).digest()).decode()


def frame(payload: bytes, opcode: int = BINARY) -> bytes:
    """A frame of the server: not masked."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
    return head + payload


def messages(
    reader: BufferedIOBase, writer: BufferedIOBase, writing: AbstractContextManager[Any]
) -> Iterator[bytes]:
    """What the client says, until it closes. Pings are answered, under the lock of all who write.

    Raises:
        ConnectionError: the client breaks the protocol.
    """
    parts: list[bytes] = []
    while True:
        head = reader.read(2)
        if len(head) < 2:
            return
        final, opcode, masked, size = head[0] & 0x80, head[0] & 0x0F, head[1] & 0x80, head[1] & 0x7F
        if not masked:
            raise ConnectionError("a client must mask its frames")
        if size >= 126:
            size = int.from_bytes(reader.read(2 if size == 126 else 8), "big")
        if size > LARGEST:
            raise ConnectionError("frame too large")
        mask = reader.read(4)
        data = reader.read(size)
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        if opcode == CLOSE:
            return
        if opcode == PING:
            with writing:
                writer.write(frame(payload, PONG))
                writer.flush()
        elif opcode in (CONTINUATION, TEXT, BINARY):
            parts.append(payload)
            if final:
                yield b"".join(parts)
                parts = []
