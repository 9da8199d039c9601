"""The Kubernetes stand-in as a target: no Docker, and its API server tells what was done to it."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
for place in (ROOT / "tests" / "kubernetes", ROOT / "lab", ROOT / "collections"):
    if str(place) not in sys.path:
        sys.path.append(str(place))

from tests.chaos.target import Case, Target  # noqa: E402

from standin import command  # noqa: E402
from standin.faults import AGENT, Fault, Faults  # noqa: E402
from standin.played import StandIn  # noqa: E402
from standin.requests import Request  # noqa: E402
from standin.states import ready  # noqa: E402
from standin.tls import new_authority  # noqa: E402
from standin.world import Executed  # noqa: E402

HOLD = ("-e", "ladder_hold_seconds=1")
BACKEND_ONLY = ("-e", "application_frontend_service=", "-e", "application_database_service=")
QUICK = (*HOLD, "-e", "application_start_seconds=5", "-e", "application_samples=4", *BACKEND_ONLY)
LEASE = "saveit-remediate"
NOT_READY = "/tmp/saveit-not-ready"  # noqa: S108  # as the probes of lab/kubernetes know it
SCALED = {  # what is scaled to zero, and the service of the manifests that it is
    "redis-start": ("statefulsets", "redis-master", "redis"),
    "database-start": ("statefulsets", "saveit-postgres", "postgres"),
    "mqtt-start": ("deployments", "saveit-mosquitto", "mosquitto"),
    "application-start": ("deployments", "saveit-backend", "backend"),
}


class Trap(Faults):
    """Calls `spring` at the write of that number; whether the write takes effect, is `applied`."""

    number, applied, seen = 0, True, 0
    gone = False  # nothing that the tool sends arrives any more
    spring: Callable[[], None]

    def take(self, request: Request) -> Fault | None:
        is_ours = request.headers.get("user-agent") == AGENT
        if self.gone and not is_ours:
            return Fault("reset")
        if request.is_write and self.number and not is_ours:
            self.seen += 1
            if self.seen == self.number:
                self.spring()
                return Fault("half" if self.applied else "reset")
        return super().take(request)


class StandInTarget(Target):
    name = "the Kubernetes stand-in"
    plain, cycled = "redis-start", "redis-restart"
    cases = {  # noqa: RUF012
        "redis-start": Case("redis", HOLD),
        "redis-restart": Case("redis", HOLD),
        "application-start": Case("application", QUICK),
        "application-restart": Case("application", QUICK),
        "mqtt-start": Case("mqtt", (*HOLD, "-e", "mqtt_backend_service=")),
        "database-start": Case("database", HOLD),
    }

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster = StandIn(new_authority(folder), folder)
        self.trap = self.cluster.server.faults = Trap()
        self.inventory = folder / "inventory.yml"
        command.write_inventory(self.inventory, self.cluster.variables)
        self.seen = 0

    def limit(self, times: int) -> int:
        limits = {"ladder_limits": [{"times": times, "minutes": 60}]}
        command.write_inventory(self.inventory, {**self.cluster.variables, **limits})
        return times

    def break_(self, name: str) -> None:
        if name in SCALED:
            kind, workload, service = SCALED[name]
            self.cluster.behave(service)
            if service == "backend":
                self.cluster.delete("horizontalpodautoscalers", "saveit-backend-hpa")
            self.cluster.patch(kind, workload, {"spec": {"replicas": 0}})
            self.cluster.wait(lambda: not self.cluster.pods(workload), f"{workload} has no pods")
        elif name == "redis-restart":
            self.cluster.behave("redis")
            self.hang({each["metadata"]["uid"] for each in self.cluster.pods("redis-master")})
        else:
            self.cluster.behave("backend")
            self.turn_unready()

    def heal(self) -> None:
        self.cluster.behave("redis")

    def hang(self, pods: set[str]) -> None:
        """redis-cli gets no answer in these pods."""

        def play(pod: Any, said: Sequence[str], _stdin: str) -> Executed | None:
            hangs = "redis-cli" in said and pod["metadata"]["uid"] in pods
            return Executed(124) if hangs else None

        self.cluster.executes(play)

    def turn_unready(self) -> None:
        """Pods that were well are not, two seconds later: times are whole seconds, and would be the same."""
        pods = self.cluster.pods("saveit-backend")
        started = time.monotonic()
        self.cluster.wait(lambda: time.monotonic() - started > 2, "they have run for two seconds")
        for pod in pods:
            self.cluster.world.files.setdefault(pod["metadata"]["uid"], set()).add(NOT_READY)
        self.cluster.controllers.wake()
        self.cluster.wait(
            lambda: not any(ready(pod) for pod in self.cluster.pods("saveit-backend")), "they are not ready"
        )

    def touched(self) -> Counter[str]:
        done = [each for each in self.cluster.requests if each.is_write][self.seen :]
        return Counter(
            f"{each.method} {each.path.rpartition('/saveit/')[2]}"
            for each in done
            if "/leases" not in each.path and 0 < each.status < 300
        )

    def leases(self) -> list[str]:
        found = self.cluster.find("leases", LEASE)
        spec = found["spec"] if found else {}
        return [str(spec["holderIdentity"])] if spec.get("holderIdentity") else []

    def forget(self) -> None:
        if self.cluster.find("leases", LEASE):
            self.cluster.delete("leases", LEASE)
        self.seen = len(self.cluster.writes)

    def close(self) -> None:
        self.cluster.close()
