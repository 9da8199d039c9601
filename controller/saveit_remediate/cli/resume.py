"""`resume ID`: what a controller that died has left unfinished, and what waits for an approval."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from saveit_remediate.cli.target import approved_by_option, extra_vars_option, verbose_option


@click.command()
@click.argument("incident_id", metavar="ID")
@extra_vars_option
@verbose_option
@click.option("--yes", is_flag=True, help="Do not ask; act by the plan.")
@approved_by_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; never asks.")
def resume(incident_id: str, **options: Any) -> int:
    """Go on with an incident that was cut off or waits for an approval: look first, then act, or say why not.

    Type, inventory, limit and severity are the recorded ones. The record of an incident that was cut off is
    closed, and points to a new one; that of one that waits goes on.
    """
    from datetime import UTC, datetime

    from saveit_remediate.cli import remediate
    from saveit_remediate.respond.resume import cut_off, resumed, settings_of
    from saveit_remediate.settings import load_settings

    cwd = Path.cwd()
    settings = load_settings({}, os.environ, cwd)
    screen = remediate.screen_of(options)
    with closing(remediate.journal_of(settings, screen)) as journal:
        events = journal.events(journal.find(incident_id))
        asked = {"incident": "-", "limit": None, "severity": None, "check": False, "diff": False, **options}
        request = resumed(events, remediate.request_of(asked, "", cwd), datetime.now(UTC))
        screen.warning(cut_off(events))
        return remediate.run(request, settings_of(events, settings), screen, journal, options["as_json"])
