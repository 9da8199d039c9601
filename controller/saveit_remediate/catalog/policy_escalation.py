"""The section `escalation` of policy.yml: who is called, and how long after an incident opened."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from saveit_remediate.catalog.checks import Node
from saveit_remediate.catalog.policy import Sections
from saveit_remediate.errors import did_you_mean
from saveit_remediate.incident import Severity

_LONGEST = 7 * 1440  # minutes


@dataclass(frozen=True)
class Step:
    """Whom to call, how long after the incident opened, and for which incidents; no condition is all."""

    to: str
    after: timedelta
    severities: tuple[str, ...] = ()
    customer_facing: bool | None = None

    def is_for(self, severity: str, customer_facing: bool) -> bool:
        return (not self.severities or severity in self.severities) and self.customer_facing in (
            None,
            customer_facing,
        )


def read_escalation(sections: Sections, contacts: Collection[str]) -> tuple[Step, ...]:
    """The steps, in order. Raises UsageError with file and key."""
    section = sections.of("escalation")
    section.mapping(("steps",))
    steps = tuple(_step(node, contacts) for node in section.items("steps"))
    if [step.after for step in steps] != sorted(step.after for step in steps):
        raise section.child("steps").error("must be in the order of after_minutes")
    return steps


def _step(node: Node, contacts: Collection[str]) -> Step:
    node.mapping(("to", "after_minutes"), ("severities", "customer_facing"))
    to = node.text("to")
    if to not in contacts:
        raise node.child("to").error(f"is {to!r}, who is none of the contacts; {did_you_mean(to, contacts)}")
    minutes = node.number("after_minutes", 0)
    if minutes > _LONGEST:
        raise node.child("after_minutes").error(f"must be at most {_LONGEST}, a week")
    for item in node.items("severities"):
        if item.value not in tuple(map(str, Severity)):
            raise item.error(f"must be one of {', '.join(Severity)}, not {item.value!r}")
    facing = node.flag("customer_facing") if node.has("customer_facing") else None
    return Step(to, timedelta(minutes=minutes), node.texts("severities"), facing)
