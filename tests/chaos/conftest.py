"""`make chaos`: how much of it, on which target, and the table of what was tried and what was lost.

CHAOS_TARGET is `standin` (default) or `lab`; CHAOS_SEED makes the random moments the same again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.chaos import table
from tests.chaos.target import Target


def pytest_report_header() -> str:
    return f"chaos: CHAOS_SEED={table.SEED} CHAOS_TARGET={os.environ.get('CHAOS_TARGET', 'standin')}"


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    if os.environ.get("CHAOS_TARGET", "standin") == "lab":
        from tests.chaos.lab_target import LabTarget

        found: Target = LabTarget(tmp_path)
    else:
        from tests.chaos.standin_target import StandInTarget

        found = StandInTarget(tmp_path)
    try:
        yield found
    finally:
        found.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if table.ROWS:
        terminalreporter.section(f"chaos, CHAOS_SEED={table.SEED}")
    for line in table.lines():
        terminalreporter.write_line(line)
