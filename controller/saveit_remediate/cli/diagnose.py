"""`saveit-remediate diagnose`: which incident is it? Looks at everything, changes nothing."""

from __future__ import annotations

import time
from typing import Any

import click

from saveit_remediate.cli.target import prepare, target_options


@click.command()
@target_options
def diagnose(**options: Any) -> int:
    """Look for every kind of incident at once, and rank what is found, cause before symptom.

    Nothing is changed. It ends with 0 when it could look, whatever it found.
    """
    import dataclasses

    from saveit_remediate.report.document import dump
    from saveit_remediate.report.text import clean, duration
    from saveit_remediate.respond import survey

    began = time.monotonic()
    request, settings, world, screen = prepare("auto", options)
    found = survey(request, settings, world)
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
    screen.triage(found.triage, found.commands)
    click.echo(clean(f"{found.sentence} ({duration(seconds)})"))
    return found.outcome.exit_code
