"""`report`: figures over all incidents, for people, for programs and for Prometheus."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from saveit_remediate.cli.look import seconds_of
from saveit_remediate.errors import UsageError

if TYPE_CHECKING:
    from saveit_remediate.report.openmetrics import State
    from saveit_remediate.report.templates import Templates
    from saveit_remediate.settings import Settings

_LONGEST_DAYS = 3660


@click.command()
@click.option(
    "--since", default="30d", show_default=True, metavar="TIME", help="How far back: 12h, 30d, 52w."
)
@click.option("--html", metavar="FILE", help="Write a page of HTML there.")
@click.option(
    "--textfile", metavar="FILE", help="Write metrics there, for the node exporter's textfile collector."
)
@click.option("--listen", metavar="[HOST:]PORT", help="Serve /metrics, on 127.0.0.1 unless HOST says where.")
@click.option("--openmetrics", is_flag=True, help="OpenMetrics on stdout.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def report(since: str, html: str | None, textfile: str | None, listen: str | None, **formats: bool) -> None:
    """Show how often, how long and what helped, over the incidents of the last days.

    Metrics are counted over the whole journal, whatever --since says: a counter of Prometheus only grows.
    """
    from saveit_remediate.report.document import dump
    from saveit_remediate.report.figures import figures_of
    from saveit_remediate.report.templates import Templates
    from saveit_remediate.report.text import clean
    from saveit_remediate.settings import load_settings

    if formats["as_json"] and formats["openmetrics"]:
        raise UsageError("--json and --openmetrics do not go together: both are for stdout")
    seconds = seconds_of(since, _LONGEST_DAYS)
    settings = load_settings({}, os.environ, Path.cwd())
    templates = Templates(settings.templates)
    if listen is not None:
        _serve(listen, _reader(settings, templates))
        return
    now = datetime.now(UTC)
    every, due = _reader(settings, templates)()
    for sentence in templates.said:
        click.echo(f"warning: {clean(sentence)}", err=True)
    if textfile is not None:
        from saveit_remediate.report.openmetrics import write_textfile

        write_textfile(Path(textfile), lambda: (every, due))
    found = figures_of(facts for facts in every if facts.opened >= now - timedelta(seconds=seconds))
    if html is not None:
        from saveit_remediate.report.postmortem import write_page

        values = {"figures": found, "since": since, "now": now, "due": due}
        write_page(Path(html), "report.html.j2", values, templates)
    if formats["openmetrics"]:
        from saveit_remediate.report.openmetrics import text

        click.echo(text(lambda: (every, due)), nl=False)
    elif formats["as_json"]:
        import dataclasses

        click.echo(dump({"since": since, **dataclasses.asdict(found), "alone_percent": found.alone_percent}))
    elif html is None and textfile is None:
        _show(found, since)


def _reader(settings: Settings, templates: Templates) -> Callable[[], State]:
    """Reads the journal anew each time."""
    from saveit_remediate.journal import read_journal
    from saveit_remediate.report.due import due_of
    from saveit_remediate.report.facts import facts_of

    rules = templates.rules()

    def read() -> State:
        origin, spool = settings["journal"].origin, settings.state / "spool"
        with closing(read_journal(settings.journal, origin, spool)) as journal:
            found = [journal.events(incident_id) for incident_id in journal.incidents()]
        every = [facts_of(events) for events in found if events]
        now = datetime.now(UTC)
        owed = (due_of(facts, rules, now) for facts in every)
        return every, [due for due in owed if due is not None and due.status != "reviewed"]

    return read


def _serve(listen: str, read: Callable[[], State]) -> None:
    from saveit_remediate.report.openmetrics import server

    host, _, port = listen.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isascii() or not port.isdigit():
        raise UsageError(f"--listen must be a port, or HOST:PORT, not {listen!r}")
    with server(host, int(port), read) as one:
        click.echo(f"http://{f'[{host}]' if ':' in host else host}:{one.server_port}/metrics")
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):  # Ctrl-C and SIGTERM are how it ends
            one.serve_forever()


def _show(found: Any, since: str) -> None:
    from saveit_remediate.report.figures_tables import figures_lines, figures_tables
    from saveit_remediate.report.text import clean

    if not sys.stdout.isatty():
        for line in figures_lines(found, since):
            click.echo("\t".join(clean(cell) for cell in line))
        return
    from saveit_remediate.report.tables import console

    console().print(figures_tables(found, since))
