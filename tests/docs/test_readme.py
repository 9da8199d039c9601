"""What README and docs say is what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from saveit_remediate import errors
from saveit_remediate.cli.command import cli
from saveit_remediate.incident import Outcome
from saveit_remediate.settings import SPECS

REPOSITORY = Path(__file__).resolve().parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
COMMANDS = (REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8")
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])


def table(heading: str) -> list[list[str]]:
    """The rows of the table under a heading of the README, without its two head lines."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_the_table_of_settings_is_the_one_in_the_code() -> None:
    wanted = [[spec.name, spec.variable, spec.default, spec.help] for spec in SPECS]
    assert [[cell.strip("`") for cell in row] for row in table("Settings")] == wanted


def test_the_table_of_exit_codes_is_the_one_in_the_code() -> None:
    documented = {
        int(code): set(re.findall(r"`(\w+)`", outcomes)) for code, outcomes, _ in table("Exit codes")
    }
    kinds = [value for value in vars(errors).values() if isinstance(value, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.RemediateError)}
    assert set(documented) == codes | {outcome.exit_code for outcome in Outcome}
    for code, outcomes in documented.items():
        assert outcomes == {str(outcome) for outcome in Outcome if outcome.exit_code == code}


def everything(command: click.Command, name: str = "") -> Iterator[tuple[str, str]]:
    """Each command and each of its options, as (command, word)."""
    for parameter in command.params:
        yield from ((name, word) for word in parameter.opts if word.startswith("-"))
    for word, child in getattr(command, "commands", {}).items():
        yield name, word
        yield from everything(child, f"{name} {word}")


@pytest.mark.parametrize(("command", "word"), list(everything(cli, "saveit-remediate")))
def test_every_command_and_option_is_documented(command: str, word: str) -> None:
    section = COMMANDS.split(f"## `{command}`", 1)[1].split("\n## ", 1)[0]
    assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", section)


@pytest.mark.parametrize("name", ["commands.py", "incidents.py"])
def test_the_written_pages_are_fresh(name: str) -> None:
    script = REPOSITORY / "docs" / name
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"`make ([a-z-]+)`", page.read_text(encoding="utf-8"))) <= set(targets)
