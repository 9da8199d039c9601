"""A log of Kubernetes is read once for all who look at the same time, and each has its own window of it."""

from __future__ import annotations

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes import _newest

NOW = 1_795_000_000.0  # 2026-11-18T11:06:40Z
LOG = (
    "2026-11-18T11:05:50Z fifty seconds ago\n"
    "2026-11-18T11:06:35.5Z four and a half seconds ago\n"
    "without a time\n"
    "2026-11-18T11:06:39Z a second ago\n"
)


@pytest.mark.parametrize(
    ("seconds", "now", "lines"),
    [
        (60, NOW, 4),
        (8, NOW, 3),
        (2, NOW, 2),
        (2, NOW - 30, 2),  # the cluster's clock is ahead: counted from its last line
    ],
)
def test_only_what_is_within_the_window_is_told(seconds: float, now: float, lines: int) -> None:
    assert len(_newest(LOG, seconds, now).splitlines()) == lines


def test_an_empty_log_stays_empty() -> None:
    assert _newest("", 8, NOW) == ""
