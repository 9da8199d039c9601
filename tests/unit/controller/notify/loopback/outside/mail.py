"""A mail server on loopback: enough of SMTP (RFC 5321) to take mails, and to refuse recipients."""

from __future__ import annotations

import socketserver
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailServer:
    """`refused` are answers for recipients; `mails` what was taken."""

    refused: dict[str, bytes] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> MailServer:
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(server: MailServer) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 ready\r\n")
            for line in iter(self.rfile.readline, b""):
                word = line[:4].upper().strip()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = list(iter(self.rfile.readline, b".\r\n"))
                    server.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
                answer = b"250 fine"
                if word == b"RCPT":
                    address = line.partition(b"<")[2].partition(b">")[0].decode()
                    answer = server.refused.get(address, answer)
                self.wfile.write((b"221 bye" if word == b"QUIT" else answer) + b"\r\n")
                if word == b"QUIT":
                    return

    return Handler
