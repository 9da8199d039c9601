"""Two people and a remedy that needs both, with the real ladder: by the command, then by plain Ansible."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.contract.test_redis_playbook import SETTINGS

pytestmark = pytest.mark.once

COMMAND = str(Path(sys.executable).with_name("saveit-remediate"))
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(engine: Any, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command as `user`, at a site in production whose approver is bob, where every remedy needs him."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    (tmp_path / "bob").write_bytes(private)
    (tmp_path / "bob").chmod(0o600)
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    second = dict.fromkeys(("low", "medium", "high"), "second-person")
    policy = {"schema": 1, "needs": second, "environments": {"production": {}}, "approvers": {"bob": public}}
    (tmp_path / "policy.yml").write_text(yaml.safe_dump(policy))
    (tmp_path / "saveit-remediate.toml").write_text('inventory = "hosts.yml"\njournal = "journal.db"\n')
    engine("exited")
    host = {
        **SETTINGS, "docker_command": [str(tmp_path / "docker")],
        "interlock_folder": str(tmp_path / "interlock"),
        "ladder_environment": "production", "ladder_policy_file": str(tmp_path / "policy.yml"),
    }  # fmt: skip
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"staging": host}}}))

    def run(user: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SAVEIT_")}
        return subprocess.run(
            [COMMAND, *arguments],
            cwd=tmp_path, env={**clean, "LOGNAME": user, "SAVEIT_KEY": str(tmp_path / "bob")},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return run


def test_a_second_person_is_needed_and_enough_and_only_once(
    run: Callable[..., subprocess.CompletedProcess[str]], ansible: Any, custom_stats: Any, tmp_path: Path
) -> None:
    def writes() -> list[str]:
        verbs = [line.split()[0] for line in (tmp_path / "calls").read_text().splitlines()]
        return [verb for verb in verbs if verb in ("start", "restart", "unpause")]

    asked = run("alice", "--incident", "redis", "--yes", "--json")
    report = json.loads(asked.stdout)
    id_ = report["incident_id"]
    assert (asked.returncode, report["outcome"], writes()) == (3, "unresolved", []), asked.stderr
    assert f"A second person approves it: saveit-remediate approve {id_}" in report["sentence"]
    start = next(each for each in report["actions"] if each["remedy"] == "start")
    assert start["lacks"] == "low risk at sev3 in production: a second person has to sign an approval"

    approved = run("bob", "approve", id_, "--remedy", "start", "--json")
    assert approved.returncode == 0, approved.stderr
    variables = json.loads(approved.stdout)

    by_bob = run("bob", "resume", id_, "--yes", "--json")
    assert (by_bob.returncode, writes()) == (3, []), by_bob.stdout
    assert "the approval of bob, who runs it as bob@" in json.loads(by_bob.stdout)["sentence"]

    done = run("alice", "resume", id_, "--yes", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["incident_id"], writes()) == (0, id_, ["start"]), report["sentence"]
    shown = json.loads(run("alice", "show", id_, "--json").stdout)
    (started,) = [event for event in shown["events"] if event["kind"] == "remedy-started"]
    assert started["payload"]["approved_by"] == "bob"

    (tmp_path / "state").write_text("exited")
    again = ansible(
        "ansible-playbook", "saveit.remediation.redis",
        "-i", str(tmp_path / "hosts.yml"), "-e", json.dumps({**variables, "ladder_holder": "alice"}),
    )  # fmt: skip
    assert (again.returncode, writes()) == (2, ["start"])
    (obstacle,) = [
        each for each in custom_stats(again.stdout + again.stderr)["remediation"]["findings"]
        if each["kind"] == "obstacle"
    ]  # fmt: skip
    assert (obstacle["id"], obstacle["outcome"]) == ("approval-used", "refused")
    assert f"(incident {id_}), and is good for once" in obstacle["sentence"]
