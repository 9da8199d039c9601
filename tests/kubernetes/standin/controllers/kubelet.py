"""The kubelet of all nodes: it plays each pod by its script, and ends it when it is deleted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from standin.clock import stamp
from standin.controllers.events import record
from standin.controllers.pod_script import play
from standin.controllers.pod_status import PodStatus, unready
from standin.kinds import Json
from standin.world import World


@dataclass
class Playing:
    script: Iterator[float]
    due: float
    status: PodStatus | None = None
    ending: bool = False


class Kubelet:
    """`playing`: the script of each pod by its uid.

    A script yields how many seconds of the cluster it waits.
    """

    def __init__(self) -> None:
        self.playing: dict[str, Playing] = {}
        self.addresses = 0

    def step(self, world: World) -> float:
        now = world.clock.now()
        present: set[str] = set()
        due = math.inf
        for pod in world.store.peek("pods"):
            node = pod["spec"].get("nodeName")
            uid = pod["metadata"]["uid"]
            present.add(uid)
            if not node or node in world.lost_nodes:
                continue
            due = min(due, self._advance(world, pod, uid, now))
        for uid in set(self.playing) - present:
            del self.playing[uid]
        return due

    def adopt(self, pod: Json) -> None:
        """A pod that is to stay as it is: nothing happens to it but its deletion."""
        self.playing[pod["metadata"]["uid"]] = Playing(iter(()), math.inf)

    def _advance(self, world: World, pod: Json, uid: str, now: float) -> float:
        playing = self.playing.get(uid)
        if playing is None:
            self.addresses += 1
            status = PodStatus(world, pod, self.addresses)
            playing = self.playing[uid] = Playing(play(status), now, status)
        if pod["metadata"].get("deletionTimestamp") and not playing.ending:
            playing = self.playing[uid] = Playing(_end(world, pod), now, ending=True)
        if pod["spec"].get("ephemeralContainers") and playing.status is not None:
            _debug(playing.status, pod)
        if playing.due > now:
            return playing.due - now
        wait = next(playing.script, None)
        playing.due = math.inf if wait is None else now + wait
        return math.inf if wait is None else wait


def _debug(status: PodStatus, pod: Json) -> None:
    """Starts ephemeral containers that do not run yet."""
    present = {each["name"] for each in pod["status"].get("ephemeralContainerStatuses", [])}
    for container in pod["spec"]["ephemeralContainers"]:
        if container["name"] not in present:
            status.debugging(container)


def _end(world: World, pod: Json) -> Iterator[float]:
    """SIGTERM, the containers end well, the pod has succeeded, and is gone."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    running = [
        each for each in pod.get("status", {}).get("containerStatuses", []) if "running" in each["state"]
    ]
    for each in running:
        container = each["name"]
        record(
            world,
            pod,
            "Normal",
            "Killing",
            f"Stopping container {container}",
            "kubelet",
            host=pod["spec"]["nodeName"],
            container=container,
        )
    yield 0.3

    def ended(item: Json) -> None:
        if not running:
            return
        item["status"]["phase"] = "Succeeded"
        for status in item["status"]["containerStatuses"]:
            if "running" in status["state"]:
                started = status["state"]["running"]["startedAt"]
                status["state"] = {"terminated": {
                    "exitCode": 0, "reason": "Completed", "startedAt": started, "finishedAt": stamp(),
                    "containerID": status["containerID"],
                }}  # fmt: skip
            status |= {"ready": False, "started": False}
        unready(item, "PodCompleted", sandbox="False")

    world.store.change("pods", namespace, name, ended)
    yield 0.5
    world.store.change(
        "pods", namespace, name, lambda item: item["metadata"].update(deletionGracePeriodSeconds=0)
    )
    yield 0.02
    world.store.remove("pods", namespace, name)
