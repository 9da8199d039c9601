"""`pause` and `resume-automation`: a person switches the automation of a target off, and on again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from saveit_remediate.cli.target import (
    extra_vars_option,
    inventory_option,
    json_option,
    prepare,
    verbose_option,
)
from saveit_remediate.errors import UsageError

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=90)


@click.command()
@click.argument("target")
@click.option("--reason", required=True, metavar="TEXT", help="Why; whoever is refused is told.")
@click.option("--until", required=True, metavar="TIME", help="30m, 2h, 3d, or 2026-11-24T06:00+01:00.")
@inventory_option
@extra_vars_option
@verbose_option
@json_option
def pause(target: str, reason: str, until: str, **options: Any) -> int:
    """Keep all remedies from acting on TARGET, a host or a pattern of the inventory.

    It is kept on the target, so it holds for everybody, and ends by itself.
    """
    if not reason.strip():
        raise UsageError("--reason is empty; say why, for those who are refused because of it")
    ends = end_of(until, datetime.now(UTC))
    told = {"interlock_reason": reason.strip(), "interlock_until": ends.isoformat(timespec="seconds")}
    return _tell(target, {"interlock_step": "pause", **told}, options)


@click.command("resume-automation")
@click.argument("target")
@inventory_option
@extra_vars_option
@verbose_option
@json_option
def resume_automation(target: str, **options: Any) -> int:
    """Let remedies act on TARGET again, before the pause ends by itself."""
    return _tell(target, {"interlock_step": "resume"}, options)


def end_of(text: str, now: datetime) -> datetime:
    """When a pause ends: so long from now, or at a time. Raises UsageError."""
    found = re.fullmatch(r"(\d{1,5})([mhd])", text.strip())
    try:
        ends = now + timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else datetime.fromisoformat(text)
    except ValueError:
        ends = None
    if ends is None or ends.tzinfo is None:
        raise UsageError(f"--until must be 30m, 2h, 3d, or a time with its zone, not {text!r}")
    if not now < ends <= now + _LONGEST:
        raise UsageError(f"--until must be a time in the next {_LONGEST.days} days, not {text!r}")
    return ends.astimezone(UTC)


def _tell(target: str, variables: Mapping[str, Any], options: Mapping[str, Any]) -> int:
    from saveit_remediate.report.document import dump
    from saveit_remediate.report.text import clean
    from saveit_remediate.respond import look

    if not target.strip():
        raise UsageError("TARGET is empty; give a host, or all")
    request, settings, world, _result = prepare("interlock", {**options, "limit": target})
    variables = {**variables, "interlock_holder": world.user}
    found = look("interlock", variables, request, settings, world)
    if options["as_json"]:
        unseen = [one.sentence for one in found.unseen]
        click.echo(dump({"sentences": found.sentences, "unseen": unseen}))
        return found.outcome.exit_code
    for sentence in (*found.sentences, *dict.fromkeys(one.sentence for one in found.unseen)):
        click.echo(clean(sentence))
    return found.outcome.exit_code
