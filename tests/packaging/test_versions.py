"""One version, written in three places."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
GALAXY = REPOSITORY / "collections" / "ansible_collections" / "saveit" / "remediation" / "galaxy.yml"


def test_the_versions_are_equal() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    galaxy = yaml.safe_load(GALAXY.read_text())["version"]
    changelog = re.findall(r"^## \[(\d[^]]*)\]", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert [galaxy, changelog[0]] == [project, project]
