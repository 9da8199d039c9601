"""`escalate`, for cron: call the next one where an incident is not resolved. `contacts`: who that is."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime

import click

from saveit_remediate.cli.notify import journal_of, post_of, recent, say, sections_of, settings_now
from saveit_remediate.cli.target import json_option


@click.command()
@click.option(
    "--seconds", type=click.IntRange(1, 3600), default=30, show_default=True, help="Longest time for sending."
)
@json_option
def escalate(seconds: int, as_json: bool) -> int:
    """Do what is due: escalate each open incident by the policy, each step once; remind of post-mortems; and
    send what waits.

    For cron or a systemd timer, every minute, on as many machines as you like. Exit code 3 when a channel was
    given up.
    """
    from saveit_remediate.catalog.policy_escalation import read_escalation
    from saveit_remediate.notify.deliver import deliver
    from saveit_remediate.report.templates import Templates
    from saveit_remediate.report.text import clean
    from saveit_remediate.respond import escalation
    from saveit_remediate.respond.reminding import remind

    settings = settings_now()
    sections = sections_of(settings)
    post = post_of(sections)
    steps, rules = read_escalation(sections, post.contacts), Templates(settings.templates).rules()
    with closing(journal_of(settings)) as journal:
        ids = recent(journal, post.now())
        said = [sentence for one in ids for sentence in escalation.escalate(journal, one, steps, post)]
        said += [sentence for one in ids for sentence in remind(journal, one, rules, post.now())]
        tally = deliver(journal, ids, post, seconds)
    for sentence in said:
        click.echo(clean(sentence), err=as_json)
    return say(tally, as_json)


@click.command()
@click.option("--markdown", is_flag=True, help="A page of Markdown, to print.")
@json_option
def contacts(markdown: bool, as_json: bool) -> None:
    """Print the page of contacts: each role, who it is now, and how to reach them."""
    from saveit_remediate.report.document import dump
    from saveit_remediate.report.text import clean

    now = datetime.now(UTC)
    found = [(one, one.person(now)) for one in post_of(sections_of(settings_now())).contacts.values()]
    columns = ("role", "who", "email", "phone", "reach", "channels")
    rows = [(one.title, who.name, who.email, who.phone, one.reach, ", ".join(one.via)) for one, who in found]
    if as_json:
        click.echo(dump([dict(zip(columns, row, strict=True)) for row in rows]))
    elif markdown:
        click.echo(f"# Contacts\n\nAs of {now:%Y-%m-%d %H:%M} UTC.\n")
        for row in (columns, ["---"] * len(columns), *rows):
            click.echo("| " + " | ".join(clean(cell).replace("|", "\\|") for cell in row) + " |")
    elif not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(clean(cell) or "-" for cell in row))
    else:
        from saveit_remediate.report.tables import console, contacts_table

        console().print(contacts_table(columns, rows))
