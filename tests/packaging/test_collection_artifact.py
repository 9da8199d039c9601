"""The collection by itself: as an artifact of ansible-galaxy, and under plain ansible-playbook."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.packaging.conftest import Ansible

REPOSITORY = Path(__file__).resolve().parents[2]
COLLECTION = REPOSITORY / "collections" / "ansible_collections" / "saveit" / "remediation"


@pytest.fixture(scope="module")
def artifact(ansible: Ansible, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact")
    done = ansible("galaxy", "collection", "build", COLLECTION, "--output-path", folder, cwd=folder)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("saveit-remediation-*.tar.gz"))


@pytest.fixture(scope="module")
def collections(ansible: Ansible, artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which nothing but the artifact is installed, and no server is asked."""
    folder = tmp_path_factory.mktemp("collections")
    done = ansible("galaxy", "collection", "install", artifact, "--no-deps", "-p", folder, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_artifact_holds_no_leftovers(artifact: Path) -> None:
    with tarfile.open(artifact) as archive:
        names = archive.getnames()
    assert [name for name in names if "output" in name or name.endswith((".pyc", ".tar.gz"))] == []
    assert "plugins/modules/redis_check.py" in names


def test_ansible_doc_reads_every_module_from_the_artifact(
    ansible: Ansible, collections: Path, tmp_path: Path
) -> None:
    env = {"ANSIBLE_COLLECTIONS_PATH": str(collections)}
    listed = ansible("doc", "--list", "--json", "saveit.remediation", cwd=tmp_path, env=env)
    assert listed.returncode == 0, listed.stderr
    names = sorted(json.loads(listed.stdout))
    files = sorted(path.stem for path in (COLLECTION / "plugins" / "modules").glob("[a-z]*.py"))
    assert names == [f"saveit.remediation.{stem}" for stem in files]
    read = ansible("doc", "--json", *names, cwd=tmp_path, env=env)
    assert read.returncode == 0, read.stderr
    for name, page in json.loads(read.stdout).items():
        assert page["doc"]["filename"].startswith(str(collections)), name
        assert page["doc"]["short_description"], name
        assert page["examples"], name


def test_the_playbooks_need_no_controller(ansible: Ansible) -> None:
    """In the clone, where ansible.cfg says where the collection is."""
    playbooks = sorted(f"playbooks/{path.name}" for path in (REPOSITORY / "playbooks").glob("*.yml"))
    done = ansible("playbook", *playbooks, "-i", "inventories/lab", "--syntax-check", cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("playbook: ") == len(playbooks)
