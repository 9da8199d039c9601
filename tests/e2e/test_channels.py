"""A SEV1 of the lab with all channels pointed at servers on loopback, which play the APIs by their rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.e2e.test_redis import DEFAULT_POLICY

from outside.everything import STORY, Everything

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab, Remediate

Run = Callable[[str], tuple[float, dict[str, list[str]]]]


@pytest.fixture
def run(lab: Lab, remediate: Remediate, tmp_path: Path) -> Run:
    """Break Redis and remedy it, with this channel down: seconds to recovery, and what each was told."""

    def with_down(down: str) -> tuple[float, dict[str, list[str]]]:
        lab.break_("redis-stopped")
        with Everything(lambda: datetime.now(UTC)) as everything:
            if down:
                everything.takes_down(down)
            policy: dict[str, Any] = yaml.safe_load(DEFAULT_POLICY.read_text())
            policy["notify"]["channels"] = everything.channels
            (tmp_path / "policy.yml").write_text(yaml.safe_dump(policy))
            environ = {"SAVEIT_POLICY": str(tmp_path / "policy.yml"), **everything.secrets}
            report = remediate(
                "--incident", "redis", "--severity", "sev1", "--yes", "--json", env=environ
            ).report
            assert report["outcome"] == "recovered", report["sentence"]
            return report["seconds"], everything.told()

    return with_down


def test_a_sev1_is_told_to_everybody_in_order(run: Run) -> None:
    _seconds, told = run("")
    assert told == STORY


@pytest.mark.long
@pytest.mark.parametrize("down", list(STORY))
def test_a_channel_that_is_down_does_not_change_the_time_to_recovery(run: Run, down: str) -> None:
    with_all, _told = run("")
    without, told = run(down)
    assert without < with_all * 1.25 + 1
    assert told == {name: [] if name == down else story for name, story in STORY.items()}
