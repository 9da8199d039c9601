"""How many cases are tried: FUZZ_CASES over all tests of this folder, a few hundred unless it is set."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT / "collections") not in sys.path:
    sys.path.append(str(ROOT / "collections"))
_TESTS = 33  # in this folder; each gets its share
_CASES = int(os.environ.get("FUZZ_CASES") or 660)
_HANGS_AFTER = 10_000  # milliseconds for one case
_tried = [0]

settings.register_profile(
    "fuzz",
    max_examples=max(1, math.ceil(_CASES / _TESTS)),
    deadline=_HANGS_AFTER,
    derandomize="FUZZ_CASES" not in os.environ,  # in make test the same ones each time
    database=None,
    print_blob=True,
    phases=(Phase.explicit, Phase.generate),  # a failure is said at once: making it small takes minutes
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("fuzz")  # when a test is collected, it takes what holds then


@pytest.fixture(scope="session")
def case() -> Callable[[], None]:
    """Counts one."""

    def count() -> None:
        _tried[0] += 1

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _tried[0]:
        failed = len(terminalreporter.stats.get("failed", []))
        terminalreporter.write_line(f"fuzzing: {_tried[0]} cases tried, {failed} tests failed")
