"""Say in one line what a controller that died has left unfinished."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from saveit_remediate.errors import RemediateError

if TYPE_CHECKING:
    from saveit_remediate.journal import Journal
    from saveit_remediate.report.history import Summary
    from saveit_remediate.settings import Settings

_SOME = 3


def say_unfinished(journal: Journal, but: str = "") -> None:
    """On stderr; nothing when all is finished, or but for the incident `but`."""
    from saveit_remediate.report.history import unfinished
    from saveit_remediate.report.text import clean

    with suppress(
        RemediateError
    ):  # it is no reason to stop; who needs the journal says what is wrong with it
        found = [one for one in unfinished(journal, datetime.now(UTC)) if one.incident_id != but]
        if found:
            some = ", ".join(f"{one.incident_id} ({_why(one)})" for one in found[:_SOME])
            more = f" and {len(found) - _SOME} more" if len(found) > _SOME else ""
            sentence = f"unfinished: {some}{more}; saveit-remediate resume ID looks at the target and goes on"
            click.echo(f"saveit-remediate: {clean(sentence)}", err=True)


def _why(one: Summary) -> str:
    return "waits for an approval" if one.outcome == "waiting" else one.sentence


def look_for_unfinished(settings: Settings) -> None:
    """The same for a command that does not need the journal: one that cannot be read is no obstacle."""
    if "://" not in settings.journal and not os.path.exists(settings.journal):
        return
    from saveit_remediate.journal import read_journal

    with (
        suppress(RemediateError),
        closing(read_journal(settings.journal, "", Path(settings.state) / "spool")) as journal,
    ):
        say_unfinished(journal)
