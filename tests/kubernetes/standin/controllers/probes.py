"""What containers say: in their logs, and as the kubelet words the failure of a probe.

The containers of lab/kubernetes speak as their scripts do, those of the recordings as recorded.
"""

from __future__ import annotations

import re

from standin.kinds import Json


def _is_of_the_lab(container: Json) -> bool:
    return "behave.sh" in " ".join(container.get("command") or [])


def first_words(container: Json, pod: str) -> list[str]:
    """Of a container that begins."""
    return (
        []
        if _is_of_the_lab(container)
        else [f'level=info msg="saveit-backend starting" version=1.0 host={pod}']
    )


def serving_words(container: Json) -> list[str]:
    """Of a container that serves."""
    if not _is_of_the_lab(container):
        return ['level=info msg="listening on :8080"']
    return {
        "backend": ["INFO:     Application startup complete."],
        "redis": ["1:M 23 Nov 2026 06:50:07.000 * Ready to accept connections tcp"],
        "postgres": ["LOG:  database system is ready to accept connections"],
        "mosquitto": ["mosquitto version 2.0.22 running"],
    }.get(container["name"], [])


def last_words(container: Json, behaviour: str) -> list[str]:
    """Of a container that ends by itself."""
    if behaviour in ("oom", "run-error"):
        return []
    if not _is_of_the_lab(container):
        return ['level=error msg="database connection refused"']
    return {
        "crash-loop": ["RuntimeError: SECRET_KEY is not set: the application does not start without it"],
        "exit-1-once": ["RuntimeError: the first start of this pod fails"],
    }[behaviour]


def failure(probe: Json) -> str:
    """Of a probe that gets an answer, and not the one that it wants."""
    if "httpGet" in probe:
        status = 503 if "/health/" in probe["httpGet"]["path"] else 404
        return f"HTTP probe failed with statuscode: {status}"
    if "exec" in probe:
        said = re.search(r"echo '([^']*)'", " ".join(probe["exec"]["command"]))
        return f"{said[1]}\n" if said else "command failed"
    return "connection refused"


def refusal(container: Json, address: str) -> str:
    """Of a readiness probe while nothing listens yet; empty for a probe that needs no port."""
    probe = container.get("readinessProbe") or {}
    place = probe.get("httpGet") or probe.get("tcpSocket")
    if place is None:
        return ""
    ports = {each.get("name"): each["containerPort"] for each in container.get("ports", [])}
    where = f"{address}:{ports.get(place['port'], place['port'])}"
    refused = f"dial tcp {where}: connect: connection refused"
    return f'Get "http://{where}{place["path"]}": {refused}' if "httpGet" in probe else refused
