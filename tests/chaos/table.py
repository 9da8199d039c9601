"""The table of what was tried and what was lost, kept while the tests run."""

from __future__ import annotations

import os
import random

from tests.chaos.settle import Told, Undisturbed, undisturbed
from tests.chaos.target import Target

SEED = os.environ.get("CHAOS_SEED") or str(random.randrange(10**6))  # noqa: S311
os.environ["CHAOS_SEED"] = SEED
COLUMNS = ("what was tried", "times", "actions doubled", "leases left", "unfinished", "orphans", "ended as")
ROWS: dict[str, list[Told]] = {}
USUAL: dict[str, Undisturbed] = {}


def usual(target: Target, name: str) -> Undisturbed:
    """Of a case of the target, tried once."""
    if name not in USUAL:
        USUAL[name] = undisturbed(target, name)
    return USUAL[name]


def note(line: str, told: Told) -> None:
    """A row of the table; a loss fails the test with what happened."""
    ROWS.setdefault(line, []).append(told)
    assert not told.lost, "\n".join([*told.lost, *told.steps])


def lines() -> list[str]:
    """The table, for a terminal; empty when nothing was tried."""
    if not ROWS:
        return []
    table: list[tuple[str, ...]] = [COLUMNS]
    for line, every in ROWS.items():
        outcomes = sorted({each.outcome for each in every})
        ends = ", ".join(f"{sum(one.outcome == each for one in every)} {each}" for each in outcomes)
        lost = [
            sum(len(getattr(each, part)) for each in every)
            for part in ("doubled", "leased", "unfinished", "alive")
        ]
        table.append((line, str(len(every)), *map(str, lost), ends))
    widths = [max(len(row[column]) for row in table) for column in range(len(COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table]  # fmt: skip
