"""`pause`: when it ends, and what cannot be meant."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from saveit_remediate.cli.pause import end_of
from saveit_remediate.errors import UsageError

NOW = datetime(2026, 11, 26, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("30m", "2026-11-26T03:00:00+00:00"),
        ("2h", "2026-11-26T04:30:00+00:00"),
        (" 3d ", "2026-11-29T02:30:00+00:00"),
        ("2026-11-26T06:00+01:00", "2026-11-26T05:00:00+00:00"),
        ("2026-11-26T06:00Z", "2026-11-26T06:00:00+00:00"),
    ],
)
def test_a_pause_ends_so_long_from_now_or_at_a_time(text: str, ends: str) -> None:
    assert end_of(text, NOW).isoformat() == ends


@pytest.mark.parametrize(
    "text", ["", "soon", "2", "2w", "-2h", "0m", "91d", "99999d", "2026-11-26T06:00", "2026-11-26T01:00Z"]
)
def test_a_time_without_a_zone_or_out_of_range_is_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="--until must be"):
        end_of(text, NOW)
