"""The fixture `cluster`: one namespace of a cluster, played or real, and what a test does with it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from standin import accounts, command, states
from standin.client import JSON_PATCH, MERGE, Client
from standin.command import Done
from standin.front import Front
from standin.kinds import Json

Found = TypeVar("Found")
WORKLOADS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
WATCHED = (
    "deployments",
    "statefulsets",
    "daemonsets",
    "replicasets",
    "horizontalpodautoscalers",
    "poddisruptionbudgets",
    "secrets",
    "configmaps",
    "leases",
)


class Cluster:
    """What both have.

    Tests that need more ask `need` first, which skips them with the reason where it is lacking.
    """

    is_real: bool
    patience = 30.0  # seconds for a state to come about
    pause = 0.02  # between two looks

    def __init__(self, kubeconfig: Path, namespace: str, folder: Path, context: str = "") -> None:
        self.kubeconfig = kubeconfig
        self.namespace = namespace
        self.context = context
        self.folder = folder
        self.client = Client(kubeconfig, namespace, context)
        self.variables: dict[str, Any] = {
            "kubernetes_kubeconfig": str(kubeconfig),
            "kubernetes_context": context,
            "kubernetes_namespace": namespace,
            "service_names": dict(command.SERVICE_NAMES),
        }
        self.fronts: list[Front] = []
        self.get, self.find, self.list = self.client.get, self.client.find, self.client.list
        self.apply, self.patch, self.delete = self.client.apply, self.client.patch, self.client.delete

    def lacks(self, feature: str) -> str:
        """Why the cluster does not have a feature, as metrics or cert-manager; empty when it has."""
        raise NotImplementedError

    def issuance(self, how: str) -> None:
        """What the issuer of certificates does from now on: works, fails or hangs; needs "issuance"."""
        raise NotImplementedError

    def need(self, *features: str) -> None:
        for feature in features:
            reason = self.lacks(feature)
            if reason:
                pytest.skip(reason)

    def manifests(self, service: str, behaviour: str = "healthy", image: str = "") -> list[Json]:
        """Those of lab/kubernetes."""
        lab = str(command.REPOSITORY / "lab")
        if lab not in sys.path:
            sys.path.append(lab)
        from saveit_lab import kubernetes

        return kubernetes.manifests(service, behaviour, image)

    def behave(self, service: str, behaviour: str = "healthy", image: str = "") -> None:
        """Applies the manifests of a service with a behaviour, and waits until its newest pods are so.

        A service that was there is rolled out anew, with its old pods serving meanwhile as the strategy says.
        """
        objects = self.manifests(service, behaviour, image)
        self.apply(*objects)
        workload = next(each for each in objects if each["kind"] in WORKLOADS)
        self.wait(lambda: self._is_there(workload, behaviour), f"{service} is {behaviour}")

    def _is_there(self, workload: Json, behaviour: str) -> bool:
        present = self.get(WORKLOADS[workload["kind"]], workload["metadata"]["name"])
        if present.get("status", {}).get("observedGeneration", 0) < present["metadata"]["generation"]:
            return False
        if not states.is_there(self.pods(workload["metadata"]["name"]), behaviour, behaviour):
            return False
        return behaviour not in (
            "healthy",
            "leak",
            "busy",
            "slow-start",
            "exit-1-once",
            "loading",
        ) or self.is_complete(present)

    def pods(self, workload: str) -> list[Json]:
        """Those that the selector of a Deployment (or of the StatefulSet of the name) matches."""
        found = (
            self.find("deployments", workload)
            or self.find("statefulsets", workload)
            or self.get("daemonsets", workload)
        )
        labels = found["spec"]["selector"]["matchLabels"]
        return self.list("pods", ",".join(f"{key}={value}" for key, value in labels.items()))

    @staticmethod
    def is_complete(workload: Json) -> bool:
        """A rollout that is done, and whose pods are all ready."""
        status, wanted = workload.get("status", {}), workload["spec"].get("replicas", 1)
        if status.get("observedGeneration", 0) < workload["metadata"]["generation"]:
            return False
        if workload["kind"] == "DaemonSet":
            return bool(
                status.get("numberReady")
                == status.get("updatedNumberScheduled")
                == status.get("desiredNumberScheduled")
            )
        counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas")]
        return counts == [wanted] * 3 and not status.get("terminatingReplicas")

    def wait(self, look: Callable[[], Found | None], what: str, seconds: float = 0) -> Found:
        """Until `look` finds something; the test fails when it does not."""
        end = time.monotonic() + (seconds or self.patience)
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > end:
                pytest.fail(
                    f"after {seconds or self.patience:g} s it is not so that {what}\n{self.picture()}"
                )
            time.sleep(self.pause)

    def picture(self) -> str:
        """What there is, in a few lines, for a test that failed."""
        lines = []
        for pod in self.list("pods"):
            statuses = pod["status"].get("containerStatuses", [])
            states_ = [f"{each['state']} x{each['restartCount']}" for each in statuses]
            lines.append(f"pod {pod['metadata']['name']} {pod['status']['phase']} {states_}")
        for event in self.list("events")[-12:]:
            about = event["involvedObject"]
            lines.append(
                f"event {about['kind']}/{about['name']} {event['reason']}: {event.get('message', '')[:160]}"
            )
        return "\n".join(lines)

    def user(self, name: str, *rules: Mapping[str, Sequence[str]]) -> Path:
        return accounts.user(self, name, *rules)

    def write_kubeconfig(self, name: str, credentials: Mapping[str, str]) -> Path:
        return accounts.write_kubeconfig(self, name, credentials)

    def serve(self, service: str) -> str:
        """The URL at which a service answers as long as a pod of it is ready; the inventory gets it."""
        front = Front(lambda path: self._answer(service, path))
        self.fronts.append(front)
        self.variables[f"{service}_url"] = front.url
        return front.url

    def _answer(self, service: str, path: str) -> tuple[int, str, str]:
        raise NotImplementedError

    def command(self, *arguments: str, env: Mapping[str, str] | None = None, timeout: float = 280) -> Done:
        """`saveit-remediate …` with the inventory of this cluster."""
        inventory = self.folder / "inventory.yml"
        command.write_inventory(inventory, self.variables)
        return command.run(inventory, self.folder / "state", arguments, env or {}, timeout)

    def snapshot(self) -> dict[str, Json]:
        """What a person may have changed: specs, data, annotations. No controller's counts, nor our lease."""
        found: dict[str, Json] = {}
        kinds = [each for each in WATCHED if each != "leases"]
        kinds += [] if self.lacks("cert-manager") else ["certificates"]
        for kind in kinds:
            for each in self.list(kind):
                if each["metadata"].get("ownerReferences"):
                    continue  # a controller's own
                rest = {key: value for key, value in each.items() if key not in ("status", "metadata")}
                found[f"{kind}/{each['metadata']['name']}"] = rest
        return found

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Nothing may be written meanwhile, on the stand-in not even in vain."""
        before = self.snapshot()
        yield
        after = self.snapshot()
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        assert not changed, f"changed: {', '.join(changed)}"

    def close(self) -> None:
        for front in self.fronts:
            front.close()


__all__ = ["JSON_PATCH", "MERGE", "Cluster", "Done"]
