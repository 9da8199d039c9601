"""Write docs/commands.md from the commands' own help. Run by `make docs`; a test checks freshness."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from saveit_remediate.cli.command import PROGRAM, cli

PAGE = Path(__file__).with_name("commands.md")
HEAD = """\
# Commands

Written by `make docs` from the commands' own `--help`: change it there.
"""


def page() -> str:
    """The whole page."""
    sections = [f"\n## `{name}`\n\n```text\n{text.rstrip()}\n```\n" for name, text in helps(cli, PROGRAM)]
    return HEAD + "".join(sections)


def helps(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """Each command with its help, at a width that does not depend on the terminal."""
    context = click.Context(
        command, info_name=name, terminal_width=100, max_content_width=100, help_option_names=["-h", "--help"]
    )
    yield name, context.get_help()
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            child = command.get_command(context, word)
            assert child is not None
            yield from helps(child, f"{name} {word}")


if __name__ == "__main__":
    text = page()
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == text else f"{PAGE.name} is stale: run `make docs`")
    PAGE.write_text(text, encoding="utf-8")
    print(f"Wrote docs/{PAGE.name}.")
