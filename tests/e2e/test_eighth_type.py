"""An eighth incident type is a folder and a playbook: nothing else changes, in no role and no controller."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab

ROOT = Path(__file__).resolve().parents[2]
COMMAND = str(Path(sys.executable).with_name("saveit-remediate"))

RUNBOOK = {
    "schema": 1,
    "id": "edge",
    "title": "The edge is frozen",
    "severity": {"default": "sev1"},
    "findings": [{"id": "service-paused", "next": "Find out who paused it."}],
    "touches": ["edge_service"],
    "limits": [{"times": 100, "minutes": 60}],
    "remedies": [
        {
            "id": "unpause", "file": "10_unpause.yml", "title": "Unpause the edge", "for": ["service-paused"],
            "risk": "low", "reversible": True, "disrupts": "nothing",
        }
    ],
    "verify": {
        "hold_seconds": 1, "interval_seconds": 0.5, "patience_seconds": 20,
        "criteria": [{"evidence": "nginx.state", "is": "running"}],
    },
}  # fmt: skip
LADDER = {
    "ladder_role": "saveit.remediation.edge",
    "ladder_observed": "{{ [edge_seen] }}",
    "ladder_acted": "{{ edge_acted }}",
}
LOOK = [{"name": "Look", "saveit.remediation.service_info": {"service": "nginx"}, "register": "edge_seen"}]
FILES: dict[str, Any] = {
    "roles/edge/meta/runbook.yml": RUNBOOK,
    "roles/edge/meta/argument_specs.yml": {
        "argument_specs": {"main": {"options": {"edge_service": {"type": "str", "default": "nginx"}}}}
    },
    "roles/edge/defaults/main.yml": {"edge_service": "nginx"},
    "roles/edge/tasks/main.yml": [
        {
            "name": "Climb the ladder",
            "ansible.builtin.import_role": {"name": "saveit.remediation.ladder"},
            "vars": LADDER,
        },
    ],
    "roles/edge/tasks/diagnose.yml": LOOK,
    "roles/edge/tasks/verify.yml": LOOK,
    "roles/edge/tasks/remedies/10_unpause.yml": [
        {
            "name": "Unpause",
            "saveit.remediation.service_restart": {"service": "nginx", "method": "unpause"},
            "register": "edge_acted",
        }
    ],
    "playbooks/edge.yml": [
        {
            "name": "Edge",
            "ansible.builtin.import_playbook": "saveit.remediation.batches",
            "vars": {"remediation_role": "saveit.remediation.edge"},
        }
    ],
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the collection with one folder and one playbook more, and nothing else changed."""
    shutil.copytree(ROOT / "collections", tmp_path / "collections")
    shutil.copytree(ROOT / "inventories" / "lab", tmp_path / "lab")
    (tmp_path / "saveit-remediate.toml").write_text('inventory = "lab"\njournal = "journal.db"\n')
    collection = tmp_path / "collections/ansible_collections/saveit/remediation"
    for name, content in FILES.items():
        (collection / name).parent.mkdir(parents=True, exist_ok=True)
        (collection / name).write_text(yaml.safe_dump(content, sort_keys=False))
    return tmp_path


def test_an_eighth_type_is_diagnosed_and_remediated(
    lab: Lab, site: Path, environment: dict[str, str]
) -> None:
    def run(*arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [COMMAND, *arguments, "--json"],
            cwd=site, env=environment, capture_output=True, text=True, timeout=280, check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    lab.run("repair")
    subprocess.run(["docker", "pause", "saveit-nginx"], check=True, capture_output=True)
    try:
        suspects = {one["incident"]: one for one in run("diagnose")["suspects"]}
        assert suspects["edge"]["findings"][0]["id"] == "service-paused"
        assert suspects["edge"]["command"] == "saveit-remediate --incident edge"
        report = run("--incident", "edge", "--yes")
        assert (report["outcome"], report["severity"]) == ("recovered", "sev1"), report["sentence"]
    finally:
        lab.run("repair")
