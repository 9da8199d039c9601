"""What people say about an incident: open, ack, note, severity, assign, resolve, reopen, timeline add."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from saveit_remediate.cli.target import inventory_option, json_option, limit_option
from saveit_remediate.errors import UsageError
from saveit_remediate.incident import Severity

if TYPE_CHECKING:
    from saveit_remediate.catalog.policy_severities import Severities
    from saveit_remediate.journal import Event, Journal
    from saveit_remediate.settings import Settings

_severity = click.Choice([str(one) for one in Severity], case_sensitive=False)
_id = click.argument("incident_id", metavar="ID")
_reason = click.option("--reason", default="", metavar="TEXT", help="Why, for the record.")


@click.command("open")
@click.option("--incident", "incident", metavar="TYPE", required=True, help="Incident type, or an alias.")
@inventory_option
@limit_option
@click.option("--severity", type=_severity, help="How bad it is, as far as you know.")
@click.option("--customer-facing/--internal", default=None, help="Whether customers notice.")
@click.argument("title")
@json_option
def open_(incident: str, title: str, severity: str | None, as_json: bool, **options: Any) -> None:
    """Open an incident before anything is looked at; `--incident TYPE` joins it afterwards.

    TITLE says in a sentence what you see. Refused when one is open for the same target.
    """
    import secrets

    from saveit_remediate.catalog import find, open_catalog
    from saveit_remediate.cli.remediate import person
    from saveit_remediate.respond.people import NewIncident, note_text, open_by_hand
    from saveit_remediate.settings import load_settings

    settings = load_settings({"inventory": options["inventory"]}, os.environ, Path.cwd())
    runbook = find(open_catalog(settings.folder), incident)
    new = NewIncident(
        runbook.id,
        note_text(_text(title, "TITLE")),
        person(),
        settings.inventory,
        options["limit"] or "",
        (severity or "").lower(),
        options["customer_facing"],
    )
    severities = severities_of(settings)
    with _journal(settings) as journal:
        event = open_by_hand(journal, new, severities, datetime.now(UTC), secrets.token_hex(2))
    _say(event, as_json, _due(severities, new.severity, event))


@click.command()
@_id
@json_option
def ack(incident_id: str, as_json: bool) -> None:
    """Acknowledge an incident: you care for it. The first one has it."""
    _tell(incident_id, "acknowledged", "acknowledged by {by}", as_json)


@click.command()
@_id
@click.argument("text")
@json_option
def note(incident_id: str, text: str, as_json: bool) -> None:
    """Add a note to the timeline of an incident."""
    _tell(incident_id, "note", "{by}: {text}", as_json, text=_text(text, "TEXT"))


@click.command()
@_id
@click.argument("level", type=_severity, metavar="SEVERITY")
@_reason
@json_option
def severity(incident_id: str, level: str, reason: str, as_json: bool) -> None:
    """Raise or lower the severity of an incident. What a person said is not overruled by an assessment."""
    level = level.lower()
    _tell(incident_id, "severity", "{by} says {to}: {reason}", as_json, to=level, reason=reason.strip())


@click.command()
@_id
@click.argument("person")
@json_option
def assign(incident_id: str, person: str, as_json: bool) -> None:
    """Say who works on an incident."""
    _tell(incident_id, "assigned", "{by} assigned it to {to}", as_json, to=_text(person, "PERSON"))


@click.command()
@_id
@_reason
@json_option
def resolve(incident_id: str, reason: str, as_json: bool) -> None:
    """Say that an incident is over."""
    _tell(incident_id, "resolved", "resolved by {by}: {reason}", as_json, reason=reason.strip())


@click.command()
@_id
@_reason
@json_option
def reopen(incident_id: str, reason: str, as_json: bool) -> None:
    """Say that an incident is not over after all. It has to be acknowledged anew."""
    _tell(incident_id, "reopened", "reopened by {by}: {reason}", as_json, reason=reason.strip())


@click.group()
def timeline() -> None:
    """The timeline of an incident; `show ID` prints it."""


@timeline.command("add")
@_id
@click.argument("text")
@click.option("--at", "when", metavar="TIME", help="When it happened: 2026-11-26T23:40, UTC or with +01:00.")
@json_option
def timeline_add(incident_id: str, text: str, when: str | None, as_json: bool) -> None:
    """Add to the timeline what happened elsewhere, also when it was earlier."""
    text, happened = _text(text, "TEXT"), _moment(when)
    words = "{by}, of {happened}: {text}" if happened else "{by}: {text}"
    _tell(incident_id, "note", words, as_json, text=text, happened=happened)


@click.command()
@json_option
def severities(as_json: bool) -> None:
    """Show what each severity means, and how soon somebody has to respond."""
    from saveit_remediate.report.document import dump
    from saveit_remediate.report.text import clean
    from saveit_remediate.settings import load_settings

    found = severities_of(load_settings({}, os.environ, Path.cwd()))
    rows = [
        {"severity": name, "definition": one.definition, "respond_within": one.response,
         "examples": list(one.examples)}
        for name, one in found.levels.items()
    ]  # fmt: skip
    if as_json:
        click.echo(dump(rows))
        return
    for row in rows:
        cells = (row["severity"], row["definition"], row["respond_within"], "; ".join(row["examples"]))
        click.echo("\t".join(clean(cell) for cell in cells))


def severities_of(settings: Settings) -> Severities:
    """What the site's policy says. Raises UsageError."""
    from saveit_remediate.catalog import open_catalog
    from saveit_remediate.catalog.policy import load_sections
    from saveit_remediate.catalog.policy_severities import read_severities

    catalog = open_catalog(settings.folder)
    return read_severities(load_sections(catalog, settings.policy, settings["policy"].origin))


@contextmanager
def _journal(settings: Settings) -> Iterator[Journal]:
    """To write, and without a spool: what lies on this machine alone decides nothing between two people."""
    from saveit_remediate.cli.notify import telling
    from saveit_remediate.journal import open_journal
    from saveit_remediate.report.text import clean

    with (
        closing(open_journal(settings.journal, settings["journal"].origin)) as journal,
        telling(settings, journal, lambda sentence: click.echo(f"warning: {clean(sentence)}", err=True)),
    ):
        yield journal


def _tell(incident_id: str, kind: str, words: str, as_json: bool, **payload: Any) -> None:
    from saveit_remediate.cli.remediate import person
    from saveit_remediate.respond.people import note_text, tell
    from saveit_remediate.settings import load_settings

    settings, now = load_settings({}, os.environ, Path.cwd()), datetime.now(UTC)
    given: dict[str, Any] = {"by": person() or "somebody", **payload}
    given = {key: value for key, value in given.items() if value}
    if "text" in given:
        given["text"] = note_text(given["text"])
    sentence = words.format_map({"reason": "", **given}).removesuffix(": ")
    known = severities_of(settings) if kind == "severity" else None
    with _journal(settings) as journal:
        found = journal.find(incident_id)
        event, before = tell(journal, found, kind, {"sentence": sentence, **given}, now)
    more = ""
    if known is not None:
        more = f"; it was {before.severity}{_due(known, str(given['to']), event, before.opened_at)}"
    _say(event, as_json, more)


def _say(event: Event, as_json: bool, more: str = "") -> None:
    import dataclasses

    from saveit_remediate.report.document import dump
    from saveit_remediate.report.text import clean

    if as_json:
        click.echo(dump(dataclasses.asdict(event)))
    else:
        click.echo(clean(f"{event.incident_id}: {event.payload.get('sentence')}{more}"))


def _due(known: Severities, level: str, event: Event, since: datetime | None = None) -> str:
    due = known.respond_by(level, since or datetime.fromisoformat(event.at))
    if due is None:
        return ""
    local = due.astimezone(known.zone)
    return f"; respond by {local:%Y-%m-%d %H:%M} {local:%Z} ({level}: {known.levels[level].response})"


def _text(text: str, name: str) -> str:
    if not text.strip():
        raise UsageError(f"{name} is empty")
    return text.strip()


def _moment(when: str | None) -> str:
    if when is None:
        return ""
    try:
        moment = datetime.fromisoformat(when.strip())
    except ValueError as error:
        raise UsageError(f"--at must be a time such as 2026-11-26T23:40, not {when!r}") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > datetime.now(UTC):
        raise UsageError(f"--at is in the future: {when}")
    return moment.astimezone(UTC).isoformat(timespec="seconds")
