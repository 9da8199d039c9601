"""The section `severities` of policy.yml: what each severity means, and how soon people have to respond."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from saveit_remediate.catalog.checks import Node
from saveit_remediate.catalog.policy import Sections
from saveit_remediate.incident import Severity

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NEXT_BUSINESS_DAY = "next business day"
_UNITS = {"m": 60, "h": 3600, "d": 86400}
_LONGEST_BREAK = 366  # days that may be holidays in a row


@dataclass(frozen=True)
class Level:
    """One severity. `respond_within` is None for the next business day.

    The limits say when impact alone makes an incident this bad; None where it never does. `down_percent` is
    of the services that are probed, `error_percent` of all requests, `traffic_percent` what is left of the
    traffic before.
    """

    definition: str
    respond_within: timedelta | None
    examples: tuple[str, ...] = ()
    down_percent: float | None = None
    error_percent: float | None = None
    traffic_percent: float | None = None

    @property
    def response(self) -> str:
        if self.respond_within is None:
            return NEXT_BUSINESS_DAY
        minutes = int(self.respond_within.total_seconds() // 60)
        return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


@dataclass(frozen=True)
class Severities:
    """All of them, with the site's working hours; the queries are Prometheus' language, empty for none."""

    levels: Mapping[str, Level]
    zone: ZoneInfo
    days: frozenset[int]  # 0 is Monday
    begins: time
    ends: time
    holidays: frozenset[date]
    window: timedelta
    errors: str
    traffic: str

    def respond_by(self, severity: str, at: datetime) -> datetime | None:
        """When somebody has to have responded, in UTC; None for a severity that there is not.

        Minutes and hours go on by night. The next business day is over at the end of its working hours.
        """
        level = self.levels.get(severity)
        if level is None:
            return None
        if level.respond_within is not None:
            return (at + level.respond_within).astimezone(UTC)
        day = at.astimezone(self.zone).date()
        for _ in range(_LONGEST_BREAK):
            day += timedelta(days=1)
            if day.weekday() in self.days and day not in self.holidays:
                break
        # Made of the local clock, and not by adding hours: a day may have 23 or 25.
        return datetime.combine(day, self.ends, self.zone).astimezone(UTC)


def read_severities(sections: Sections) -> Severities:
    """Raises UsageError with file and key."""
    root = sections.of("severities")
    root.mapping(["time_zone", "working_days", "working_hours", "levels"], ["holidays", "impact"])
    impact = root.child("impact") if root.has("impact") else sections.shipped_of("severities").child("impact")
    impact.mapping(["window_minutes", "errors", "traffic"])
    begins, ends = _hours(root)
    levels = root.child("levels")
    levels.mapping(map(str, Severity))
    return Severities(
        levels={severity: _level(levels.child(severity)) for severity in map(str, Severity)},
        zone=_zone(root),
        days=_days(root),
        begins=begins,
        ends=ends,
        holidays=frozenset(_date(item) for item in root.items("holidays")),
        window=timedelta(minutes=impact.number("window_minutes", 1)),
        errors=impact.text("errors"),
        traffic=impact.text("traffic"),
    )


def _level(node: Node) -> Level:
    node.mapping(["definition", "respond_within"], ["examples", "when"])
    limits: dict[str, float] = {}
    if node.has("when"):
        when = node.child("when")
        when.mapping((), ("down_percent", "error_percent", "traffic_percent"))
        for key in when.value:
            limits[key] = when.number(key, 0)
            if limits[key] > 100:
                raise when.child(key).error("must be at most 100, as it is a percentage")
    return Level(node.text("definition"), _within(node), node.texts("examples"), **limits)


def _within(node: Node) -> timedelta | None:
    text = node.text("respond_within")
    if text == NEXT_BUSINESS_DAY:
        return None
    found = re.fullmatch(r"([1-9]\d{0,3})([mhd])", text)
    if not found:
        raise node.child("respond_within").error(
            f"must be a time such as 15m, 2h or 1d, or {NEXT_BUSINESS_DAY!r}, not {text!r}"
        )
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def _zone(root: Node) -> ZoneInfo:
    name = root.text("time_zone")
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # its own error is a KeyError
        raise root.child("time_zone").error(
            f"is {name!r}, which is no time zone such as Europe/Berlin or UTC"
        ) from None


def _days(root: Node) -> frozenset[int]:
    names = root.texts("working_days")
    for item in root.items("working_days"):
        if item.value not in DAYS:
            raise item.error(f"must be one of {', '.join(DAYS)}, not {item.value!r}")
    if not names:
        raise root.child("working_days").error("must have a day: otherwise no next business day comes")
    return frozenset(map(DAYS.index, names))


def _hours(root: Node) -> tuple[time, time]:
    items = root.items("working_hours")
    found = []
    for item in items:
        # 09:00 without quotes is a text, and 17:00 is a number of minutes to YAML 1.1.
        if not isinstance(item.value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", item.value):
            raise item.error(f'must be a time in quotes such as "17:00", not {item.value!r}')
        found.append(time.fromisoformat(item.value))
    if len(found) != 2 or found[0] >= found[1]:
        raise root.child("working_hours").error('must be two times in order, such as ["09:00", "17:00"]')
    return found[0], found[1]


def _date(item: Node) -> date:
    value = item.value
    if isinstance(value, datetime) or not isinstance(value, date):
        raise item.error(f"must be a date such as 2026-12-25, not {value!r}")
    return value
