"""The commands that only read: runbooks, incidents, show."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from saveit_remediate.cli.look import seconds_of
from saveit_remediate.cli.unfinished import say_unfinished
from saveit_remediate.incident import Severity
from saveit_remediate.incident_life import STATES

if TYPE_CHECKING:
    from saveit_remediate.catalog import Catalog
    from saveit_remediate.journal import Journal


def _catalog() -> Catalog:
    from saveit_remediate.catalog import open_catalog
    from saveit_remediate.settings import load_settings

    return open_catalog(load_settings({}, os.environ, Path.cwd()).folder)


def _journal() -> Journal:
    from saveit_remediate.journal import read_journal
    from saveit_remediate.settings import load_settings

    settings = load_settings({}, os.environ, Path.cwd())
    journal = read_journal(settings.journal, settings["journal"].origin, settings.state / "spool")
    say_unfinished(journal)
    return journal


def _json(value: Any) -> None:
    from saveit_remediate.report.document import dump

    click.echo(dump(value))


@click.command()
@click.argument("name", required=False, metavar="[TYPE]")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def runbooks(name: str | None, as_json: bool) -> None:
    """List the incident types, or show what one runbook says."""
    import dataclasses

    from saveit_remediate.catalog import find, load_all
    from saveit_remediate.report.text import clean

    catalog = _catalog()
    if name:
        runbook = find(catalog, name)
        if as_json:
            _json(dataclasses.asdict(runbook))
            return
        from saveit_remediate.report.tables import console, runbook_page

        console().print(runbook_page(runbook))
        return
    found, problems = load_all(catalog)
    for problem in problems:
        click.echo(clean(f"warning: {problem}"), err=True)
    if as_json:
        _json([dataclasses.asdict(runbook) for runbook in found])
    elif not sys.stdout.isatty():
        for runbook in found:
            cells = (runbook.id, runbook.title, ", ".join(runbook.aliases))
            click.echo("\t".join(clean(cell) for cell in cells))
    else:
        from saveit_remediate.report.tables import console, runbooks_table

        console().print(runbooks_table(found))


@click.command()
@click.option("--type", "incident", default="", metavar="TYPE", help="Only of this incident type.")
@click.option(
    "--severity", multiple=True, type=click.Choice(list(Severity), case_sensitive=False), help="Only these."
)
@click.option(
    "--state",
    type=click.Choice(["open", *STATES]),
    help="Only in this state; open is any before resolved.",
)
@click.option("--since", metavar="TIME", help="Only opened since: 90s, 5m, 2h, 30d.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def incidents(
    incident: str, severity: tuple[str, ...], state: str | None, since: str | None, as_json: bool
) -> None:
    """List the recorded incidents, newest first."""
    import dataclasses
    from datetime import UTC, datetime, timedelta

    from saveit_remediate.catalog import find
    from saveit_remediate.report.history import matching, summaries
    from saveit_remediate.report.text import clean

    opened = datetime.now(UTC) - timedelta(seconds=seconds_of(since, 3650)) if since else None
    wanted = find(_catalog(), incident).id if incident and incident != "auto" else incident
    journal = _journal()
    every = summaries(journal)
    found = matching(every, wanted, [one.lower() for one in severity], state or "", opened)
    if as_json:
        _json([dataclasses.asdict(summary) for summary in found])
    elif not found:
        which = "is recorded" if not every else f"of {len(every)} is like that"
        click.echo(clean(f"no incident {which} in {journal.name}"))
    elif not sys.stdout.isatty():
        for one in found:
            ended = (one.severity, one.outcome, one.sentence, one.state, one.assignee)
            cells = (one.incident_id, one.opened, one.incident, *ended)
            click.echo("\t".join(clean(cell) for cell in cells))
    else:
        from saveit_remediate.report.tables import console, incidents_table

        console().print(incidents_table(found))


@click.command()
@click.argument("incident_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def show(incident_id: str, as_json: bool) -> None:
    """Show the timeline of an incident; the beginning of an ID is enough, `last` is the newest."""
    from saveit_remediate.journal.chain import chain_break
    from saveit_remediate.report.history import life_line, still_changed, timeline_data, timeline_lines
    from saveit_remediate.report.screen import change_lines
    from saveit_remediate.report.text import clean

    journal = _journal()
    events = journal.events(journal.find(incident_id))
    broken = chain_break(events)
    if broken is not None:
        click.echo(f"warning: event {broken} of this record was changed, removed or moved", err=True)
    if as_json:
        _json(timeline_data(events))
        return
    stands = life_line(events)
    if not sys.stdout.isatty():
        click.echo(clean(f"incident {events[0].incident_id}: {stands}"))
        for at, kind, sentence in timeline_lines(events):
            click.echo(f"{clean(at)}  {clean(kind)}: {clean(sentence)}")
    else:
        from saveit_remediate.report.tables import console, timeline_table

        console().print(timeline_table(events))
        click.echo(clean(stands))
    for line in change_lines(still_changed(events)):
        click.echo(line)
