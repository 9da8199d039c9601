"""The fixture `cluster`: the stand-in, or with --kubeconfig a namespace of a real cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
for folder in (HERE, ROOT / "lab", ROOT / "collections"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

from certificate_site import expired, issued, site  # noqa: E402
from standin.played import StandIn  # noqa: E402
from standin.real import RealCluster  # noqa: E402
from standin.tls import Authority, new_authority  # noqa: E402

if TYPE_CHECKING:
    from standin.cluster import Cluster

__all__ = ["expired", "issued", "site"]  # fixtures


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kubeconfig",
        default=os.environ.get("SAVEIT_TEST_KUBECONFIG", ""),
        help="a real cluster for tests/kubernetes",
    )
    parser.addoption("--kube-context", default="", help="its context, else the current one")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def standin(authority: Authority, tmp_path: Path) -> Iterator[StandIn]:
    """Always the stand-in: for tests of itself, and of what a real cluster does not do on request."""
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


@pytest.fixture
def ansible_playbook(cluster: Cluster, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The playbook of an incident type under plain Ansible, with extra variables NAME=VALUE."""

    def run(incident: str, *variables: str) -> subprocess.CompletedProcess[str]:
        from standin import command

        inventory = tmp_path / "plain.yml"
        command.write_inventory(inventory, cluster.variables)
        options = [word for each in variables for word in ("-e", each)]
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        collections = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"), "ANSIBLE_NOCOLOR": "1"}
        return subprocess.run(
            [program, f"saveit.remediation.{incident}", "-i", str(inventory), *options],
            cwd=ROOT, env={**os.environ, **collections}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=280, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def shell(cluster: Cluster) -> None:
    """On the stand-in, what a container's shell reads from its input runs on this machine.

    Here no Service has a name: what is checked from inside is not found.
    """
    from standin.world import Executed

    def play(_pod: object, command: Sequence[str], stdin: str) -> Executed | None:
        if list(command) != ["sh", "-s"]:
            return None
        done = subprocess.run(
            list(command), input=stdin, capture_output=True, text=True, timeout=60, check=False
        )
        return Executed(done.returncode, done.stdout, done.stderr)

    if not cluster.is_real:
        cluster.executes(play)  # type: ignore[attr-defined]
    elif os.environ.get("BACKEND_IMAGE"):  # a cluster that can pull nothing else; it has a shell and python3
        cluster.variables["debug_image"] = os.environ["BACKEND_IMAGE"]
