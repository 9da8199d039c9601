"""The controllers of the cluster, played by one thread that ends with the fixture."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from standin.controllers import (
    autoscaler,
    budget,
    certmanager,
    daemonset,
    deployment,
    garbage,
    namespaces,
    nodes,
    quota,
    scheduler,
    statefulset,
)  # fmt: skip
from standin.controllers.kubelet import Kubelet
from standin.controllers.replicaset import ReplicaSets
from standin.world import World

LONGEST_PAUSE = 0.25  # seconds, so that it notices the end and changes that are not in the store

Step = Callable[[World], float]
PODS, SETS, REVISIONS = "pods", "replicasets.apps", "controllerrevisions.apps"


@dataclass
class Part:
    """A controller: what it does, and the resources at whose change it looks again. None: any."""

    step: Step
    resources: tuple[str, ...] | None
    seen: int = -1
    due: float = 0.0


@dataclass
class Controllers:
    """Each step does what is due and tells after how many seconds of the cluster something is due again."""

    world: World
    kubelet: Kubelet = field(default_factory=Kubelet)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.parts = (
            Part(namespaces.step, None),
            Part(deployment.step, (deployment.DEPLOYMENTS, SETS)),
            Part(ReplicaSets().step, (SETS, PODS)),
            Part(statefulset.StatefulSets().step, (statefulset.SETS, REVISIONS, PODS)),
            Part(daemonset.step, (daemonset.SETS, REVISIONS, PODS, "nodes")),
            Part(scheduler.step, (PODS, "nodes")),
            Part(self.kubelet.step, (PODS, "configmaps", "secrets")),
            Part(nodes.Nodes().step, ("nodes", PODS)),
            Part(budget.step, (budget.BUDGETS, PODS)),
            Part(quota.step, ("resourcequotas", PODS)),
            Part(autoscaler.Autoscalers().step, (autoscaler.AUTOSCALERS,)),
            Part(certmanager.CertManager().step, (certmanager.CERTIFICATES, "secrets")),
            Part(garbage.step, None),
        )
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.world.stopped = True
        with self.world.store.changed:
            self.world.store.changed.notify_all()
        self.thread.join(timeout=5)

    def wake(self) -> None:
        """Everything is looked at again: something outside the store has changed."""
        with self.world.store.changed:
            for part in self.parts:
                part.due = 0.0
            self.world.store.changed.notify_all()

    def _run(self) -> None:
        store, clock = self.world.store, self.world.clock
        while not self.world.stopped:
            revision = store.revision
            for part in self.parts:
                self._look(part)
            with store.changed:
                wait = clock.real(min(part.due for part in self.parts) - clock.now())
                if store.revision == revision and wait > 0:
                    store.changed.wait(min(LONGEST_PAUSE, wait))

    def _look(self, part: Part) -> None:
        """One controller at a time; requests are answered between two."""
        store, clock = self.world.store, self.world.clock
        with store.changed:
            last = (
                store.revision
                if part.resources is None
                else max(store.last.get(each, 0) for each in part.resources)
            )
            if last <= part.seen and part.due > clock.now():
                return
            part.seen = store.revision
            try:
                part.due = clock.now() + part.step(self.world)
            except Exception:  # shown by the fixture; the thread goes on, so that the test ends
                self.failures.append(traceback.format_exc())
                part.due = clock.now() + 60
