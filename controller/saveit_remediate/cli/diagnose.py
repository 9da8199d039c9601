"""`saveit-remediate diagnose`: which incident is it? Looks at everything, changes nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])
_TARGET_OPTIONS = (
    click.option(
        "-i", "--inventory", metavar="PATH", help="Ansible inventory: a file, a folder, or HOST,HOST."
    ),
    click.option("-l", "--limit", metavar="PATTERN", help="Only these hosts of the inventory."),
    click.option(
        "-e", "--extra-vars", multiple=True, metavar="VARS", help="k=v, @file.yml, or JSON; repeatable."
    ),
    click.option("-v", "--verbose", count=True, help="Say more; repeatable."),
    click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout."),
)
# What the options of the main command would say when nothing may be changed.
_READS = {"incident": None, "severity": None, "check": False, "diff": False, "yes": False}


def target_options(command: _Command) -> _Command:
    """The options of every command that looks at hosts."""
    for option in reversed(_TARGET_OPTIONS):
        command = option(command)
    return command


@click.command()
@target_options
def diagnose(**options: Any) -> int:
    """Look for every kind of incident at once, and rank what is found, cause before symptom.

    Nothing is changed. It ends with 0 when it could look, whatever it found.
    """
    import dataclasses

    from saveit_remediate.cli.remediate import request_of, screen_of, surroundings
    from saveit_remediate.report.document import dump
    from saveit_remediate.report.screen import Lines
    from saveit_remediate.report.text import duration
    from saveit_remediate.respond import survey
    from saveit_remediate.settings import load_settings

    began = time.monotonic()
    cwd = Path.cwd()
    settings = load_settings({"inventory": options["inventory"]}, dict(os.environ), cwd)
    request = request_of({**_READS, **options, "incident": "auto"}, settings.inventory, cwd)
    screen = screen_of(options)
    quiet = isinstance(screen, Lines) and not options["verbose"]
    if quiet:  # on a pipe the list is wanted, not the steps
        screen = Lines(None, sys.stderr)
    found = survey(request, settings, surroundings(settings, screen, cwd, None))
    seconds = time.monotonic() - began
    if options["as_json"]:
        document = {
            "target": ", ".join(found.hosts),
            "outcome": found.outcome,
            "sentence": found.sentence,
            "incident": found.triage.incident,
            "suspects": [
                {**dataclasses.asdict(one), "command": found.command_of(one)} for one in found.triage.suspects
            ],
            "unseen": [dataclasses.asdict(one) for one in found.triage.unseen],
            "seconds": round(seconds, 3),
        }
        click.echo(dump(document))
        return found.outcome.exit_code
    if quiet:
        screen = Lines(sys.stdout, sys.stderr)
    screen.triage(found.triage, found.commands)
    click.echo(f"{found.sentence} ({duration(seconds)})")
    return found.outcome.exit_code
