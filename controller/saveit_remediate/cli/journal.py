"""`journal`: is the record as it was written, and how it gets elsewhere."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from saveit_remediate.errors import UsageError

if TYPE_CHECKING:
    from saveit_remediate.journal import Journal
    from saveit_remediate.settings import Settings

_WRONG = 3  # a person has to look, as the README's table says


def _settings() -> Settings:
    from saveit_remediate.settings import load_settings

    return load_settings({}, os.environ, Path.cwd())


def _journal() -> Journal:
    from saveit_remediate.journal import read_journal

    settings = _settings()
    return read_journal(settings.journal, settings["journal"].origin, settings.state / "spool")


@click.group()
def journal() -> None:
    """Verify, export and import the record of all incidents."""


@journal.command()
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def verify(as_json: bool) -> int:
    """Find the first event that was changed, removed or moved; exit code 3 when there is one."""
    import dataclasses

    from saveit_remediate.journal import chain
    from saveit_remediate.report.document import dump
    from saveit_remediate.report.text import clean

    with closing(_journal()) as opened:
        rows, head = opened.whole()
    found = chain.verify(rows, head)
    if as_json:
        click.echo(dump({**dataclasses.asdict(found), "intact": not found.bad}))
    elif found.bad:
        click.echo(clean(f"the journal {opened.name} is not as it was written: {found.bad}"))
    else:
        click.echo(
            clean(
                f"the journal {opened.name} is as it was written: {found.events} events of "
                f"{found.incidents} incidents"
            )
        )
        click.echo(f"head: {found.head.position} {found.head.seal or '-'}")
    return _WRONG if found.bad else 0


@journal.command()
def export() -> int:
    """Print all events as JSON lines, which `journal import` takes; the last line is the head.

    When the record is not as it was written, that is said, and the exit code is 3.
    """
    from saveit_remediate.journal import chain, transfer
    from saveit_remediate.report.text import clean

    with closing(_journal()) as opened:
        rows, head = opened.whole()
    for line in transfer.to_lines(rows, head):
        click.echo(line)
    bad = chain.verify(rows, head).bad
    if bad:
        click.echo(clean(f"warning: the journal is not as it was written: {bad}"), err=True)
    return _WRONG if bad else 0


@journal.command("import")
@click.argument("file", metavar="FILE")
def import_(file: str) -> None:
    """Add the events of an export that are not there yet; `-` reads stdin. All of them, or none.

    Refused when the chain of the export is broken, or an incident is here with another content.
    """
    from saveit_remediate.journal import open_journal, transfer

    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}") from error
    rows = transfer.from_lines(text.splitlines(), file)
    settings = _settings()
    with closing(open_journal(settings.journal, settings["journal"].origin)) as opened:
        added = opened.add(rows)
    click.echo(f"{added} events added, {len(rows) - added} were there already")
