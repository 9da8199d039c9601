"""The time of the cluster, which may run faster than the test's: the order of things stays."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass
class Clock:
    """`factor` seconds of the cluster pass in one second. Timestamps in objects are true ones."""

    factor: float = 1.0
    began: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        """Seconds of the cluster since it began."""
        return (time.monotonic() - self.began) * self.factor

    def real(self, seconds: float) -> float:
        """How long the test waits for `seconds` of the cluster."""
        return seconds / self.factor


def stamp(moment: datetime | None = None) -> str:
    """A metav1.Time: seconds."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_stamp() -> str:
    """A metav1.MicroTime: six decimals."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
