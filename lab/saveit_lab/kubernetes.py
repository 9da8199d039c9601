"""The manifests of lab/kubernetes, as they are or with trouble in them that a real cluster brings about.

`python lab/saveit_lab/kubernetes.py backend crash-loop` prints them for `kubectl apply -f -`; all services
without a name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "kubernetes"
SERVICES = ("backend", "frontend", "redis", "mosquitto", "postgres")
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")

Container = dict[str, Any]


def manifests(service: str, behaviour: str = "healthy", image: str = "") -> list[dict[str, Any]]:
    """The objects of one service, without a namespace; its container is in `behaviour` for real.

    `image` is the container's, else the environment's, as BACKEND_IMAGE for the backend, else the manifest's.
    Raises KeyError for a behaviour and FileNotFoundError for a service that there is not.
    """
    change = BEHAVIOURS[behaviour]
    objects = [*_read("behaviour"), *_read(service)]
    for each in objects:
        if each["kind"] in WORKLOADS:
            (container,) = each["spec"]["template"]["spec"]["containers"]
            container["image"] = image or os.environ.get(f"{service.upper()}_IMAGE") or container["image"]
            container.setdefault("env", []).append({"name": "SAVEIT_BEHAVIOUR", "value": behaviour})
            change(container)
    return objects


def _read(name: str) -> list[dict[str, Any]]:
    import yaml

    return list(yaml.safe_load_all((FOLDER / f"{name}.yml").read_text(encoding="utf-8")))


def _script(container: Container) -> None:
    """The container's own script does it, see lab/kubernetes/behaviour.yml."""


def _out_of_memory(container: Container) -> None:
    container["resources"] = {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}}


def _leak(container: Container) -> None:
    """To 200 of 256 MiB, and no further: a leak that is seen before the kernel acts."""
    container["resources"]["limits"]["memory"] = "256Mi"
    container["resources"]["requests"]["memory"] = "64Mi"


def _busy(container: Container) -> None:
    container["resources"]["limits"]["cpu"] = "200m"
    container["resources"]["requests"]["cpu"] = "100m"


def _image_missing(container: Container) -> None:
    """A name below .invalid exists nowhere (RFC 6761)."""
    container["image"] = "registry.invalid/saveit/absent:1.0"


def _config_missing(container: Container) -> None:
    container["envFrom"] = [{"secretRef": {"name": "saveit-absent"}}]


def _unschedulable(container: Container) -> None:
    container["resources"] = {"requests": {"cpu": "1000", "memory": "64Mi"}}


def _not_ready(container: Container) -> None:
    """The backend answers 503 itself; another service is asked by a command that fails."""
    if "/health/ready" not in str(container["readinessProbe"]):
        container["readinessProbe"] = _fails(
            container["readinessProbe"], "not ready: a start-up task has not ended"
        )


def _liveness(container: Container) -> None:
    if "/health/live" not in str(container["livenessProbe"]):
        container["livenessProbe"] = _fails(
            container["livenessProbe"], "not alive: a lock was never released"
        )


def _fails(probe: dict[str, Any], sentence: str) -> dict[str, Any]:
    times = {name: value for name, value in probe.items() if name.endswith(("Seconds", "Threshold"))}
    return {"exec": {"command": ["sh", "-c", f"echo '{sentence}'; exit 1"]}, **times}


def _slow_start(container: Container) -> None:
    """Liveness begins after it, as in a deployment that knows how long its start takes."""
    container["livenessProbe"]["initialDelaySeconds"] = 60


BEHAVIOURS: dict[str, Callable[[Container], None]] = {
    "healthy": _script,
    "crash-loop": _script,
    "exit-1-once": _script,
    "oom": _out_of_memory,
    "image-missing": _image_missing,
    "config-missing": _config_missing,
    "unschedulable": _unschedulable,
    "not-ready": _not_ready,
    "liveness": _liveness,
    "slow-start": _slow_start,
    "leak": _leak,
    "busy": _busy,
    "loading": _script,
}


def main(arguments: list[str]) -> int:
    """Print manifests as YAML; 2 for a name that there is not."""
    import yaml

    services = arguments[:1] or list(SERVICES)
    behaviour = arguments[1] if len(arguments) > 1 else "healthy"
    if services[0] not in SERVICES or behaviour not in BEHAVIOURS:
        print(f"give one of {', '.join(SERVICES)}, and one of {', '.join(BEHAVIOURS)}", file=sys.stderr)
        return 2
    objects = [each for service in services for each in manifests(service, behaviour)]
    print(yaml.safe_dump_all(objects, sort_keys=False, allow_unicode=True), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
