"""Call the next one when an incident is not resolved: what is due follows from the journal and the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from saveit_remediate.catalog.policy_escalation import Step
from saveit_remediate.incident_life import Life, life_of
from saveit_remediate.journal import Event, Journal
from saveit_remediate.notify.kind import SendError, options_of
from saveit_remediate.notify.moments import moments
from saveit_remediate.notify.outbox import outbox_of, token
from saveit_remediate.notify.post import Post


@dataclass(frozen=True)
class Deadline:
    """A step of the policy, and when it is due for one incident."""

    step: Step
    due: datetime


def deadlines(life: Life, steps: Sequence[Step]) -> list[Deadline]:
    """All that are for this incident. Nothing here depends on the present.

    Minutes are minutes, whatever the clocks on the wall do. Where the automation gave up, the first step with
    a delay is due in that moment, and the later ones move with it; never later than they were.
    """
    found = [step for step in steps if step.is_for(life.severity, life.customer_facing)]
    first = next((step.after for step in found if step.after), None)
    result = []
    for step in found:
        due = life.opened_at + step.after
        if life.failed_at and first is not None and step.after >= first:
            due = min(due, life.failed_at + step.after - first)
        result.append(Deadline(step, due))
    return result


def due_now(events: Sequence[Event], steps: Sequence[Step], now: datetime) -> list[Deadline]:
    """The deadlines that have passed without an `escalated` event, since the incident opened or reopened."""
    life = life_of(events)
    if not life.is_open or not moments(events):
        return []
    done = {
        event.payload.get("to")
        for event in events
        if event.kind == "escalated" and datetime.fromisoformat(event.at) >= life.opened_at
    }
    return [one for one in deadlines(life, steps) if one.due <= now and one.step.to not in done]


def escalate(journal: Journal, incident_id: str, steps: Sequence[Step], post: Post) -> list[str]:
    """Write what is due for one incident, each step once, whoever else does the same; returns the sentences.

    Whoever has to be told is told by the outbox. Raises UnreachableError when the journal is away.
    """
    events, now = journal.events(incident_id), post.now()
    if not events or not life_of(events).is_open:
        return []
    said = _acknowledged_elsewhere(journal, incident_id, events, post)
    due = due_now(events, steps, now)
    elsewhere = _who_escalates(events, post)
    if elsewhere:
        return [
            *said,
            *([f"{incident_id}: {elsewhere} has the alert, and escalates by its own policy"] if due else []),
        ]
    opened = life_of(events).opened_at.isoformat()
    for one in due:
        contact = post.contacts[one.step.to]
        person = contact.person(now)
        who = " ".join(word for word in (contact.title, person.name and f"({person.name})") if word)
        sentence = f"escalated to {who}: not resolved, due since {one.due:%Y-%m-%d %H:%M:%S} UTC"
        told = {"to": one.step.to, "step": one.step.to, "due": one.due.isoformat(), "contacts": [one.step.to]}
        once = token("escalated", incident_id, one.step.to, opened)
        journal.append(incident_id, "escalated", {"sentence": sentence, **told}, now, once)
        said.append(f"{incident_id}: {sentence}")
    return said


def _who_escalates(events: Sequence[Event], post: Post) -> str:
    """The channel that has the alert and wakes people by itself; empty when none was reached."""
    known = outbox_of(events, post.policy.channels).known
    return next((name for name, kind in post.kinds.items() if kind.escalates and name in known), "")


def _acknowledged_elsewhere(
    journal: Journal, incident_id: str, events: Sequence[Event], post: Post
) -> list[str]:
    """Who acknowledged it at a channel that can be asked becomes an event, once."""
    if any(event.kind == "acknowledged" for event in events):
        return []
    known = outbox_of(events, post.policy.channels).known
    for name, kind in post.kinds.items():
        if kind.acknowledged_by is None or name not in known:
            continue
        try:
            by = kind.acknowledged_by(options_of(post.policy.channels[name], kind), known[name])
        except SendError as error:
            return [f"{incident_id}: cannot ask {name} who acknowledged it: {error}"]
        if by:
            told = {"sentence": f"{by} acknowledged it in {name}", "by": by, "via": name}
            journal.append(
                incident_id, "acknowledged", told, post.now(), token("acknowledged", incident_id, name)
            )
            return [f"{incident_id}: {told['sentence']}"]
    return []
