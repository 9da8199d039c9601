"""`saveit-remediate --incident TYPE`: from the options to a report, and to an exit code."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import secrets
import socket
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from saveit_remediate.catalog import open_catalog, parse_extra_vars
from saveit_remediate.cli.notify import telling
from saveit_remediate.cli.unfinished import say_unfinished
from saveit_remediate.errors import UsageError
from saveit_remediate.incident import Request, Severity
from saveit_remediate.journal import Journal, open_journal
from saveit_remediate.plan import Plan
from saveit_remediate.report.document import Report, alike, counted, to_json
from saveit_remediate.report.screen import Lines, Screen, change_lines
from saveit_remediate.report.text import clean, duration
from saveit_remediate.respond import AUTO, Surroundings, respond, respond_auto
from saveit_remediate.settings import Settings, load_settings

_INTERRUPTED_SECONDS = 1.0  # that the channels are waited for after Ctrl-C


def remediate(options: Mapping[str, Any], environ: Mapping[str, str]) -> int:
    """Respond to one incident; returns the exit code. Raises RemediateError."""
    cwd = Path.cwd()
    settings = load_settings({"inventory": options["inventory"]}, environ, cwd)
    request = request_of(options, settings.inventory, cwd)
    screen = screen_of(options)
    with contextlib.closing(journal_of(settings, screen)) as journal:
        return run(request, settings, screen, journal, options["as_json"])


def run(request: Request, settings: Settings, screen: Screen, journal: Journal, as_json: bool) -> int:
    """Respond, and tell how it ended; returns the exit code. Raises RemediateError."""
    attended = _is_terminal() and not as_json
    world = surroundings(settings, screen, Path.cwd(), _ask if attended else None)
    say_unfinished(journal, request.resumes or request.goes_on)
    with telling(settings, journal, screen.warning, request.check) as courier:
        if request.incident.strip().lower() == AUTO:
            report = respond_auto(request, settings, world, journal, _choose if attended else None)
        else:
            report = respond(request, settings, world, journal)
        if as_json:
            click.echo(to_json(report))
        else:
            _tell(report, screen)
        if report.interrupted:
            courier.seconds = _INTERRUPTED_SECONDS
        return report.exit_code


def journal_of(settings: Settings, screen: Screen) -> Journal:
    """The journal, to write."""
    return open_journal(
        settings.journal, settings["journal"].origin, settings.state / "spool", warn=screen.warning
    )


def surroundings(
    settings: Settings, screen: Screen, cwd: Path, consent: Callable[[Plan], bool] | None
) -> Surroundings:
    """The world as it is."""
    return Surroundings(
        catalog=open_catalog(settings.folder),
        screen=screen,
        consent=consent,
        now=lambda: datetime.now(UTC),
        random=lambda: secrets.token_hex(2),
        cwd=cwd,
        user=person(),
    )


def request_of(options: Mapping[str, Any], inventory: str, cwd: Path) -> Request:
    """What the options ask for. Raises UsageError."""
    for name in ("incident", "limit", "break_lease", "approved_by"):
        if options.get(name) is not None and not options[name].strip():
            raise UsageError(f"--{name.replace('_', '-')} is empty; leave it out, or give a value")
    return Request(
        incident=options["incident"],
        inventory=inventory,
        limit=options["limit"] or "",
        severity=Severity(options["severity"].lower()) if options["severity"] else None,
        extra_vars=parse_extra_vars(options["extra_vars"], cwd),
        check=options["check"],
        diff=options["diff"],
        yes=options["yes"],
        break_lease=options.get("break_lease") or "",
        approved_by=(options.get("approved_by") or "").strip(),
        verbosity=options["verbose"],
    )


def screen_of(options: Mapping[str, Any]) -> Screen:
    """Where the run shows itself."""
    if options["as_json"]:
        return Lines(sys.stderr if options["verbose"] else None, sys.stderr)
    if not sys.stdout.isatty():
        return Lines(sys.stdout, sys.stderr)
    from saveit_remediate.report.live import LiveScreen
    from saveit_remediate.report.tables import console

    return LiveScreen(console())


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask(plan: Plan) -> bool:
    try:
        return click.confirm(question(plan), default=False)
    except click.Abort as abort:  # Ctrl-C or Ctrl-D at the question
        raise KeyboardInterrupt from abort


def question(plan: Plan) -> str:
    """What a person is asked, with the plan on the screen."""
    hosts = list(dict.fromkeys(step.target for step in plan.allowed))
    count = len(plan.allowed)
    one_each = count == len(hosts)
    remedies = "this remedy" if count == 1 else f"these {count} remedies"
    order = "" if one_each else ", one after the other until one helps"
    where = f" on {len(hosts)} targets, in batches beginning with {hosts[0]}" if len(hosts) > 1 else ""
    return f"Try {remedies}{where}{order}?"


def _choose(types: list[str]) -> str:
    try:
        return str(click.prompt("Which one first?", type=click.Choice(types)))
    except click.Abort as abort:
        raise KeyboardInterrupt from abort


def _tell(report: Report, screen: Screen) -> None:
    """The end, for a person."""
    diffs = [(action, diff) for action in report.actions for diff in action.diff]
    ending = f"record: saveit-remediate show {report.incident_id}"
    changed = change_lines(dataclasses.asdict(one) for one in report.changes)
    if isinstance(screen, Lines):
        for action, diff in diffs:
            screen.line(f"diff: {clean(action.target)}: {action.remedy}: {_one_line(diff)}")
        if len(report.targets) > 1:
            for targets, outcome, sentence in alike(report.targets):
                screen.line(f"{clean(targets)}: {outcome}: {clean(sentence)}")
            screen.line(f"{report.outcome}: {counted(report)} ({duration(report.seconds)})")
        else:
            screen.line(f"{report.outcome}: {clean(report.sentence)} ({duration(report.seconds)})")
        for line in changed:
            screen.line(line)
        screen.line(ending)
        return
    from saveit_remediate.report.tables import console, diff_text, outcome_text, targets_table

    terminal = console()
    for action, diff in diffs:
        terminal.print(diff_text(action, diff))
    if len(report.targets) > 1:
        terminal.print(targets_table(report.targets))
    terminal.print(outcome_text(report))
    for line in changed:
        terminal.print(line, style="yellow", highlight=False, markup=False)
    terminal.print(ending, style="dim", highlight=False, markup=False)


def _one_line(diff: Mapping[str, str]) -> str:
    return f"{clean(diff.get('before', ''), 200)} -> {clean(diff.get('after', ''), 200)}"


def person() -> str:
    """Who runs the command, as USER@HOST; empty where the machine does not know."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # no entry for this user id, as in some containers
        return ""
