"""What a fault is."""

from collections.abc import Callable
from dataclasses import dataclass

RECOVERED = "recovered"  # what a remediation should achieve
UNRESOLVED = "unresolved"  # no restart helps, a person has to act


@dataclass(frozen=True)
class Fault:
    """`inject` does the damage; `holds` tells, as seen from outside, whether it is done."""

    name: str
    incident: str
    service: str
    expected: str
    finding: str
    description: str
    inject: Callable[[], None]
    holds: Callable[[], bool]
    profiles: tuple[str, ...] = ("deployed", "documented")  # where it can be brought about
