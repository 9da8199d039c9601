"""The HTTPS server: connections, the wire, and what goes wrong on it."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import socketserver
import ssl
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from typing import Any

from standin import executing, serving, websocket
from standin.faults import Fault, Faults
from standin.requests import Request, parsed
from standin.serving import Reply
from standin.tls import Authority
from standin.world import World

KEPT_REQUESTS = 20_000
BUSY = "Too many requests, please try again later.\n"
HTML = "<html><head><title>Sign in</title></head><body><h1>Sign in to continue</h1></body></html>\n"


class _Listener(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    server: Server

    def get_request(self) -> tuple[Any, Any]:
        """The handshake is the handler's, so that one slow client holds up nobody."""
        connection, address = self.socket.accept()
        connection.settimeout(60)
        wrapped = self.server.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self.server.connections.add(wrapped)
        return wrapped, address

    def shutdown_request(self, request: Any) -> None:
        self.server.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A client that goes away is no error of the server; anything else is shown."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError | ValueError):
            self.server.failures.append("".join(traceback.format_exception(error)))


@dataclass
class Server:
    """A world behind HTTPS on 127.0.0.1."""

    world: World
    authority: Authority
    faults: Faults = field(default_factory=Faults)
    connections: set[Any] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)  # of the stand-in itself: a test fails on them
    port: int = 0

    def __post_init__(self) -> None:
        self.context: ssl.SSLContext = self.authority.server_context()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.listener = _Listener(("127.0.0.1", self.port), _Handler)
        self.listener.server = self
        self.port = self.listener.server_address[1]
        self.thread = threading.Thread(
            target=self.listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.thread.start()

    def stop(self) -> None:
        """No new connections, and the open ones are cut."""
        self.listener.shutdown()
        self.listener.server_close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.connections.clear()
        self.thread.join(timeout=5)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "standin"
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        self.request.do_handshake()
        self.owner: Server = self.server.server  # type: ignore[attr-defined]
        super().setup()

    def log_message(self, *_arguments: object) -> None:
        """Quiet: tests read `requests`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode() if length else ""
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = parsed(self.command, self.path, body, headers)
        world = self.owner.world
        fault = self.owner.faults.take(request)
        if len(world.requests) < KEPT_REQUESTS:
            world.requests.append(request)
        if fault is not None and fault.kind not in ("half",):
            request.status = int(fault.kind) if fault.kind.isdigit() else 0
            self._fail(fault)
            return
        try:
            certificate = self.connection.getpeercert()
            reply = serving.answer(world, request, headers.get("authorization", ""), certificate)
        except (
            Exception
        ):  # a bug of the stand-in must reach the test, and not look like an answer of a server
            self.owner.failures.append(f"{request.method} {request.path}\n{traceback.format_exc()}")
            self.close_connection = True
            return
        request.status = reply.status
        if reply.protocol and reply.target is not None:
            self._exec(request, reply)
        elif reply.stream is not None:
            self._stream(reply, half=fault is not None)
        else:
            self._send(reply.status, reply.body, reply.headers, half=fault is not None)

    def _send(self, status: int, body: Any, headers: dict[str, str], *, half: bool = False) -> None:
        data = (
            body.encode()
            if isinstance(body, str)
            else json.dumps(body, separators=(",", ":")).encode() + b"\n"
        )
        self.send_response(status)
        every = {"Cache-Control": "no-cache, private", "Content-Type": "application/json", **headers}
        for name, value in every.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if half:
            data, self.close_connection = data[: len(data) // 2], True
        self.wfile.write(data)
        self.wfile.flush()

    def _stream(self, reply: Reply, *, half: bool) -> None:
        self.send_response(200)
        for name, value in (
            ("Cache-Control", "no-cache, private"),
            ("Content-Type", "application/json"),
            ("Transfer-Encoding", "chunked"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()
        if reply.stream is None:
            return
        for line in reply.stream():
            data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
            if half:
                data = data[: len(data) // 2]
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()
            if half:
                self.close_connection = True
                return
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _exec(self, request: Request, reply: Reply) -> None:
        self.close_connection = True
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header(
            "Sec-WebSocket-Accept", websocket.accept_key(request.headers.get("sec-websocket-key", ""))
        )
        self.send_header("Sec-WebSocket-Protocol", reply.protocol)
        self.end_headers()
        self.wfile.flush()
        if reply.target is not None:
            executing.converse(
                self.owner.world, request, reply.target, self.rfile, self.wfile, reply.protocol
            )

    def _fail(self, fault: Fault) -> None:
        plain = {"Content-Type": "text/plain; charset=utf-8"}
        if fault.kind == "429":
            self._send(429, BUSY, {**plain, "Retry-After": fault.retry_after})
        elif fault.kind == "500":
            message = "Internal error occurred: etcdserver: leader changed"
            details = {"causes": [{"message": "etcdserver: leader changed"}]}
            self._send(500, _status(500, "InternalError", message, details), {})
        elif fault.kind == "503":
            message = "the server is currently unable to handle the request"
            self._send(
                503, _status(503, "ServiceUnavailable", message, {}), {"Retry-After": fault.retry_after}
            )
        elif fault.kind == "html":
            self._send(200, HTML, {"Content-Type": "text/html"})
        else:
            if fault.kind == "hang":
                end = time.monotonic() + fault.seconds
                while time.monotonic() < end and not self.owner.world.stopped:
                    time.sleep(0.05)
            self.close_connection = True


def _status(code: int, reason: str, message: str, details: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": details,
        "code": code,
    }
