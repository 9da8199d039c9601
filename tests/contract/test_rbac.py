"""`saveit-remediate rbac`, with the real collection: it asks no cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = """
all:
  hosts:
    east: {kubernetes_namespace: shop}
    west: {kubernetes_namespace: store}
  vars: {platform: kubernetes}
"""


def rbac(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = str(Path(sys.executable).with_name("saveit-remediate"))
    return subprocess.run(
        [command, "rbac", *arguments],
        cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False,
    )  # fmt: skip


def objects(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return {f"{each['kind']} {each['metadata']['name']}": each for each in yaml.safe_load_all(done.stdout)}


def rights(role: dict[str, Any]) -> set[str]:
    return {
        f"{verb} {resource}"
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_a_role_for_one_runbook_has_less_than_one_for_all_and_nothing_for_debug() -> None:
    one = objects(rbac("redis", "--namespace", "shop", "--name", "tool", "--service-account", "ci:bot"))
    every = objects(rbac("--namespace", "shop"))
    assert sorted(one) == [
        "ClusterRole tool-shop",
        "ClusterRoleBinding tool-shop",
        "Role tool",
        "RoleBinding tool",
    ]
    assert one["RoleBinding tool"]["subjects"] == [
        {"kind": "ServiceAccount", "name": "bot", "namespace": "ci"}
    ]
    few, many = rights(one["Role tool"]), rights(every["Role saveit-remediate"])
    assert few < many
    assert "patch deployments" in few
    assert "patch horizontalpodautoscalers" in many - few
    assert "create pods" not in many


def test_an_alias_is_an_incident_type_and_a_command_has_rights_too() -> None:
    cache = rbac("cache", "debug", "--namespace", "shop")
    assert "create pods" in rights(objects(cache)["Role saveit-remediate"])


def test_each_cluster_of_an_inventory_gets_its_own(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(INVENTORY)
    done = rbac("redis", "-i", str(tmp_path / "hosts.yml"), "--json")
    found = json.loads(done.stdout)["manifests"]
    assert [each["metadata"]["namespace"] for each in found if each["kind"] == "Role"] == ["shop", "store"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rediss", "--namespace", "shop"], "unknown incident 'rediss': did you mean 'redis'?"),
        (["--namespace", "My Shop"], "the namespace 'My Shop' is no name in Kubernetes"),
        (["--namespace", "shop", "--service-account", "a:b:c"], "the service account 'a:b:c' is no name"),
        (["-i", "nowhere"], "nowhere (from option --inventory): there is no such file"),
    ],
)
def test_bad_input_is_a_sentence(arguments: list[str], said: str) -> None:
    done = rbac(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
