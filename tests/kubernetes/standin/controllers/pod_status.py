"""How the kubelet writes the status of a pod."""

from __future__ import annotations

import secrets
from typing import Any

from standin.clock import stamp
from standin.controllers.events import record
from standin.controllers.pods import set_condition
from standin.kinds import Json
from standin.store import copied
from standin.world import Run, World

NODE_ADDRESS = "192.0.2.10"


def unready(pod: Json, reason: str, *, sandbox: str = "True") -> None:
    """Conditions of a pod whose containers are not (all) ready."""
    names = [each["name"] for each in pod["status"].get("containerStatuses", []) if not each["ready"]]
    message = f"containers with unready status: [{' '.join(names)}]" if reason == "ContainersNotReady" else ""
    _conditions(pod, sandbox, "False", reason, message)


def ready(pod: Json) -> None:
    _conditions(pod, "True", "True", "", "")


def _conditions(pod: Json, sandbox: str, status: str, reason: str, message: str) -> None:
    order = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    initialized = reason if reason == "PodCompleted" else ""
    set_condition(pod, order[0], sandbox, lastProbeTime=None)
    set_condition(pod, order[1], "True", initialized, lastProbeTime=None)
    for type_ in order[2:4]:
        set_condition(pod, type_, status, reason, message, lastProbeTime=None)
    pod["status"]["conditions"].sort(
        key=lambda each: order.index(each["type"]) if each["type"] in order else 9
    )


class PodStatus:
    """One pod as its kubelet sees it. Each method is one write; a pod that is gone is no error."""

    def __init__(self, world: World, pod: Json, number: int) -> None:
        self.world = world
        self.namespace, self.name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        self.uid: str = pod["metadata"]["uid"]
        self.spec: Json = copied(pod["spec"])
        self.address = f"10.244.{number // 250}.{number % 250 + 2}"

    @property
    def pod(self) -> Json | None:
        """As it is now; None when another pod has its name."""
        found = self.world.store.get("pods", self.namespace, self.name)
        return found if found and found["metadata"]["uid"] == self.uid else None

    def tell(self, type_: str, reason: str, message: str, container: str = "") -> None:
        """An event."""
        pod = self.pod
        if pod is not None:
            record(
                self.world,
                pod,
                type_,
                reason,
                message,
                "kubelet",
                host=self.spec["nodeName"],
                container=container,
            )

    def accept(self) -> None:
        """The first status: nothing has started."""

        def edit(pod: Json) -> None:
            pod["status"] |= {
                "observedGeneration": pod["metadata"].get("generation", 1), "hostIP": NODE_ADDRESS,
                "hostIPs": [{"ip": NODE_ADDRESS}], "startTime": stamp(),
                "containerStatuses": [self._new(each) for each in self.spec["containers"]],
            }  # fmt: skip
            if self.spec.get("initContainers"):
                pod["status"]["initContainerStatuses"] = [
                    self._new(each) for each in self.spec["initContainers"]
                ]
            resources = self.spec["containers"][0].get("resources") or {}  # one container, as the tests have
            if resources.get("requests"):
                pod["status"]["allocatedResources"] = resources["requests"]
            pod["status"]["resources"] = resources
            set_condition(pod, "PodScheduled", "True", lastProbeTime=None)
            unready(pod, "ContainersNotReady", sandbox="False")

        self._edit(edit)

    def sandbox(self) -> None:
        """The pod has its network."""

        def edit(pod: Json) -> None:
            pod["status"] |= {"podIP": self.address, "podIPs": [{"ip": self.address}]}
            unready(pod, "ContainersNotReady")

        self._edit(edit)

    def waiting(self, container: str, reason: str, message: str = "") -> None:
        state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
        self._container(container, state=state, ready=False, started=False)

    def running(self, container: str, *, restarts: int) -> None:
        """A new container runs; it is not ready yet. What ran before becomes the last state."""
        self.world.runs.setdefault((self.uid, container), []).append(Run())
        resources = next(each for each in self.spec["containers"] if each["name"] == container)["resources"]

        def edit(status: Json) -> None:
            ended = status["state"] if "terminated" in status["state"] else status["lastState"]
            status |= {
                "state": {"running": {"startedAt": stamp()}},
                "lastState": ended,
                "ready": False,
                "started": True,
                "restartCount": restarts,
                "containerID": f"containerd://{secrets.token_hex(32)}",
                "imageID": "sha256:f2945d076c7767261862edba491382c77c6dae97a1913a6bcd5acb8d7836e532",
            }
            if resources.get("requests"):
                status["allocatedResources"] = resources["requests"]
            status["resources"] = resources

        self._edit_container(container, edit, phase="Running")

    def ready(self, container: str, *, yes: bool = True) -> None:
        self._container(container, ready=yes)

    def terminated(self, container: str, code: int, reason: str) -> None:
        def edit(status: Json) -> None:
            started = status["state"].get("running", {}).get("startedAt", stamp())
            status["state"] = {"terminated": {
                "exitCode": code, "reason": reason, "startedAt": started, "finishedAt": stamp(),
                "containerID": status.get("containerID", f"containerd://{secrets.token_hex(32)}"),
            }}  # fmt: skip
            status |= {"ready": False, "started": False}

        self._edit_container(container, edit)

    def backing_off(self, container: str, seconds: int) -> None:
        """CrashLoopBackOff: what ended is now the last state."""
        where = f"container={container} pod={self.name}_{self.namespace}({self.uid})"
        message = f"back-off {_duration(seconds)} restarting failed {where}"

        def edit(status: Json) -> None:
            if "terminated" in status["state"]:
                status["lastState"] = status["state"]
            status["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}

        self._edit_container(container, edit)

    def initialized(self) -> None:
        """The init containers ran well."""

        def edit(pod: Json) -> None:
            for status in pod["status"].get("initContainerStatuses", []):
                done = {"exitCode": 0, "reason": "Completed", "startedAt": stamp(), "finishedAt": stamp()}
                status |= {"state": {"terminated": done}, "ready": True, "started": False}

        self._edit(edit)

    def debugging(self, container: Json) -> None:
        """An ephemeral container that was put into the pod runs."""

        def edit(pod: Json) -> None:
            status = {**self._new(container), "state": {"running": {"startedAt": stamp()}}}
            pod["status"].setdefault("ephemeralContainerStatuses", []).append(status)

        self.world.runs.setdefault((self.uid, container["name"]), []).append(Run())
        self._edit(edit)

    def say(self, container: str, *lines: str) -> None:
        """Lines in the log of the present container."""
        for line in lines:
            self.world.runs[self.uid, container][-1].say(line)

    def _new(self, container: Json) -> Json:
        status: Json = {
            "name": container["name"], "state": {"waiting": {"reason": "ContainerCreating"}}, "lastState": {},
            "ready": False, "restartCount": 0, "image": container["image"], "imageID": "", "started": False,
        }  # fmt: skip
        mounts = container.get("volumeMounts")
        if mounts:
            status["volumeMounts"] = [
                {**each, "recursiveReadOnly": "Disabled"} if each.get("readOnly") else each for each in mounts
            ]
        return status

    def _container(self, container: str, **changes: Any) -> None:
        self._edit_container(container, lambda status: status.update(changes))

    def _edit_container(self, container: str, edit: Any, phase: str = "") -> None:
        def whole(pod: Json) -> None:
            for status in pod["status"]["containerStatuses"]:
                if status["name"] == container:
                    edit(status)
            if phase:
                pod["status"]["phase"] = phase
            if all(each["ready"] for each in pod["status"]["containerStatuses"]):
                ready(pod)
            else:
                unready(pod, "ContainersNotReady")

        self._edit(whole)

    def _edit(self, edit: Any) -> None:
        if self.pod is not None:
            self.world.store.change("pods", self.namespace, self.name, edit)


def _duration(seconds: int) -> str:
    """As Go writes a duration: 10s, 1m20s, 5m0s."""
    return f"{seconds}s" if seconds < 60 else f"{seconds // 60}m{seconds % 60}s"
