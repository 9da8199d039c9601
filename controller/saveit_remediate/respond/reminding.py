"""Remind of a post-mortem that is due: an event, which the outbox then tells."""

from __future__ import annotations

from datetime import datetime

from saveit_remediate.journal import Journal
from saveit_remediate.notify.outbox import FRESH, token
from saveit_remediate.report.due import due_of
from saveit_remediate.report.facts import facts_of
from saveit_remediate.report.rules import Rules


def remind(journal: Journal, incident_id: str, rules: Rules, now: datetime) -> list[str]:
    """Write the newest reminder whose time has come, once, whoever else does the same; returns the sentences.

    Of those that nobody wrote in time only the newest is written, and none that is old news.
    """
    events = journal.events(incident_id)
    due = due_of(facts_of(events), rules, now) if events else None
    come = [one for one in due.reminders if now - FRESH < one.at <= now] if due else []
    there = {event.payload.get("key") for event in events if event.kind == "reminded"}
    if not come or come[-1].key in there:
        return []
    told = {"sentence": come[-1].sentence, "key": come[-1].key}
    journal.append(incident_id, "reminded", told, now, token("reminded", come[-1].key))
    return [come[-1].sentence]
