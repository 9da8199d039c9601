"""Whether each service really answers, asked as its users ask it. A probe returns a complaint or None."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

from saveit_lab import docker, places

Probe = Callable[[], "str | None"]
MQTT_CONNECT = bytes([0x10, 15, 0, 4]) + b"MQTT" + bytes([4, 2, 0, 10, 0, 3]) + b"lab"
MQTT_CONNACK = bytes([0x20, 2, 0, 0])
SLOW = 1.5  # seconds; a request that waits for Redis takes longer


def complaints(services: Iterable[str]) -> dict[str, str]:
    """What is wrong with each service of a profile; healthy ones are left out."""
    asked = {name: PROBES[name] for name in services}
    if "mosquitto" not in asked:
        asked["backend"] = _backend_with_broker
    with ThreadPoolExecutor(max_workers=len(asked)) as pool:
        answers = {name: pool.submit(probe) for name, probe in asked.items()}
    return {name: str(answer.result()) for name, answer in answers.items() if answer.result()}


def get(port: int, path: str, tls: ssl.SSLContext | None = None, timeout: float = 3) -> str | None:
    """The complaint about a page that should answer 200 in time."""
    if tls is None:
        connection = http.client.HTTPConnection("localhost", port, timeout=timeout)
    else:
        connection = http.client.HTTPSConnection("localhost", port, timeout=timeout, context=tls)
    with closing(connection):
        try:
            connection.request("GET", path)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"port {port}, {path}: {error or type(error).__name__}"
    return None if status == 200 else f"port {port}, {path} answers {status}"


def _backend() -> str | None:
    """Several times: a worker process that is stuck answers only its share."""
    for path in ("health/ready", "items", "health/ready", "items"):
        began = time.monotonic()
        complaint = get(8000, f"/api/v1/{path}")
        if complaint:
            return complaint
        if time.monotonic() - began > SLOW:
            return f"/api/v1/{path} takes longer than {SLOW} s"
    return None


def _edge() -> str | None:
    return _get_trusted(8443, "/api/v1/health/live", "trusted.crt")


def _issuer() -> str | None:
    return _get_trusted(14000, "/dir", "ca.crt")


def _get_trusted(port: int, path: str, authorities: str) -> str | None:
    try:
        context = ssl.create_default_context(cafile=str(places.CERTIFICATES / authorities))
    except OSError as error:
        return f"the authorities' certificates cannot be read: {error}"
    return get(port, path, context)


def _client() -> str | None:
    done = docker.execute("certbot", "true")
    return None if done.ok else done.complaint


def _postgres() -> str | None:
    done = docker.execute("postgres", "psql", "-U", "saveit", "-Atc", "SELECT 1")
    return None if done.ok else done.complaint


def _redis() -> str | None:
    done = redis_says("SET", "lab:probe", "1", "EX", "60")
    return None if done == "OK" else done or "no answer"


def redis_says(*command: str) -> str:
    """What Redis answers to a command, or an empty string when it does not within 2 s."""
    done = docker.execute("redis", "timeout", "2", "redis-cli", *command)
    return (done.output.strip() or done.errors.strip()) if done.status != 124 else ""


def mqtt(port: int = 1883, ca: Path | None = None) -> str | None:
    """A TCP connection says nothing: docker's proxy accepts it for a broker that is dead."""
    try:
        answer = mqtt_says(port, ca)
    except OSError as error:
        return f"no MQTT on port {port}: {error}"
    return None if answer == MQTT_CONNACK else f"no CONNACK on port {port} but {answer!r}"


def mqtt_says(port: int = 1883, ca: Path | None = None) -> bytes:
    """The first bytes that the broker answers to a client without a name."""
    with ExitStack() as opened:
        connection = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=3))
        if ca:
            tls = ssl.create_default_context(cafile=str(ca))
            connection = opened.enter_context(tls.wrap_socket(connection, server_hostname="127.0.0.1"))
        connection.sendall(MQTT_CONNECT)
        return connection.recv(4)


def mqtt_with_tls() -> str | None:
    return mqtt(8884, places.BROKER / "ca.crt")


def _broker() -> str | None:
    return mqtt() or mqtt_with_tls()


def _backend_with_broker() -> str | None:
    return _backend() or _broker()


PROBES: dict[str, Probe] = {
    "backend": _backend,
    "frontend": lambda: get(5000, "/health"),
    "postgres": _postgres,
    "redis": _redis,
    "mosquitto": _broker,
    "nginx": _edge,
    "acme": _issuer,
    "certbot": _client,
    "prometheus": lambda: get(9090, "/-/ready"),
}
