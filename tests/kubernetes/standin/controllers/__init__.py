"""The controllers of the cluster, played by one thread that ends with the fixture."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from standin.controllers import (
    autoscaler, budget, certmanager, daemonset, deployment, garbage, namespaces, nodes, quota, scheduler, statefulset,
)  # fmt: skip
from standin.controllers.kubelet import Kubelet
from standin.controllers.replicaset import ReplicaSets
from standin.world import World

LONGEST_PAUSE = 0.25  # seconds, so that it notices the end and changes that are not in the store

Step = Callable[[World], float]


@dataclass
class Controllers:
    """Each step does what is due and tells after how many seconds of the cluster something is due again."""

    world: World
    kubelet: Kubelet = field(default_factory=Kubelet)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.steps: tuple[Step, ...] = (
            namespaces.step, deployment.step, ReplicaSets().step, statefulset.StatefulSets().step, daemonset.step,
            scheduler.step, self.kubelet.step, nodes.Nodes().step, budget.step, quota.step, autoscaler.Autoscalers().step,
            certmanager.CertManager().step, garbage.step,
        )  # fmt: skip
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.world.stopped = True
        with self.world.store.changed:
            self.world.store.changed.notify_all()
        self.thread.join(timeout=5)

    def _run(self) -> None:
        store, clock = self.world.store, self.world.clock
        while not self.world.stopped:
            revision = store.revision
            try:
                due = min(self._locked(step) for step in self.steps)
            except Exception:
                self.failures.append(traceback.format_exc())
                time.sleep(LONGEST_PAUSE)
                continue
            with store.changed:
                if store.revision == revision and due > 0:
                    store.changed.wait(min(LONGEST_PAUSE, clock.real(due)))

    def _locked(self, step: Step) -> float:
        """One controller at a time; requests are answered between two."""
        with self.world.store.changed:
            return step(self.world)
