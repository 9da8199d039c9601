"""The fixture itself: each behaviour of lab/kubernetes comes about, here and on a real cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from standin.cluster import Cluster


@pytest.mark.parametrize(
    "behaviour",
    [
        "healthy",
        "crash-loop",
        "exit-1-once",
        "oom",
        "image-missing",
        "config-missing",
        "unschedulable",
        "not-ready",
        "liveness",
        "slow-start",
    ],
)
def test_a_behaviour_comes_about(cluster: Cluster, behaviour: str) -> None:
    cluster.behave("backend", behaviour)
    assert cluster.list("events")
