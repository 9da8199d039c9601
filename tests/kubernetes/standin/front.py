"""A loopback HTTP server in front of a service, as an ingress is: it answers as long as a pod is ready."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable
from typing import Any

Answerer = Callable[[str], tuple[int, str, str]]  # path: status, type of content, body
NO_ENDPOINT = (503, "text/html", "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>\n")


def healthy_answer(service: str, path: str) -> tuple[int, str, str]:
    """What a ready pod of the service answers, see the facts of the deployed stack."""
    if service == "frontend":
        return (
            (200, "text/plain", "healthy\n")
            if path == "/health"
            else (200, "text/html", "<title>Save-It.AI</title>\n")
        )
    answers: dict[str, Any] = {
        "/api/v1/health/live": {"status": "alive"},
        "/api/v1/health/ready": {"status": "ready"},
        "/api/v1/health": {
            "status": "healthy",
            "components": {"api": {"status": "healthy"}, "database": {"status": "healthy"}},
        },
    }
    if path not in answers:
        return 404, "application/json", json.dumps({"detail": "Not Found"})
    return 200, "application/json", json.dumps(answers[path])


class Front:
    """Listens on 127.0.0.1 until it is closed."""

    def __init__(self, answer: Answerer) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, type_, body = answer(self.path.partition("?")[0])
                data = body.encode()
                self.send_response(status)
                self.send_header("Content-Type", type_)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_arguments: object) -> None:
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=5)
