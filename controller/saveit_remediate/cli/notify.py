"""`notify`: send what is due to the channels of the site, try them, agree to what is published."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from saveit_remediate.cli.target import json_option
from saveit_remediate.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from saveit_remediate.catalog.policy import Sections
    from saveit_remediate.journal import Journal
    from saveit_remediate.notify.courier import Courier
    from saveit_remediate.notify.deliver import Tally
    from saveit_remediate.notify.post import Post
    from saveit_remediate.settings import Settings

_WRONG = 3  # a person has to look, as the README's table says
_RECENT = timedelta(days=14)


@click.group(invoke_without_command=True)
@click.option(
    "--seconds", type=click.IntRange(1, 3600), default=30, show_default=True, help="Longest time for sending."
)
@json_option
@click.pass_context
def notify(context: click.Context, seconds: int, as_json: bool) -> int:
    """Send what is due to the channels of policy.yml: each notice once, in order.

    A run of the command does it too; this one is for cron. Exit code 3 when a channel was given up.
    """
    if context.invoked_subcommand is not None:
        return 0
    from saveit_remediate.notify.deliver import deliver

    settings = settings_now()
    post = post_of(sections_of(settings))
    with closing(journal_of(settings)) as journal:
        tally = deliver(journal, recent(journal, datetime.now(UTC)), post, seconds)
    return say(tally, as_json)


@notify.command("test")
@click.argument("names", nargs=-1, metavar="[CHANNEL]...")
@json_option
def test_(names: tuple[str, ...], as_json: bool) -> int:
    """Send a test to each channel, or to the named ones; nothing is published on a status page."""
    from saveit_remediate.notify.post import try_channel
    from saveit_remediate.report.document import dump
    from saveit_remediate.report.text import clean

    post = post_of(sections_of(settings_now()))
    channels = post.policy.channels
    if not channels:
        raise UsageError("no channel: policy.yml has none under notify.channels")
    for name in names:
        if name not in channels:
            raise UsageError(f"unknown channel {name!r}: {did_you_mean(name, channels)}")
    problems = {
        name: try_channel(channels[name], post.kinds[name], post.now) for name in (names or tuple(channels))
    }
    if as_json:
        click.echo(
            dump({name: {"arrived": not problem, "problem": problem} for name, problem in problems.items()})
        )
    else:
        for name, problem in problems.items():
            click.echo(clean(f"{name} ({channels[name].kind}): {problem or 'arrived'}"))
    return _WRONG if any(problems.values()) else 0


@notify.command()
@click.argument("incident_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask; publish all texts that wait.")
@click.option("--decline", is_flag=True, help="Publish none of them.")
def publish(incident_id: str, yes: bool, decline: bool) -> int:
    """Agree to the texts of an incident that wait to be published, one by one, and send them."""
    from saveit_remediate.cli.remediate import person
    from saveit_remediate.notify.consent import agree, asking
    from saveit_remediate.notify.deliver import deliver
    from saveit_remediate.report.text import clean

    if yes and decline:
        raise UsageError("--yes and --decline do not go together")
    if not (yes or decline or sys.stdin.isatty()):
        raise UsageError("nobody can be asked here: give --yes or --decline")
    settings = settings_now()
    post = post_of(sections_of(settings))
    with closing(journal_of(settings)) as journal:
        found = journal.find(incident_id)
        parcels = asking(journal, found, post)
        if not parcels:
            click.echo(f"no text of {found} waits to be published")
        for parcel in parcels:
            click.echo(clean(f"{parcel.channel}: {parcel.payload['text']}"))
            agreed = not decline and (yes or click.confirm("Publish it?", default=False))
            agree(journal, found, parcel, agreed, person(), post.now())
        return say(deliver(journal, [found], post, 30), as_json=False)


@contextmanager
def telling(
    settings: Settings, journal: Journal, warn: Callable[[str], None], silent: bool = False
) -> Iterator[Courier]:
    """What is written to the journal within is told by the channels of the site, beside what goes on.

    At the end they are waited for, for a bounded time; what is not told then is for the next `notify`.
    """
    from saveit_remediate.notify.courier import Courier

    courier = Courier(lambda: post_of(sections_of(settings)), lambda: journal_of(settings))
    if settings.policy is not None and not silent:  # the shipped policy has no channels
        journal.told = courier.tell
    try:
        yield courier
    finally:
        for sentence in courier.finish():
            warn(sentence)


def say(tally: Tally, as_json: bool) -> int:
    """Tell how a pass went; returns the exit code."""
    import dataclasses

    from saveit_remediate.notify.courier import sentences
    from saveit_remediate.report.document import dump
    from saveit_remediate.report.text import clean

    if as_json:
        click.echo(dump(dataclasses.asdict(tally)))
    else:
        click.echo(f"{tally.sent} sent")
        for sentence in sentences(tally):
            click.echo(clean(sentence), err=True)
    return _WRONG if tally.given_up else 0


def settings_now() -> Settings:
    from saveit_remediate.settings import load_settings

    return load_settings({}, os.environ, Path.cwd())


def journal_of(settings: Settings) -> Journal:
    """Without a spool: what is sent has to be known to all."""
    from saveit_remediate.journal import open_journal

    return open_journal(settings.journal, settings["journal"].origin)


def sections_of(settings: Settings) -> Sections:
    from saveit_remediate.catalog import open_catalog
    from saveit_remediate.catalog.policy import load_sections

    return load_sections(open_catalog(settings.folder), settings.policy, settings["policy"].origin)


def post_of(sections: Sections) -> Post:
    """The channels of the site. Raises UsageError for what cannot be right about them."""
    from saveit_remediate.catalog.policy_contacts import read_contacts
    from saveit_remediate.catalog.policy_notify import read_notify
    from saveit_remediate.notify.post import open_post

    policy = read_notify(sections)
    contacts = read_contacts(sections, policy.channels)
    return open_post(policy, contacts, lambda: datetime.now(UTC), time.sleep)


def recent(journal: Journal, now: datetime) -> list[str]:
    """The incidents that somebody may still have to be told about."""
    oldest = f"{now - _RECENT:%Y%m%d}"  # an id begins with its time
    return [incident_id for incident_id in journal.incidents() if incident_id >= oldest]
