"""`postmortem`: the page of an incident, its status, and which are due."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from saveit_remediate.errors import RemediateError, UsageError

if TYPE_CHECKING:
    from saveit_remediate.journal import Journal
    from saveit_remediate.report.facts import Facts
    from saveit_remediate.report.postmortem import Written
    from saveit_remediate.report.templates import Templates
    from saveit_remediate.settings import Settings

_STATUSES = ("draft", "in-review", "reviewed")


@click.command()
@click.argument("incident_id", required=False, metavar="[ID]")
@click.option("--output", metavar="FOLDER", help="Where to write it, instead of the setting postmortems.")
@click.option("--status", type=click.Choice(_STATUSES), help="Note how far people are with it.")
@click.option("--anew", is_flag=True, help="Write all of it from the record; what people wrote is lost.")
@click.option("--due", is_flag=True, help="List the post-mortems that are due, instead of writing one.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def postmortem(incident_id: str | None, as_json: bool, due: bool, **options: Any) -> None:
    """Write the post-mortem of an incident, as Markdown and as a page of HTML beside it.

    The beginning of an ID is enough, `last` is the newest. Edit the Markdown: what people wrote stays
    when it is written again, and the HTML shows it.
    """
    from saveit_remediate.report.document import dump
    from saveit_remediate.report.templates import Templates
    from saveit_remediate.settings import load_settings

    if due == (incident_id is not None):
        raise UsageError("give the ID of an incident, or --due, and not both")
    if options["output"] is not None and not options["output"].strip():
        raise UsageError("--output is empty; leave it out, or give a folder")
    settings = load_settings({}, os.environ, Path.cwd())
    folder = Path(options["output"] or settings.postmortems).absolute()
    templates = Templates(settings.templates)
    if due:
        _due(settings, templates, as_json)
        return
    written, facts = _write(str(incident_id), settings, folder, templates, options)
    for sentence in written.said:
        _warn(sentence)
    if as_json:
        paths = {"markdown": str(written.markdown), "html": str(written.html)}
        owed = written.content.due
        status = {"status": facts.status, "due": owed.due.isoformat() if owed else None}
        click.echo(dump({"incident_id": facts.incident_id, **paths, **status, "said": written.said}))
        return
    click.echo(f"{written.markdown}\n{written.html}")


def _write(
    wanted: str, settings: Settings, folder: Path, templates: Templates, options: Mapping[str, Any]
) -> tuple[Written, Facts]:
    from saveit_remediate.journal import open_journal
    from saveit_remediate.report.facts import facts_of
    from saveit_remediate.report.postmortem import write_postmortem

    now = datetime.now(UTC)
    origin, spool = settings["journal"].origin, settings.state / "spool"
    with closing(open_journal(settings.journal, origin, spool, warn=_warn)) as journal:
        incident_id = journal.find(wanted)
        if options["status"] == "reviewed":
            _review(journal, incident_id)
        elif options["status"]:
            _note(journal, incident_id, options["status"])
        written = write_postmortem(
            journal, incident_id, folder, templates, settings.prometheus, now, options["anew"]
        )
        facts = facts_of(journal.events(incident_id))
        if facts.path != str(written.markdown):
            _note(journal, incident_id, facts.status, str(written.markdown))
    return written, facts


def _review(journal: Journal, incident_id: str) -> None:
    """A person's deed, which only what is resolved allows. Raises RefusedError."""
    from saveit_remediate.cli.remediate import person
    from saveit_remediate.respond.people import tell

    by = person()
    told = {"sentence": f"the post-mortem is reviewed{f', said by {by}' if by else ''}", "by": by}
    tell(journal, incident_id, "reviewed", told, datetime.now(UTC))


def _note(journal: Journal, incident_id: str, status: str, path: str = "") -> None:
    """The status and the path into the record; a page without it is still a page."""
    from saveit_remediate.cli.remediate import person

    by = person()
    told = f"the post-mortem is in {path}" if path else f"the post-mortem is {status.replace('-', ' ')}"
    payload = {
        "sentence": f"{told}{f', said by {by}' if by else ''}",
        "status": status,
        "path": path,
        "by": by,
    }
    try:
        journal.append(incident_id, "postmortem", payload, datetime.now(UTC))
    except RemediateError as error:
        _warn(str(error))


def _due(settings: Settings, templates: Templates, as_json: bool) -> None:
    import dataclasses

    from saveit_remediate.journal import read_journal
    from saveit_remediate.report.document import dump
    from saveit_remediate.report.due import due_of
    from saveit_remediate.report.facts import facts_of

    now, rules = datetime.now(UTC), templates.rules()
    for sentence in templates.said:
        _warn(sentence)
    with closing(
        read_journal(settings.journal, settings["journal"].origin, settings.state / "spool")
    ) as journal:
        every = (facts_of(journal.events(incident_id)) for incident_id in journal.incidents())
        found = [due for facts in every if (due := due_of(facts, rules, now)) and due.status != "reviewed"]
    found.sort(key=lambda due: due.due)
    if as_json:
        click.echo(dump([dataclasses.asdict(due) for due in found]))
        return
    for due in found:
        word = "overdue" if due.overdue else "due"
        click.echo(f"{due.incident_id}\t{due.severity}\t{due.status}\t{word}\t{due.due:%Y-%m-%d %H:%M} UTC")


def _warn(sentence: str) -> None:
    from saveit_remediate.report.text import clean

    click.echo(f"warning: {clean(sentence)}", err=True)
