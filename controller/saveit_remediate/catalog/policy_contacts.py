"""The section `contacts` of policy.yml: who is there to be asked, how to reach them, and who it is now."""

from __future__ import annotations

import zoneinfo
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from saveit_remediate.catalog.checks import Node
from saveit_remediate.catalog.policy import Sections

_PERSON = ("name", "email", "phone")


@dataclass(frozen=True)
class Person:
    name: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Schedule:
    """People in turns of so many days, from `start` on, a time on the clocks of `zone`."""

    start: datetime  # without a zone
    zone: zoneinfo.ZoneInfo
    days: int
    people: tuple[Person, ...]

    def person(self, now: datetime) -> Person:
        """Whose turn it is. By the clocks on the wall, so that a turn ends at the same time all year."""
        passed = now.astimezone(self.zone).replace(tzinfo=None) - self.start
        return self.people[passed // timedelta(days=self.days) % len(self.people)]


@dataclass(frozen=True)
class Contact:
    """A role, and who fills it. `reach` says in words how; `via` are the channels that reach it."""

    id: str
    title: str
    reach: str
    via: tuple[str, ...]
    fixed: Person
    schedule: Schedule | None

    def person(self, now: datetime) -> Person:
        return self.schedule.person(now) if self.schedule else self.fixed


def read_contacts(sections: Sections, channels: Collection[str]) -> dict[str, Contact]:
    """The contacts in the order of the policy. Raises UsageError with file and key."""
    section = sections.of("contacts")
    if not isinstance(section.value, Mapping):
        raise section.error(f"must be a mapping of roles, not {section.value!r}")
    return {str(name): _contact(str(name), section.child(name), channels) for name in section.value}


def _contact(name: str, node: Node, channels: Collection[str]) -> Contact:
    node.mapping(("title",), ("reach", "via", "schedule", *_PERSON))
    for item in node.items("via"):
        if item.value not in channels:
            raise item.error(f"is {item.value!r}, which is no channel under notify.channels")
    return Contact(
        name,
        node.text("title"),
        node.text("reach") if node.has("reach") else "",
        node.texts("via"),
        _person(node),
        _schedule(node.child("schedule")) if node.has("schedule") else None,
    )


def _person(node: Node) -> Person:
    return Person(**{key: node.text(key) for key in _PERSON if node.has(key)})


def _schedule(node: Node) -> Schedule:
    node.mapping(("start", "time_zone", "people"), ("days",))
    people = node.items("people")
    if not people:
        raise node.error("has nobody in people")
    for one in people:
        one.mapping(("name",), _PERSON)
    start, zone = node.value["start"], node.text("time_zone")
    try:
        begun = start if isinstance(start, datetime) else datetime.fromisoformat(str(start))
    except ValueError:
        raise node.child("start").error(f"must be a time such as 2026-11-23 09:00, not {start!r}") from None
    try:
        known = zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise node.child("time_zone").error(f"must be one such as Europe/Berlin, not {zone!r}") from None
    days = int(node.number("days", 1)) if node.has("days") else 7
    return Schedule(begun.replace(tzinfo=None), known, days, tuple(map(_person, people)))
