"""What the commands that look at hosts share: options, settings, request, screen."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from saveit_remediate.cli.unfinished import look_for_unfinished

if TYPE_CHECKING:
    from saveit_remediate.incident import Request
    from saveit_remediate.report.screen import Screen
    from saveit_remediate.respond import Surroundings
    from saveit_remediate.settings import Settings

_Command = TypeVar("_Command", bound=Callable[..., Any])

inventory_option = click.option(
    "-i", "--inventory", metavar="PATH", help="Ansible inventory: a file, a folder, or HOST,HOST."
)
limit_option = click.option("-l", "--limit", metavar="PATTERN", help="Only these hosts of the inventory.")
extra_vars_option = click.option(
    "-e", "--extra-vars", multiple=True, metavar="VARS", help="k=v, @file.yml, or JSON; repeatable."
)
verbose_option = click.option("-v", "--verbose", count=True, help="Say more; repeatable.")
approved_by_option = click.option(
    "--approved-by", metavar="NAME", help="Who answers for a remedy that needs an approval by the policy."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
# What the options of the main command would say when nothing may be changed.
_READS = {"severity": None, "check": False, "diff": False, "yes": False}


def target_options(command: _Command) -> _Command:
    """The options of a command that looks at hosts and changes nothing."""
    for option in (json_option, verbose_option, extra_vars_option, limit_option, inventory_option):
        command = option(command)
    return command


def prepare(
    word: str, options: Mapping[str, Any], is_shown: bool = True
) -> tuple[Request, Settings, Surroundings, Screen]:
    """For a command that only looks: on a pipe its result is wanted, not the steps, unless with -v.

    Without `is_shown` the steps are not wanted on a terminal either. The screen of the surroundings shows the
    steps, the other one the result. Raises RemediateError.
    """
    from saveit_remediate.cli.remediate import request_of, screen_of, surroundings
    from saveit_remediate.report.screen import Lines
    from saveit_remediate.settings import load_settings

    cwd = Path.cwd()
    settings = load_settings({"inventory": options["inventory"]}, dict(os.environ), cwd)
    look_for_unfinished(settings)
    request = request_of({**_READS, **options, "incident": word}, settings.inventory, cwd)
    steps = result = screen_of(options)
    if not is_shown or (isinstance(steps, Lines) and not options["verbose"]):
        steps, result = Lines(None, sys.stderr), Lines(sys.stdout, sys.stderr)
    return request, settings, surroundings(settings, steps, cwd, None), result
