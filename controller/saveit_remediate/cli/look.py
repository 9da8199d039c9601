"""`status`, `errors`, `db` and `debug`: the runbook's first questions. They change nothing that stays."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

import click

from saveit_remediate.cli.target import prepare, target_options
from saveit_remediate.cli.terminal import lent_terminal
from saveit_remediate.errors import UsageError

_DAY = 86400  # seconds that a person may sit at a shell; its pod ends before
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": _DAY, "w": 7 * _DAY}


@click.command()
@target_options
def status(**options: Any) -> int:
    """Show all services: state, readiness, restarts, CPU, memory."""
    return _look("status", {}, options)


@click.command()
@click.option(
    "--since", default="5m", show_default=True, metavar="TIME", help="How far back: 90s, 5m, 2h, 1d."
)
@target_options
def errors(since: str, **options: Any) -> int:
    """Show the error lines of all services, grouped by message, with counts."""
    return _look("errors", {"look_since_seconds": seconds_of(since)}, options)


@click.command()
@target_options
def db(**options: Any) -> int:
    """Show the database: connections by state and application, the longest query, who waits for locks."""
    return _look("db", {}, options)


@click.command()
@click.option("--image", metavar="IMAGE", help="Of the pod, instead of the inventory's debug_image.")
@click.option("--shell", is_flag=True, help="A shell in the pod instead, at this terminal.")
@target_options
def debug(image: str | None, shell: bool, **options: Any) -> int:
    """Show the network as a pod of the namespace sees it: names, ports, health endpoints.

    On Kubernetes. The pod is made for it and removed again, also after Ctrl-C.
    """
    variables = {"look_debug_image": image} if image else {}
    if not shell:
        return _look("debug", variables, options)
    if options["as_json"]:
        raise UsageError("--shell and --json exclude each other: a shell is for a person")
    with lent_terminal("--shell") as device:
        return _look("debug", {**variables, "look_debug_terminal": device}, options, longest=_DAY)


def seconds_of(text: str, days: int = 7, option: str = "--since") -> float:
    """A time such as 90s or 5m in seconds, at most so many days. Raises UsageError."""
    found = re.fullmatch(r"(\d{1,6})([smhdw])", text.strip())
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < seconds <= days * _DAY:
        raise UsageError(f"{option} must be a time such as 90s, 5m, 2h or 1d, at most {days}d, not {text!r}")
    return float(seconds)


def _look(what: str, variables: Mapping[str, Any], options: Mapping[str, Any], longest: int = 0) -> int:
    import dataclasses

    from saveit_remediate.report.document import dump
    from saveit_remediate.report.text import clean
    from saveit_remediate.respond import look

    request, settings, world, _result = prepare(what, options, is_shown=not longest)
    found = look(what, variables, request, settings, world, longest)
    code = found.outcome.exit_code
    if options["as_json"]:
        tables = [
            {
                "name": one.name,
                "target": one.target,
                "rows": [dict(zip(one.columns, row, strict=True)) for row in one.rows],
            }
            for one in found.tables
        ]
        rest = {
            key: [dataclasses.asdict(one) for one in getattr(found, key)] for key in ("findings", "unseen")
        }
        click.echo(dump({"tables": tables, **rest, "sentences": found.sentences}))
        return code
    if sys.stdout.isatty():
        from saveit_remediate.report.tables import console, data_table

        several = len({one.target for one in found.tables}) > 1
        for one in found.tables:
            console().print(data_table(one, several))
    else:
        for one in found.tables:
            click.echo("\t".join(clean(word) for word in (f"# {one.target}", one.name, *one.columns)))
            for row in one.rows:
                click.echo("\t".join("-" if cell is None else clean(str(cell)) for cell in row))
    for sentence in (*found.sentences, *dict.fromkeys(one.sentence for one in found.unseen)):
        click.echo(clean(sentence))
    return code
