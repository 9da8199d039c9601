"""When a post-mortem is due, and the reminders of it, as data. Pure; it sends none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from saveit_remediate.report.facts import Facts
from saveit_remediate.report.rules import Rules


@dataclass(frozen=True)
class Reminder:
    """To be told at `at`, once: `key` is the same however often it is computed."""

    at: datetime
    key: str
    sentence: str


@dataclass(frozen=True)
class Due:
    """A post-mortem that is owed. `overdue` when it is not reviewed and the time has passed."""

    incident_id: str
    severity: str
    status: str
    due: datetime
    overdue: bool
    reminders: tuple[Reminder, ...]


def due_of(facts: Facts, rules: Rules, now: datetime) -> Due | None:
    """None for a severity that needs none, and while the incident goes on. These are real hours."""
    hours = rules.due_hours.get(facts.severity)
    if hours is None or facts.ended is None or not facts.acted_on:
        return None
    due = facts.ended + timedelta(hours=hours)
    reviewed = facts.status == "reviewed"
    reminders = (
        [] if reviewed else [_reminder(facts, due, before) for before in (*rules.remind_hours_before, 0.0)]
    )
    return Due(
        facts.incident_id, facts.severity, facts.status, due, now >= due and not reviewed, tuple(reminders)
    )


def _reminder(facts: Facts, due: datetime, before: float) -> Reminder:
    when = f"in {before:g} h, at {due:%Y-%m-%d %H:%M} UTC" if before else f"now ({due:%Y-%m-%d %H:%M} UTC)"
    return Reminder(
        at=due - timedelta(hours=before),
        key=f"postmortem:{facts.incident_id}:{due:%Y%m%dT%H%M%S}:{before:g}",
        sentence=f"the post-mortem of {facts.incident_id} ({facts.severity}, {facts.status}) is due {when}",
    )
