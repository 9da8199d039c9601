"""The main command and its options; people know most of them from Ansible."""

from __future__ import annotations

import os
from typing import Any

import click

from saveit_remediate.cli.approve import approve
from saveit_remediate.cli.changes import changes, revert
from saveit_remediate.cli.completion import complete_incident, completion
from saveit_remediate.cli.diagnose import diagnose
from saveit_remediate.cli.escalate import contacts, escalate
from saveit_remediate.cli.journal import journal
from saveit_remediate.cli.life import (
    ack,
    assign,
    note,
    open_,
    reopen,
    resolve,
    severities,
    severity,
    timeline,
)
from saveit_remediate.cli.look import db, debug, errors, status
from saveit_remediate.cli.notify import notify
from saveit_remediate.cli.pause import pause, resume_automation
from saveit_remediate.cli.postmortem import postmortem
from saveit_remediate.cli.rbac import rbac
from saveit_remediate.cli.records import incidents, runbooks, show
from saveit_remediate.cli.report import report
from saveit_remediate.cli.resume import resume
from saveit_remediate.cli.target import (
    approved_by_option,
    extra_vars_option,
    inventory_option,
    limit_option,
    verbose_option,
)
from saveit_remediate.cli.watch import watch

PROGRAM = "saveit-remediate"
_SEVERITIES = ["sev1", "sev2", "sev3", "sev4"]
_EPILOG = (
    "Exit codes: 0 healthy, planned or recovered; 1 a defect of ours; 2 usage; 3 unresolved or unverified; "
    "4 refused; 5 unreachable or did not start; 130 interrupted."
)


def _version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version(PROGRAM)
        except PackageNotFoundError:
            number = "(not installed)"
        click.echo(f"{PROGRAM} {number}")
        context.exit()


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
@click.option(
    "--incident",
    metavar="TYPE",
    shell_complete=complete_incident,
    help="Incident type or one of its aliases; auto finds out which.",
)
@inventory_option
@limit_option
@extra_vars_option
@click.option("-C", "--check", "--dry-run", is_flag=True, help="Touch nothing; show what would be done.")
@click.option("-D", "--diff", is_flag=True, help="Show what changes, before and after.")
@verbose_option
@click.option(
    "--severity", type=click.Choice(_SEVERITIES, case_sensitive=False), help="Instead of the assessed one."
)
@click.option("--yes", is_flag=True, help="Do not ask; act by the plan.")
@approved_by_option
@click.option(
    "--break-lease", metavar="REASON", help="Act although somebody else is at work; the reason is recorded."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; never asks.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and exit.",
)
@click.pass_context
def cli(context: click.Context, /, **options: Any) -> int:
    """Diagnose an incident, do the least that helps, and prove from outside that the service recovered.

    Without --yes it asks before it acts; without a terminal only what the policy lets run unattended acts.
    """
    if context.invoked_subcommand is not None:
        if options["incident"]:
            raise click.UsageError(f"--incident and {context.invoked_subcommand} do not go together")
        return 0
    if options["incident"] is None:
        given = [name for name, value in options.items() if value not in (None, (), False, 0)]
        if given:
            raise click.UsageError(
                "which incident? give --incident TYPE; saveit-remediate runbooks lists them"
            )
        click.echo(context.get_help())
        return 0
    from saveit_remediate.cli.remediate import remediate

    return remediate(options, dict(os.environ))


cli.add_command(diagnose)
cli.add_command(status)
cli.add_command(errors)
cli.add_command(db)
cli.add_command(debug)
cli.add_command(rbac)
cli.add_command(pause)
cli.add_command(resume_automation)
cli.add_command(changes)
cli.add_command(revert)
cli.add_command(runbooks)
cli.add_command(incidents)
cli.add_command(show)
cli.add_command(postmortem)
cli.add_command(report)
cli.add_command(open_)
cli.add_command(ack)
cli.add_command(note)
cli.add_command(severity)
cli.add_command(assign)
cli.add_command(resolve)
cli.add_command(reopen)
cli.add_command(timeline)
cli.add_command(severities)
cli.add_command(watch)
cli.add_command(resume)
cli.add_command(approve)
cli.add_command(notify)
cli.add_command(escalate)
cli.add_command(contacts)
cli.add_command(journal)
cli.add_command(completion)
