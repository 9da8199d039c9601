"""docs/kubernetes.md: every command in it does what it says, with the inventory that it speaks of."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from standin.cluster import Cluster

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = "inventories/production"
PAGE = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
COMMANDS = re.findall(r"^\$ saveit-remediate (.+)$", PAGE, re.MULTILINE)
PROMISED = {
    "status": "saveit-backend-",
    "errors": "error lines in the last 300 s",
    "diagnose": "",
    "--incident": "planned: ",
    "rbac": "kind: Role",
    "debug": "checks from a pod",
}
pytestmark = pytest.mark.usefixtures("shell")


def test_the_page_has_commands_for_everything() -> None:
    assert {command.split()[0] for command in COMMANDS} == set(PROMISED)


@pytest.fixture
def inventory(cluster: Cluster, tmp_path: Path) -> Path:
    """A copy, filled in as the page says: the namespace."""
    copied = tmp_path / "production"
    shutil.copytree(ROOT / INVENTORY, copied)
    everywhere = copied / "group_vars" / "all.yml"
    text = everywhere.read_text("utf-8")
    assert "kubernetes_namespace: saveit " in text
    everywhere.write_text(
        text.replace("kubernetes_namespace: saveit ", f"kubernetes_namespace: {cluster.namespace} ")
    )
    return copied


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_works(cluster: Cluster, inventory: Path, command: str) -> None:
    for service in ("backend", "frontend", "redis", "mosquitto", "postgres"):
        cluster.behave(service)
    if "--check" in command:  # a plan is for something
        cluster.delete("horizontalpodautoscalers", "saveit-backend-hpa")
        cluster.patch("deployments", "saveit-backend", {"spec": {"replicas": 0}})
        cluster.wait(lambda: not cluster.pods("saveit-backend"), "the backend has no pods")
    words = shlex.split(command.replace(INVENTORY, str(inventory)))
    done = cluster.command(*words, env={"KUBECONFIG": str(cluster.kubeconfig)})
    assert done.code == 0 or (words[0] == "diagnose" and done.code == 5), done.stdout + done.stderr
    assert PROMISED[words[0]] in done.stdout


def test_the_inventory_says_what_a_site_has_to_change() -> None:
    for path in sorted((ROOT / INVENTORY).glob("**/*.yml")):
        assert "# change: " in path.read_text("utf-8"), path.name
