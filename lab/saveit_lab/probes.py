"""Whether each service really answers, asked as its users ask it. A probe returns a complaint or None."""

import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Optional

from saveit_lab import docker, places

Probe = Callable[[], Optional[str]]
MQTT_CONNECT = bytes([0x10, 15, 0, 4]) + b"MQTT" + bytes([4, 2, 0, 10, 0, 3]) + b"lab"
MQTT_CONNACK = bytes([0x20, 2, 0, 0])
SLOW = 1.5  # seconds; a request that waits for Redis takes longer


def complaints(services: Iterable[str]) -> dict[str, str]:
    """What is wrong with each of the services; healthy ones are left out."""
    names = list(services)
    with ThreadPoolExecutor(max_workers=len(names) or 1) as pool:
        answers = pool.map(lambda name: PROBES[name](), names)
    return {name: answer for name, answer in zip(names, answers) if answer}


def get(url: str, timeout: float = 3, context: Optional[ssl.SSLContext] = None) -> Optional[str]:
    """The complaint about a page that should answer 200 in time."""
    request = urllib.request.Request(url)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(request, timeout=timeout) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        return f"{url} answers {error.code}"
    except (OSError, ValueError) as error:
        return f"{url}: {getattr(error, 'reason', error)}"
    return None


def _backend() -> Optional[str]:
    """Several times: a worker process that is stuck answers only its share."""
    for path in ("health/ready", "items", "health/ready", "items"):
        began = time.monotonic()
        complaint = get(f"http://127.0.0.1:8000/api/v1/{path}")
        if complaint:
            return complaint
        if time.monotonic() - began > SLOW:
            return f"/api/v1/{path} takes longer than {SLOW} s"
    return None


def _edge() -> Optional[str]:
    try:
        context = ssl.create_default_context(cafile=str(places.CERTIFICATES / "ca.crt"))
    except OSError as error:
        return f"the authority's certificate cannot be read: {error}"
    return get("https://localhost:8443/api/v1/health/live", context=context)


def _postgres() -> Optional[str]:
    done = docker.execute("postgres", "psql", "-U", "saveit", "-Atc", "SELECT 1")
    return None if done.ok else done.complaint


def _redis() -> Optional[str]:
    done = redis_says("SET", "lab:probe", "1", "EX", "60")
    return None if done == "OK" else done or "no answer"


def redis_says(*command: str) -> str:
    """What Redis answers to a command, or an empty string when it does not within 2 s."""
    done = docker.execute("redis", "timeout", "2", "redis-cli", *command)
    return (done.output.strip() or done.errors.strip()) if done.status != 124 else ""


def mqtt(port: int = 1883) -> Optional[str]:
    """A TCP connection says nothing: docker's proxy accepts it for a broker that is dead."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
            connection.sendall(MQTT_CONNECT)
            answer = connection.recv(4)
    except OSError as error:
        return f"no MQTT on port {port}: {error}"
    return None if answer == MQTT_CONNACK else f"no CONNACK on port {port} but {answer!r}"


def _backend_with_broker() -> Optional[str]:
    return _backend() or mqtt()


PROBES: dict[str, Probe] = {
    "backend": _backend,
    "frontend": lambda: get("http://127.0.0.1:5000/health"),
    "postgres": _postgres,
    "redis": _redis,
    "mosquitto": mqtt,
    "nginx": _edge,
    "prometheus": lambda: get("http://127.0.0.1:9090/-/ready"),
}
