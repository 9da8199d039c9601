"""What goes wrong between a client and a server, switched on by a test."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from standin.requests import Request

AGENT = "saveit-tests"  # how the test's own client calls itself
KINDS = ("429", "500", "503", "half", "hang", "html", "reset")


@dataclass
class Fault:
    """`times` requests with `path` in their path and of this `method` (any: empty) end in `kind`."""

    kind: str
    times: int = 1
    path: str = ""
    method: str = ""
    retry_after: str = "1"
    seconds: float = 30.0  # how long a hanging answer hangs
    skip: int = 0  # so many matching requests pass first

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault {self.kind}; there are {', '.join(KINDS)}")


@dataclass
class Faults:
    active: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        with self.lock:
            self.active.append(fault)

    def clear(self) -> None:
        with self.lock:
            self.active.clear()

    def take(self, request: Request) -> Fault | None:
        """The fault that meets a request, if any. What the test itself asks goes well."""
        if request.headers.get("user-agent") == AGENT:
            return None
        with self.lock:
            for fault in self.active:
                if fault.path not in request.path or fault.method not in ("", request.method):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self.active.remove(fault)
                return fault
        return None
