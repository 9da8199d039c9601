"""A namespace with many pods: how often the API is asked, and how much memory that takes."""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from standin import command

if TYPE_CHECKING:
    from standin.kinds import Json
    from standin.played import StandIn

MOST = 200 * 1024  # kilobytes


def crowd(standin: StandIn, number: int) -> list[Json]:
    """So many pods of somebody else, like those of the backend."""
    standin.behave("backend", "healthy")
    pod = standin.pods("saveit-backend")[0]
    pods = []
    for each in range(number):
        other = copy.deepcopy(pod)
        other |= {"apiVersion": "v1", "kind": "Pod"}
        other["metadata"] |= {
            "name": f"other-{each:04}",
            "uid": f"other-{each:04}",
            "labels": {"app": "other"},
        }
        other["metadata"].pop("ownerReferences")
        pods.append(other)
    return pods


@pytest.fixture
def largest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the kilobytes of the largest process of the command, its runs of Ansible included.

    A process of its own between us and the command: what the kernel counts begins with the one that forks.
    """
    measured, wrapper = tmp_path / "largest", tmp_path / "measure"
    wrapper.write_text(
        f"""#!{sys.executable}
import pathlib, resource, subprocess, sys
done = subprocess.run([{command.COMMAND!r}, *sys.argv[1:]], check=False)
pathlib.Path({str(measured)!r}).write_text(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(done.returncode)
""",
        "utf-8",
    )
    wrapper.chmod(0o755)
    monkeypatch.setattr(command, "COMMAND", str(wrapper))
    return measured


def test_the_diagnosis_of_all_types_lists_each_kind_once(standin: StandIn, largest: Path) -> None:
    standin.load(*crowd(standin, 200))
    before = len(standin.requests)
    done = standin.command("diagnose")
    assert done.code == 0, done.stderr
    asked = [(each.method, each.path) for each in standin.requests[before:]]
    assert {method for method, _path in asked} == {"GET"}
    lists = [path for _method, path in asked if not path.endswith(("/exec", "/log"))]  # a log has windows
    assert len(lists) == len(set(lists)), lists
    assert len(asked) <= 12, asked
    assert int(largest.read_text("utf-8")) < MOST


@pytest.mark.skipif(os.environ.get("FAULTS") != "all", reason="takes a minute: make faults runs it")
def test_five_thousand_pods_are_read_page_by_page_and_fit_into_memory(
    standin: StandIn, largest: Path
) -> None:
    standin.load(*crowd(standin, 5000))
    before = len(standin.requests)
    done = standin.command("status")
    assert done.code == 0, done.stderr
    path = f"/api/v1/namespaces/{standin.namespace}/pods"
    pages = [each.query for each in standin.requests[before:] if each.path == path]
    assert [page["limit"] for page in pages] == ["500"] * 11
    assert ["continue" in page for page in pages] == [False] + [True] * 10
    assert int(largest.read_text("utf-8")) < MOST
