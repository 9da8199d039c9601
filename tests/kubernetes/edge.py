"""The TLS edge of a test: on loopback, it serves what the secret holds, as an ingress controller does."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from standin.cluster import Cluster
    from standin.tls import Pair


class Edge:
    """Without a certificate it closes the connection; `pinned` is served instead of the secret's."""

    def __init__(self, cluster: Cluster, folder: Path, secret: str) -> None:
        self.cluster, self.folder, self.secret = cluster, folder, secret
        self.pinned: Pair | None = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        pair = self._pair()
        if pair is None:
            return
        for name, text in zip(("edge.crt", "edge.key"), pair, strict=True):
            (self.folder / name).write_text(text)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.folder / "edge.crt", self.folder / "edge.key")
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(1)
        except OSError:
            return  # a client that does not trust it, or a key of another certificate: nothing is served

    def _pair(self) -> tuple[str, str] | None:
        if self.pinned:
            return self.pinned.pem, self.pinned.key_pem
        found = self.cluster.find("secrets", self.secret)
        if found is None:
            return None
        return tuple(base64.b64decode(found["data"][key]).decode() for key in ("tls.crt", "tls.key"))  # type: ignore[return-value]
