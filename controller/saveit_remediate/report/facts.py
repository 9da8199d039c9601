"""What the journal says of one incident, in the terms of a post-mortem. Nobody else here reads events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from saveit_remediate.incident import Evidence, Finding
from saveit_remediate.journal import Event
from saveit_remediate.report.history import still_changed
from saveit_remediate.report.text import clean

LONGEST = 500  # characters of one sentence on a page; `show` and the journal have all of it
STATUSES = ("draft", "in-review", "reviewed")
_CHANGED = ("id", "target", "what", "before", "after", "expires")
_PEOPLE = ("agreed", "approved")  # without them nothing would have been done


@dataclass(frozen=True)
class Remedy:
    """One remedy that was begun. `result` is helped, no-help, or unknown when nobody saw its end."""

    number: int
    remedy: str
    title: str
    target: str
    started: datetime
    finished: datetime | None = None
    verified: datetime | None = None
    result: str = "unknown"
    sentence: str = ""


@dataclass(frozen=True)
class Changed:
    """A temporary change that nobody has put back, as texts."""

    id: str
    target: str
    what: str
    before: str
    after: str
    expires: str


@dataclass(frozen=True)
class Facts:
    """Times are UTC. `outcome` is "unfinished" while the record has no end; `ended` is when it got one.

    `recovered` is when the service was proved to be well again, or a person said so; None when it was not.
    """

    incident_id: str
    incident: str
    title: str
    opened: datetime
    by: str
    targets: tuple[str, ...] = ()
    severity: str = ""
    why: str = ""
    outcome: str = "unfinished"
    sentence: str = ""
    acknowledged: datetime | None = None
    acted: datetime | None = None
    recovered: datetime | None = None
    ended: datetime | None = None
    with_a_person: bool = False
    status: str = "draft"
    path: str = ""
    findings: tuple[Finding, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    changes: tuple[Changed, ...] = ()

    @property
    def acted_on(self) -> bool:
        """Was it an incident, and not a look that found nothing or a plan that nobody followed?"""
        if self.outcome == "resumed":  # it counts in the record that went on with it
            return False
        return self.outcome not in ("healthy", "planned", "error") or bool(self.remedies)

    def seconds(self, until: datetime | None) -> float | None:
        """From the opening; None when it did not happen."""
        return None if until is None else (until - self.opened).total_seconds()


def facts_of(events: Sequence[Event]) -> Facts:
    """Read a record from its first event to its last; what is not there, or is odd, stays empty."""
    first = events[0]
    facts = Facts(
        incident_id=first.incident_id,
        incident=_text(first, "incident"),
        title=_text(first, "title") or _text(first, "incident") or first.incident_id,
        opened=at(first),
        by=_text(first, "user"),
        severity=_text(first, "severity"),
        sentence=f"the record ends with {clean(events[-1].kind)}",
        changes=tuple(Changed(**_texts(one, *_CHANGED)) for one in still_changed(events)),
        remedies=() if first.payload.get("check") else _remedies(events),
    )
    for event in events:
        facts = _with(facts, event)
    told = [event for event in events if event.kind == "severity" and _text(event, "to")]
    if told:  # what a person said last counts more than what was assessed after it
        facts = replace(facts, severity=_text(told[-1], "to"), why=_text(told[-1], "reason"))
    acted = facts.remedies[0].started if facts.remedies else None
    return replace(facts, acted=acted)


def _with(facts: Facts, event: Event) -> Facts:
    payload, kind = event.payload, event.kind
    if kind in _PEOPLE:
        return replace(facts, with_a_person=True)
    if kind == "acknowledged" and facts.acknowledged is None:
        return replace(facts, acknowledged=at(event))
    if kind == "assessed":
        known = {(one.id, one.target) for one in facts.findings}
        found = [_finding(one) for one in _mappings(payload.get("findings"))]
        more = [one for one in found if (one.id, one.target) not in known]
        return replace(
            facts,
            severity=_text(event, "severity") or facts.severity,
            why=_text(event, "why") or facts.why,
            targets=tuple(clean(host, 200) for host in _list(payload.get("hosts"))) or facts.targets,
            findings=(*facts.findings, *more),
            evidence=facts.evidence or tuple(_evidence(one) for one in _mappings(payload.get("evidence"))),
        )
    if kind == "verified" and payload.get("recovered") is True:
        return replace(facts, recovered=at(event))
    if kind == "closed":
        outcome = _text(event, "outcome") or "closed"
        recovered = facts.recovered or at(event) if outcome == "recovered" else None
        severity = _text(event, "severity") or facts.severity
        sentence = _text(event, "sentence")
        return replace(
            facts, outcome=outcome, sentence=sentence, severity=severity, ended=at(event), recovered=recovered
        )
    if kind == "resolved":
        recovered = facts.recovered or at(event)
        return replace(facts, outcome="resolved", ended=at(event), recovered=recovered)
    if kind == "reopened":
        sentence = _text(event, "reason") or facts.sentence
        return replace(facts, outcome="reopened", sentence=sentence, ended=None, recovered=None)
    if kind in ("went-on", "joined"):  # another run, in the same record
        return replace(facts, outcome="unfinished", ended=None, recovered=None)
    if kind == "postmortem":
        status = _text(event, "status")
        return replace(
            facts,
            path=_text(event, "path") or facts.path,
            status=status if status in STATUSES else facts.status,
        )
    return replace(facts, status="reviewed") if kind == "reviewed" else facts


def _remedies(events: Iterable[Event]) -> tuple[Remedy, ...]:
    found: list[Remedy] = []
    for event in events:
        remedy, target = _text(event, "remedy"), _text(event, "target") or _text(event, "host")
        if event.kind == "remedy-started":
            title = _text(event, "sentence") or remedy
            found.append(Remedy(len(found) + 1, remedy, title, target, at(event)))
        elif event.kind in ("remedy-finished", "verified"):
            place = next(
                (
                    n
                    for n in reversed(range(len(found)))
                    if (found[n].remedy, found[n].target) == (remedy, target)
                ),
                None,
            )
            if place is None:
                continue
            told = _text(event, "sentence") or found[place].sentence
            if event.kind == "remedy-finished":
                found[place] = replace(found[place], finished=at(event), sentence=told)
            else:
                result = "helped" if event.payload.get("recovered") is True else "no-help"
                found[place] = replace(found[place], verified=at(event), result=result, sentence=told)
    return tuple(found)


def at(event: Event) -> datetime:
    """When it was written."""
    return datetime.fromisoformat(event.at)


def _text(event: Event, key: str) -> str:
    value = event.payload.get(key)
    return "" if value is None else clean(value, LONGEST)


def _finding(one: Mapping[str, Any]) -> Finding:
    kind = clean(one.get("kind") or "symptom", 40)
    return Finding(**_texts(one, "id", "target", "subject", "sentence", "next"), kind=kind)


def _evidence(one: Mapping[str, Any]) -> Evidence:
    value = None if one.get("value") is None else clean(one["value"], 80)
    return Evidence(**_texts(one, "name", "target", "sentence"), value=value, at=0.0)


def _texts(one: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: clean("" if one.get(key) is None else one[key], LONGEST) for key in keys}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in _list(value) if isinstance(one, Mapping)]
