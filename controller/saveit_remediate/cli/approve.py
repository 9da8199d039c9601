"""`approve ID`: a second person's word for what an incident waits to do."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import click

from saveit_remediate.cli.target import json_option


@click.command()
@click.argument("incident_id", metavar="ID")
@click.option(
    "--remedy", default="", metavar="REMEDY", help="Only this one of the remedies that are asked for."
)
@click.option("--reason", default="", metavar="TEXT", help="Why, for the record.")
@json_option
def approve(incident_id: str, remedy: str, reason: str, as_json: bool) -> None:
    """Approve what an incident waits for, by a signature; `show ID` has what that is.

    Whoever asked cannot approve. The key is that of the setting `key`, and the policy lists its public half.
    The approval is for this incident, target, remedy and plan, and is good for one attempt.
    """
    from datetime import UTC, datetime

    from saveit_remediate.catalog import load_policy, open_catalog
    from saveit_remediate.journal import open_journal
    from saveit_remediate.report.document import dump
    from saveit_remediate.report.text import clean
    from saveit_remediate.respond.approval import approver_of, asked_of, sign
    from saveit_remediate.respond.key import read_key
    from saveit_remediate.settings import load_settings

    settings = load_settings({}, os.environ, Path.cwd())
    policy = load_policy(open_catalog(settings.folder), settings.policy, settings["policy"].origin)
    key = read_key(Path(settings["key"].value), settings["key"].origin)
    # No spool: an approval that lies on this machine alone helps nobody.
    with closing(open_journal(settings.journal, settings["journal"].origin)) as journal:
        events = journal.events(journal.find(incident_id))
        found, now = events[0].incident_id, datetime.now(UTC)
        asked = asked_of(events, remedy.strip())
        approver = approver_of(key, policy)
        signed = [sign(found, one, approver, key, reason.strip(), now, policy) for one in asked]
        for one in signed:
            journal.append(found, "approved", one, now)
    if as_json:
        click.echo(dump({"ladder_incident_id": found, "ladder_approval": signed}))  # extra variables
        return
    for one in signed:
        click.echo(clean(one["sentence"]))
    click.echo(f"to go on, by somebody else: saveit-remediate resume {found} --yes")
