"""What all tests share: in what they start, Ctrl-C works; the mark `long`; a server that says anything."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

_LONGEST = 20.0  # seconds that a client is served, whatever happens

Talk = Callable[[socket.socket], None]


def pytest_configure() -> None:
    """Under nohup, or in the background of a shell, these are ignored, and a process inherits that."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("FAULTS") == "all":
        return
    skip = pytest.mark.skip(reason="long: make faults runs it, and on a cluster make test-kubernetes")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(skip)


@pytest.fixture(scope="module")
def loopback() -> Iterator[Callable[[Talk], int]]:
    """Listens on 127.0.0.1, has each client talked to in a thread, and hangs up; returns the port."""
    servers: list[socket.socket] = []

    def start(talk: Talk) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)
        threading.Thread(target=_serve, args=(server, talk), daemon=True).start()
        return int(server.getsockname()[1])

    yield start
    for server in servers:
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)  # accept() of the other thread ends
        server.close()


def _serve(server: socket.socket, talk: Talk) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _address = server.accept()
            threading.Thread(target=_talk, args=(client, talk), daemon=True).start()


def _talk(client: socket.socket, talk: Talk) -> None:
    with client, contextlib.suppress(OSError):
        client.settimeout(_LONGEST)
        talk(client)
