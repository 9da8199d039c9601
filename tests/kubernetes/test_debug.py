"""The debug pod: what it sees, and that it goes, whatever happens."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from standin.command import COMMAND, REPOSITORY

if TYPE_CHECKING:
    from standin.cluster import Cluster

SELECTOR = "saveit.remediation/pod=debug"
UNREACHABLE = "192.0.2.1:81"  # TEST-NET-1: nobody answers, and nobody refuses
pytestmark = pytest.mark.usefixtures("shell")


def debug_pods(cluster: Cluster) -> list[Any]:
    return [each for each in cluster.list("pods", SELECTOR) if not each["metadata"].get("deletionTimestamp")]


def rows(done: Any) -> dict[str, dict[str, Any]]:
    (table,) = done.report["tables"]
    return {f"{each['check']} {each['target']}": each for each in table["rows"]}


def test_names_ports_and_health_are_checked_and_the_pod_is_gone(cluster: Cluster) -> None:
    cluster.behave("backend")
    done = cluster.command("debug", "--json", "-e", json.dumps({"look_debug_addresses": ["127.0.0.1:1"]}))
    assert done.code == 0, done.stdout + done.stderr
    found = rows(done)
    assert list(found) == [
        "dns saveit-backend",
        "tcp saveit-backend:8000",
        "http http://saveit-backend:8000/api/v1/health/ready",
        "tcp 127.0.0.1:1",
    ]
    assert found["tcp 127.0.0.1:1"]["answer"] == "failed"
    if cluster.is_real:  # see the fixture `shell`
        assert [each["answer"] for each in found.values()] == ["ok", "ok", "ok", "failed"]
    assert debug_pods(cluster) == []


def test_the_pod_can_start_where_only_restricted_pods_may_and_ends_by_itself(cluster: Cluster) -> None:
    cluster.behave("backend")
    if not cluster.is_real:
        seen: list[Any] = []
        cluster.executes(lambda pod, *_what: seen.append(pod))  # type: ignore[attr-defined]
        cluster.command("debug")
        (pod, *_again) = seen
        assert pod["spec"]["activeDeadlineSeconds"] == 300
        assert "ownerReferences" not in pod["metadata"]
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        return
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.patch("namespaces", cluster.namespace, {"metadata": {"labels": labels}})
    assert cluster.command("debug").code == 0


def test_an_image_that_cannot_be_pulled_is_said_and_no_pod_stays(cluster: Cluster) -> None:
    cluster.behave("backend")
    done = cluster.command("debug", "--image", "registry.invalid/absent:1")
    assert done.code == 5, done.stdout
    assert "with the image registry.invalid/absent:1 (debug_image)" in done.stdout
    assert "ErrImagePull" in done.stdout
    assert debug_pods(cluster) == []


def begin(cluster: Cluster) -> subprocess.Popen[str]:
    """`debug` with a check that takes its time, until its pod runs."""
    cluster.command("--version")  # writes the inventory
    variables = {"look_debug_addresses": [UNREACHABLE], "look_debug_timeout_seconds": 20}
    foreign = ("SAVEIT_", "ANSIBLE_", "KUBE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    inventory = str(cluster.folder / "inventory.yml")
    started = subprocess.Popen(
        [COMMAND, "debug", "-i", inventory, "-e", json.dumps(variables)],
        cwd=REPOSITORY,
        env=clean,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    cluster.wait(
        lambda: [each for each in debug_pods(cluster) if each["status"]["phase"] == "Running"], "the pod runs"
    )
    return started


def test_ctrl_c_removes_the_pod(cluster: Cluster) -> None:
    cluster.behave("backend")
    with begin(cluster) as started:
        started.send_signal(signal.SIGINT)
        assert started.wait(30) == 130
    cluster.wait(lambda: not debug_pods(cluster), "the pod is gone")


@pytest.mark.long
def test_what_a_killed_run_leaves_behind_the_next_one_removes(cluster: Cluster) -> None:
    cluster.behave("backend")
    with begin(cluster) as started:
        for pid in (started.pid, *descendants(started.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    (left,) = debug_pods(cluster)
    assert cluster.command("debug").code == 0
    assert left["metadata"]["name"] not in {each["metadata"]["name"] for each in debug_pods(cluster)}


def descendants(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if path.read_text().rpartition(")")[2].split()[1] == str(pid):
                child = int(path.parent.name)
                found += [child, *descendants(child)]
    return found
