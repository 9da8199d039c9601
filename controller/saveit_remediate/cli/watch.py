"""`watch ID`: look on after an incident, for some time."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from saveit_remediate.cli.look import seconds_of
from saveit_remediate.cli.target import extra_vars_option, json_option, verbose_option


@click.command()
@click.argument("incident_id", metavar="ID")
@click.option("--for", "longest", default="15m", show_default=True, metavar="TIME", help="How long.")
@click.option("--every", default="30s", show_default=True, metavar="TIME", help="Between two looks.")
@extra_vars_option
@verbose_option
@json_option
def watch(incident_id: str, longest: str, every: str, as_json: bool, **options: Any) -> int:
    """Go on looking at the target of an incident. On a relapse it is reopened, and the exit code is 3.

    One that was being monitored is resolved when nothing was found until the end, and the error rate is back
    to what it was before. Nothing is changed on the target.
    """
    import dataclasses
    import time

    from saveit_remediate.cli import remediate
    from saveit_remediate.incident_life import life_of
    from saveit_remediate.report.document import dump
    from saveit_remediate.report.text import clean
    from saveit_remediate.respond.resume import settings_of
    from saveit_remediate.respond.watching import Pace, watch, watched_request
    from saveit_remediate.settings import load_settings

    cwd = Path.cwd()
    settings = load_settings({}, os.environ, cwd)
    pace = Pace(seconds_of(longest, option="--for"), seconds_of(every, option="--every"), time.sleep)
    screen = remediate.screen_of({**options, "as_json": as_json})
    with closing(remediate.journal_of(settings, screen)) as journal:
        events = journal.events(journal.find(incident_id))
        asked = {
            "incident": "-",
            "limit": None,
            "severity": None,
            "check": False,
            "diff": False,
            "yes": False,
        }
        given = remediate.request_of({**asked, **options}, "", cwd)
        request, own = watched_request(life_of(events), given), settings_of(events, settings)
        world = remediate.surroundings(own, screen, cwd, None)
        found = watch(events[0].incident_id, request, own, world, journal, pace)
    if as_json:
        click.echo(dump(dataclasses.asdict(found)))
    else:
        click.echo(clean(f"{found.outcome}: {found.sentence}"))
    return found.outcome.exit_code
