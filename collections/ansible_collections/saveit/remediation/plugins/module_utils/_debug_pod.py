# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pod from which the network is looked at: its manifest, its start, and its end whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import uuid
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, Callable, Iterator, Mapping, NoReturn

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

LABEL = "saveit.remediation/pod"
SELECTOR = f"{LABEL}=debug"
OWNER = "saveit.remediation/owner"
CONTAINER = "debug"
_POLL_SECONDS = 0.5
# What a container waits for in vain, as the kubelet calls it.
_HOPELESS = (
    "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError",
    "CreateContainerError", "RunContainerError",
)  # fmt: skip


@contextlib.contextmanager
def debug_pod(cluster: Any, carrier: Carrier, image: str, deadline: int, patience: float) -> Iterator[str]:
    """The name of a pod that runs while inside. Left-overs of runs that were killed are removed first.

    Raises FailedError when it does not run within `patience` seconds.
    """
    host = socket.gethostname()
    _sweep(cluster, carrier.now(), host)
    name = f"saveit-debug-{uuid.uuid4().hex[:8]}"
    with _signals_as_interrupt():
        try:
            start(cluster, carrier, manifest(name, image, deadline, f"{host}/{os.getpid()}"), patience)
            yield name
        finally:
            _remove(cluster, name)


def manifest(name: str, image: str, deadline: int, owner: str) -> dict[str, Any]:
    """A pod without rights, which the cluster itself ends after `deadline` seconds; nothing makes it anew.

    It keeps to the Pod Security Standard `restricted`, and says what a quota asks for.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {LABEL: "debug", "app.kubernetes.io/managed-by": "saveit-remediate"},
            "annotations": {OWNER: owner},
        },
        "spec": {
            "activeDeadlineSeconds": deadline,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": CONTAINER,
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["sleep", str(deadline)],
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "32Mi"},
                        "limits": {"cpu": "200m", "memory": "64Mi"},
                    },
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }


def is_left_over(pod: Mapping[str, Any], now: float, host: str, lives: Callable[[int], bool]) -> bool:
    """Does nobody use it any more? It has ended, its time is over, or its process on this host is gone."""
    if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return True
    made = datetime.fromisoformat(pod["metadata"]["creationTimestamp"].replace("Z", "+00:00")).timestamp()
    if now - made > pod["spec"].get("activeDeadlineSeconds", 0):
        return True
    where, _slash, pid = (pod["metadata"].get("annotations") or {}).get(OWNER, "").rpartition("/")
    return where == host and pid.isdigit() and not lives(int(pid))


def start(cluster: Any, carrier: Carrier, pod: Mapping[str, Any], patience: float) -> None:
    """Create the pod and wait until it runs, at most `patience` seconds. Raises FailedError."""
    name = pod["metadata"]["name"]
    cluster.create("pods", pod)
    ends = carrier.now() + patience
    while True:
        seen = cluster.get("pods", name)
        why, hopeless = _why_not_running(seen)
        if not why:
            return
        if hopeless or carrier.now() >= ends:
            image = pod["spec"]["containers"][0]["image"]
            waited = "" if hopeless else f" within {patience:g} s"
            raise FailedError(
                f"cannot start the debug pod {name} with the image {image} (debug_image) "
                f"in {cluster.name}{waited}: {why}"
            )
        carrier.sleep(_POLL_SECONDS)


def _why_not_running(pod: Mapping[str, Any]) -> tuple[str, bool]:
    """Why it does not run, and whether waiting is of no use; "" when it does."""
    status = pod.get("status", {})
    for container in status.get("containerStatuses") or []:
        state = container.get("state", {})
        if "running" in state:
            return "", False
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        if waiting.get("reason") in _HOPELESS:
            return f"{waiting['reason']}: {waiting.get('message', '')}".rstrip(": "), True
        if ended:
            said = ended.get("message") or f"exit code {ended.get('exitCode')}"
            return f"{ended.get('reason', 'ended')}: {said}", True
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{condition.get('reason', '')}: {condition.get('message', '')}", False
    phase = status.get("phase", "Pending")
    return f"{phase}: {status.get('message') or 'no container yet'}", phase in ("Failed", "Succeeded")


def _sweep(cluster: Any, now: float, host: str) -> None:
    """Remove what a run that was killed left behind."""
    for pod in cluster.list("pods", label_selector=SELECTOR):
        if is_left_over(pod, now, host, _lives):
            _remove(cluster, pod["metadata"]["name"])


def _lives(pid: int) -> bool:
    """Does it run? One that has ended and was not waited for yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError):  # where there is no /proc
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text("utf-8")
    return True


def _remove(cluster: Any, name: str) -> None:
    """Gone already is fine; what cannot be removed now its deadline ends, and the next run removes."""
    with contextlib.suppress(FailedError):
        cluster.delete("pods", name, {"gracePeriodSeconds": 0})


@contextlib.contextmanager
def _signals_as_interrupt() -> Iterator[None]:
    """While inside, SIGTERM ends us like Ctrl-C, so that the pod is removed: the controller sends it.

    Only the first one: Ansible sends another, which would cut the removal short.
    """

    def interrupt(number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
