"""The fixture on the stand-in, with what only it can do: a test asks first, as in cluster.need("faults")."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from standin.cluster import Cluster
from standin.controllers import Controllers
from standin.faults import AGENT, Fault
from standin.front import NO_ENDPOINT, healthy_answer
from standin.kinds import Json, kind_of
from standin.requests import Request
from standin.server import Server
from standin.states import ready
from standin.store import copied
from standin.tls import Authority
from standin.world import Executed, Usage, new_world

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "kubernetes-1.36"
FACTOR = 20.0  # seconds of the cluster in one of the test


class StandIn(Cluster):
    is_real = False

    def __init__(
        self, authority: Authority, folder: Path, factor: float = FACTOR, namespace: str = "saveit"
    ) -> None:
        self.world = new_world(factor)
        self.server = Server(self.world, authority)
        self.controllers = Controllers(self.world)
        self._found_cluster(namespace)
        self.server.start()
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(self._kubeconfig(authority)))
        kubeconfig.chmod(0o600)
        super().__init__(kubeconfig, namespace, folder)
        self.world.answers.append(_touch_and_remove(self))
        self.controllers.start()

    def _found_cluster(self, namespace: str) -> None:
        """The one node of the recordings, and the namespace."""
        node = json.loads((RECORDINGS / "states" / "node-ready.json").read_text())["objects"]["node"]
        node["metadata"].pop("resourceVersion")
        self.world.store.put("nodes", node)
        for name in ("default", namespace):
            self.world.store.put("namespaces", {
                "kind": "Namespace", "apiVersion": "v1",
                "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
                "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
            })  # fmt: skip

    def _kubeconfig(self, authority: Authority) -> Json:
        user = {
            "client-certificate": str(authority.folder / "admin.crt"),
            "client-key": str(authority.folder / "admin.key"),
        }
        cluster = {"server": self.server.url, "certificate-authority": str(authority.ca_file)}
        return {
            "apiVersion": "v1", "kind": "Config", "current-context": "standin",
            "clusters": [{"name": "standin", "cluster": cluster}], "users": [{"name": "admin", "user": user}],
            "contexts": [{"name": "standin", "context": {"cluster": "standin", "user": "admin"}}],
        }  # fmt: skip

    def lacks(self, feature: str) -> str:
        groups = {"metrics": "metrics.k8s.io", "cert-manager": "cert-manager.io"}
        if groups.get(feature) in self.world.missing_groups:
            return f"the stand-in was told to have no {feature}"
        return ""

    def without(self, feature: str) -> None:
        """As on a cluster that has no metrics or no cert-manager."""
        groups = {"metrics": ["metrics.k8s.io"], "cert-manager": ["cert-manager.io", "acme.cert-manager.io"]}
        self.world.missing_groups.update(groups[feature])
        self.controllers.wake()

    @property
    def requests(self) -> list[Request]:
        """Those of the product: not the test's own."""
        return [each for each in self.world.requests if each.headers.get("user-agent") != AGENT]

    @property
    def writes(self) -> list[str]:
        return [f"{each.method} {each.path}" for each in self.requests if each.is_write]

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        before = len(self.writes)
        with super().unchanged():
            yield
        assert [each for each in self.writes[before:] if "/leases" not in each] == []

    def fault(self, kind: str, times: int = 1, path: str = "", method: str = "", **more: Any) -> None:
        """From now on `times` requests go wrong, see faults.py; the test's own are spared."""
        self.server.faults.add(Fault(kind, times, path, method, **more))

    def restart(self) -> None:
        """The API server goes down and comes back at the same address; what it stored stays."""
        self.server.stop()
        self.server.start()

    def stop(self) -> None:
        """The API server is down."""
        self.server.stop()

    def expire(self, kubeconfig: Path) -> None:
        """The token of a kubeconfig of `user` is no longer taken."""
        users = yaml.safe_load(kubeconfig.read_text())["users"]
        self.world.access.expired.update(each["user"]["token"] for each in users)

    def use(self, service: str, cpu: float | None = None, memory: int | None = None) -> None:
        """What each container with the label app.kubernetes.io/name uses, in cores and bytes."""
        old = self.world.usage.get(service, Usage())
        self.world.usage[service] = Usage(
            old.cpu if cpu is None else cpu, old.memory if memory is None else memory
        )

    def answer(
        self,
        command: Sequence[str] | str,
        stdout: str = "",
        rc: int = 0,
        stderr: str = "",
        *,
        stays: bool = False,
    ) -> None:
        """What a command does that begins so; of a string: that has it anywhere."""
        done = Executed(rc, stdout, stderr, stays)
        if isinstance(command, str):
            self.world.answers.append(
                lambda _pod, said, _stdin: done if any(command in word for word in said) else None
            )
        else:
            wanted = list(command)
            self.world.answers.append(
                lambda _pod, said, _stdin: done if list(said[: len(wanted)]) == wanted else None
            )

    def executes(self, play: Callable[[Json, Sequence[str], str], Executed | None]) -> None:
        """A function of pod, command and input that gives what the command does, or None."""
        self.world.answers.append(play)

    def load(self, *objects: Json) -> None:
        """Puts objects in as they are, with their status; pods stay so until they are deleted."""
        with self.world.store.changed:
            for each in objects:
                kind = kind_of(each)
                item = copied(each)
                item["metadata"] |= {"namespace": self.namespace} if kind.namespaced else {}
                item["metadata"].pop("resourceVersion", None)
                if kind.resource == "pods":
                    item["metadata"].setdefault("uid", f"{item['metadata']['name']}-uid")
                    self.controllers.kubelet.adopt(item)
                self.world.store.put(kind.resource, item)

    def issuance(self, how: str) -> None:
        self.world.issuance = how
        self.controllers.wake()

    def lose_node(self, name: str = "node-1") -> None:
        """Its kubelet says nothing any more."""
        self.world.lost_nodes.add(name)
        self.controllers.wake()

    def find_node(self, name: str = "node-1") -> None:
        self.world.lost_nodes.discard(name)
        self.controllers.wake()

    def _answer(self, service: str, path: str) -> tuple[int, str, str]:
        name = str(self.variables["service_names"].get(service, service)).rpartition("/")[2]
        found = self.world.store.get("deployments.apps", self.namespace, name)
        labels = found["spec"]["selector"]["matchLabels"] if found else {}
        pods = [
            pod for pod in self.world.store.peek("pods", self.namespace)
            if found and labels.items() <= (pod["metadata"].get("labels") or {}).items()
            and not pod["metadata"].get("deletionTimestamp")
        ]  # fmt: skip
        return healthy_answer(service, path) if any(ready(pod) for pod in pods) else NO_ENDPOINT

    def close(self) -> None:
        super().close()
        self.controllers.stop()
        self.server.stop()
        failures = [*self.server.failures, *self.controllers.failures]
        assert not failures, "the stand-in itself failed:\n" + "\n".join(failures)


def _touch_and_remove(cluster: StandIn) -> Callable[[Json, Sequence[str], str], Executed | None]:
    """touch and rm of files that change what the probes of a pod say."""

    def play(pod: Json, command: Sequence[str], _stdin: str) -> Executed | None:
        files = cluster.world.files.setdefault(pod["metadata"]["uid"], set())
        paths = [each for each in command[1:] if not each.startswith("-")]
        if command[0] == "touch":
            files.update(paths)
            return Executed()
        if command[0] == "rm":
            files.difference_update(paths)
            return Executed()
        return None

    return play
