"""`changes` and `revert`: what is changed for a time, and how it is put back."""

from __future__ import annotations

import dataclasses
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from saveit_remediate.cli.target import prepare, target_options
from saveit_remediate.errors import UsageError

if TYPE_CHECKING:
    from saveit_remediate.respond.revert import Changes

_FIELDS = ("id", "target", "service", "what", "before", "after", "by", "incident", "at", "expires", "why")


@click.command()
@target_options
def changes(**options: Any) -> int:
    """List what is changed for a time on all targets: raised limits, instances, certificates.

    It is recorded on the targets, with the old value, who, why, and when it expires.
    """
    from saveit_remediate.respond.revert import list_changes

    request, settings, world, _result = prepare("changes", options)
    found = list_changes(request, settings, world)
    if options["as_json"]:
        _dump(found)
    elif sys.stdout.isatty() and found.changes:
        from saveit_remediate.report.tables import changes_table, console

        console().print(changes_table(found.changes))
        _say_unseen(found)
    else:
        _lines(found)
    return found.outcome.exit_code


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--expired", is_flag=True, help="Put back all that has expired; for cron.")
@click.option("--forget", is_flag=True, help="Drop the record of ID, and leave what was changed as it is.")
@click.option("-C", "--check", "--dry-run", is_flag=True, help="Touch nothing; show what would be done.")
@target_options
def revert(ids: tuple[str, ...], expired: bool, forget: bool, **options: Any) -> int:
    """Put back temporary changes, by the IDs of `changes`, where they are still as they were set.

    Exit code 4 when one was left as it is, as somebody else has changed it, is at work, or paused the
    automation.
    """
    from saveit_remediate.cli.remediate import journal_of
    from saveit_remediate.respond import revert as steps

    if bool(ids) == expired or (forget and not ids):
        raise UsageError("give the IDs of changes, or --expired; saveit-remediate changes lists them")
    if any(not each.strip() for each in ids):
        raise UsageError("an ID is empty; saveit-remediate changes lists them")
    request, settings, world, _result = prepare("revert", options)
    found = steps.revert(ids, "forget" if forget else "revert", request, settings, world)
    if any(one.word in ("put-back", "over") for one in found.reverted) and not request.check:
        with closing(journal_of(settings, world.screen)) as journal:
            steps.note(found, journal, world)
    if options["as_json"]:
        _dump(found)
        return found.outcome.exit_code
    from saveit_remediate.report.text import clean

    told = [f"{one.target}: {one.sentence}" for one in found.reverted] or found.sentences
    for sentence in told:
        click.echo(clean(sentence))
    _say_unseen(found)
    return found.outcome.exit_code


def _lines(found: Changes) -> None:
    from saveit_remediate.report.text import clean

    for one in found.changes:
        click.echo("\t".join(clean(str(getattr(one, name)) or "-") for name in _FIELDS))
    if not found.changes:
        for sentence in found.sentences:
            click.echo(clean(sentence))
    _say_unseen(found)


def _say_unseen(found: Changes) -> None:
    from saveit_remediate.report.text import clean

    for sentence in dict.fromkeys(one.sentence for one in found.unseen):
        click.echo(clean(sentence))


def _dump(found: Changes) -> None:
    from saveit_remediate.report.document import dump

    whole = {key: [dataclasses.asdict(one) for one in getattr(found, key)] for key in ("changes", "reverted")}
    click.echo(dump({**whole, "unseen": [one.sentence for one in found.unseen]}))
