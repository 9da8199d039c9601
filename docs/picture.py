"""Record docs/demo.svg: the real command at a terminal, against the lab with a stopped Redis.

Run by `make picture`, with the lab up. The picture has what the terminal shows at the end, to the letter, but
for the folder of the clone, which is written as `~/saveit-remediate`.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from os import environ
from pathlib import Path

import pexpect
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

REPOSITORY = Path(__file__).resolve().parents[1]
PICTURE = Path(__file__).with_name("demo.svg")
COLUMNS, ROWS = 100, 60
ARGUMENTS = ["--incident", "redis", "--yes"]
# Rich's frame without its web font: a README should not have its readers ask another site for one.
TEMPLATE = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
CONTROL = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


def record() -> str:
    """Everything that the command writes to its terminal."""
    with tempfile.TemporaryDirectory() as state:
        child = pexpect.spawn(
            str(Path(sys.executable).with_name("saveit-remediate")),
            ARGUMENTS,
            cwd=REPOSITORY,
            env={**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_STATE_HOME": state},
            dimensions=(ROWS, COLUMNS),
            timeout=180,
            encoding="utf-8",
        )
        child.expect(pexpect.EOF)
        child.close()
    if child.exitstatus != 0:
        sys.exit(f"no picture: the command ended with {child.exitstatus}\n{child.before}")
    return str(child.before)


def last_screen(written: str) -> list[str]:
    """The lines that stay, when the live view has moved up and erased as it does. Colours are kept.

    Rich moves by whole lines only: to the start of a line, up, and erases the line.
    """
    lines, row, at = [""], 0, 0
    while at < len(written):
        if match := CONTROL.match(written, at):
            at = match.end()
            count, letter = match[1] or "", match[2]
            if letter == "m":
                lines[row] += match[0]
            elif letter == "A":
                row = max(0, row - int(count or 1))
            elif letter == "K":
                lines[row] = ""
            continue
        if written[at] == "\n":
            row += 1
            if row == len(lines):
                lines.append("")
        elif written[at] != "\r":
            lines[row] += written[at]
        at += 1
    return lines


def main() -> None:
    for command in ("repair", "break redis-stopped"):
        subprocess.run([str(REPOSITORY / "lab" / "lab"), *command.split()], check=True)
    shown = "\n".join(last_screen(record())).rstrip().replace(str(REPOSITORY), "~/saveit-remediate")
    console = Console(
        width=COLUMNS, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(Text.assemble(("$ ", "dim"), (f"saveit-remediate {' '.join(ARGUMENTS)}", "bold")))
    console.print(Text.from_ansi(shown))
    console.save_svg(str(PICTURE), title="saveit-remediate", code_format=TEMPLATE, unique_id="demo")
    print(f"Wrote docs/{PICTURE.name}.")


if __name__ == "__main__":
    main()
