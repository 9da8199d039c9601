"""The wheel: what is in it, and that it works in an environment that has nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.packaging.conftest import Run

REPOSITORY = Path(__file__).resolve().parents[2]
COLLECTION = REPOSITORY / "collections" / "ansible_collections" / "saveit" / "remediation"
INVENTORY = REPOSITORY / "inventories" / "lab"
DOCUMENTED_CODES = {0, 3, 4, 5}  # what a right command line may end with, whatever the lab is doing


@pytest.fixture(scope="module")
def names(dist: Path) -> list[str]:
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        return wheel.namelist()


def test_nothing_else_is_at_the_top_of_the_wheel(names: list[str]) -> None:
    top = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert top == {"saveit_remediate", "ansible_collections"}
    assert {name.split("/")[1] for name in names if name.startswith("ansible_collections/")} == {"saveit"}


def test_the_wheel_has_every_tracked_file_of_the_collection_that_runs(names: list[str]) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--", "galaxy.yml", "meta", "playbooks", "plugins", "roles"],
        cwd=COLLECTION,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    there = {name.removeprefix("ansible_collections/saveit/remediation/") for name in names}
    assert [path for path in tracked if path not in there and (COLLECTION / path).exists()] == []


def test_the_wheel_has_the_templates_of_the_pages(names: list[str]) -> None:
    folder = REPOSITORY / "controller" / "saveit_remediate" / "report" / "templates"
    assert {f"saveit_remediate/report/templates/{path.name}" for path in folder.iterdir()} <= set(names)


@pytest.mark.parametrize("unwanted", [r"/tests/", r"__pycache__", r"\.pyc$", r"/output/", r"\.tar\.gz$"])
def test_the_wheel_holds_no_leftovers(names: list[str], unwanted: str) -> None:
    assert [name for name in names if re.search(unwanted, name)] == []


def test_the_license_travels_with_the_wheel(names: list[str]) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_sdist_has_what_the_tests_need_and_no_state_of_the_lab(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"README.md", "LICENSE", "Makefile", "lab/lab", "playbooks/redis.yml"} <= names
    assert [name for name in names if name.startswith((".lab", ".venv", ".git/", "dist"))] == []


def test_the_command_says_its_version(run: Run, installed: Path, tmp_path: Path) -> None:
    done = run(installed / "saveit-remediate", "--version", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"saveit-remediate \d+\.\d+\.\d+\n", done.stdout)


def test_the_runbooks_are_found_from_any_folder(run: Run, installed: Path, tmp_path: Path) -> None:
    done = run(installed / "saveit-remediate", "runbooks", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "redis" in {runbook["id"] for runbook in json.loads(done.stdout)}


def test_an_incident_is_looked_at_from_any_folder(run: Run, installed: Path, tmp_path: Path) -> None:
    """Without the lab there is no Docker or no such project: an outcome and a sentence, not a crash."""
    done = run(
        installed / "saveit-remediate", "--incident", "redis", "-i", INVENTORY, "--check", "--json",
        cwd=tmp_path, env={"XDG_STATE_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode in DOCUMENTED_CODES, done.stderr
    report = json.loads(done.stdout)
    assert report["incident"] == "redis"
    assert report["playbook"] == "saveit.remediation.redis"
    assert report["sentence"]
    assert "Traceback" not in done.stderr


def test_the_same_without_an_inventory_is_a_usage_error(run: Run, installed: Path, tmp_path: Path) -> None:
    done = run(installed / "saveit-remediate", "--incident", "redis", "--check", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("saveit-remediate: no inventory")
