"""The fixture `cluster`: the stand-in, or with --kubeconfig (or SAVEIT_TEST_KUBECONFIG) a namespace of a real cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
for folder in (HERE, ROOT / "lab", ROOT / "collections"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

from standin.played import StandIn  # noqa: E402
from standin.real import RealCluster  # noqa: E402
from standin.tls import Authority, new_authority  # noqa: E402

if TYPE_CHECKING:
    from standin.cluster import Cluster


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kubeconfig", default=os.environ.get("SAVEIT_TEST_KUBECONFIG", ""), help="a real cluster for tests/kubernetes")
    parser.addoption("--kube-context", default="", help="its context, else the current one")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def standin(authority: Authority, tmp_path: Path) -> Iterator[StandIn]:
    """Always the stand-in: for tests of the stand-in itself, and of what a real cluster does not do on request."""
    cluster = StandIn(authority, tmp_path)
    try:
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    kubeconfig = request.config.getoption("--kubeconfig")
    if not kubeconfig:
        yield request.getfixturevalue("standin")
        return
    real = RealCluster(Path(kubeconfig).expanduser(), tmp_path, request.config.getoption("--kube-context"))
    try:
        yield real
    finally:
        real.close()
