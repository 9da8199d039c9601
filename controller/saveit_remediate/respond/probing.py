"""Our own probes, at a steady rate from the moment an incident opens: what a user of the service sees."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

EVERY = 2.0  # seconds between two probes of a service, and the longest time for an answer
_MOST = 20_000  # samples of a service that are kept: eleven hours
Sample = tuple[float, float | None, str]  # seconds since the epoch, milliseconds or None, why it failed


@dataclass
class Probes:
    """Probes of each service, in threads of their own, until `stop`. Without services there is none."""

    urls: Mapping[str, str]
    get: Callable[[str], str] = lambda url: answer(url)
    every: float = EVERY
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> Probes:
        for service, url in self.urls.items():
            self.samples[service] = []
            threading.Thread(target=self._go_on, args=[service, url], daemon=True).start()
        return self

    def stop(self) -> None:
        self.over.set()

    def _go_on(self, service: str, url: str) -> None:
        kept, due = self.samples[service], time.monotonic()
        while not self.over.is_set() and len(kept) < _MOST:
            began, at = time.monotonic(), time.time()
            why = self.get(url)
            took = round(1000 * (time.monotonic() - began), 1)
            kept.append((at, None if why else took, why))
            due = max(
                due + self.every, time.monotonic()
            )  # a slow answer delays the next, and is no burst later
            self.over.wait(due - time.monotonic())


def answer(url: str, seconds: float = EVERY) -> str:
    """Why a service does not answer as it should; empty when it does. A redirect is an answer."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=seconds)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", path, headers={"User-Agent": "saveit-remediate", "Connection": "close"})
            status = connection.getresponse().status
        finally:
            connection.close()
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except (OSError, HTTPException, ValueError) as error:
        return " ".join(str(error).split())[:200] or type(error).__name__
    return "" if 200 <= status < 400 else f"status {status}"


def series_of(samples: Mapping[str, list[Sample]], every: float) -> dict[str, list[list[float | None]]]:
    """For charts: by `errors` the failed probes per second, by `latency` the milliseconds of the slowest."""
    slots: dict[int, list[Sample]] = {}
    for kept in samples.values():
        for one in list(kept):
            slots.setdefault(int(one[0] // every), []).append(one)
    errors: list[list[float | None]] = []
    latency: list[list[float | None]] = []
    for slot, found in sorted(slots.items()):
        took = [one[1] for one in found if one[1] is not None]
        errors.append([slot * every, round((len(found) - len(took)) / every, 3)])
        latency.append([slot * every, max(took) if took else None])
    return {"errors": errors, "latency": latency}
