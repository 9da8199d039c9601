"""The fixture for a real cluster, tried on the stand-in: both speak to whatever server a kubeconfig names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from standin.real import RealCluster

if TYPE_CHECKING:
    from pathlib import Path

    from standin.played import StandIn


def test_a_real_cluster_gets_a_namespace_of_its_own_and_loses_it_again(
    standin: StandIn, tmp_path: Path
) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    real = RealCluster(standin.kubeconfig, folder)
    try:
        assert real.namespace.startswith("saveit-test-")
        real.behave("frontend")
        with real.unchanged():
            real.pods("saveit-frontend")
        assert [real.lacks(feature) for feature in ("metrics", "cert-manager")] == ["", ""]
        standin.without("metrics")
        assert (
            RealCluster.lacks(_fresh(real), "metrics")
            == "this cluster has no metrics (no group metrics.k8s.io/v1beta1)"
        )
        assert real.lacks("faults")
    finally:
        real.close()
    standin.wait(lambda: standin.find("namespaces", real.namespace) is None, "the namespace is gone")


def _fresh(real: RealCluster) -> RealCluster:
    """It asks once for each feature."""
    real.known.clear()
    return real
