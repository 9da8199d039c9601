"""Shell completion."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from saveit_remediate.errors import RemediateError, UsageError

_SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_SAVEIT_REMEDIATE_COMPLETE"


def complete_incident(
    _context: click.Context, _parameter: click.Parameter, word: str
) -> list[CompletionItem]:
    """The incident types that begin so; none when they cannot be read, as a shell is no place for errors."""
    from saveit_remediate.catalog import open_catalog
    from saveit_remediate.settings import load_settings

    try:
        ids = open_catalog(load_settings({}, os.environ, Path.cwd()).folder).ids
    except RemediateError:
        return []
    return [CompletionItem(name) for name in ids if name.startswith(word.lower())]


@click.command()
@click.argument("shell", required=False, type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str | None) -> None:
    """Print the completion script of a shell.

    For bash: eval "$(saveit-remediate completion bash)".
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    kind = get_completion_class(name) if name in _SHELLS else None
    if kind is None:
        raise UsageError(f"which shell? give one of {', '.join(_SHELLS)} (SHELL says {name!r})")
    root = context.find_root()
    click.echo(kind(root.command, {}, "saveit-remediate", _VARIABLE).source())
