"""What happens to a pod on its node, as a script for each behaviour.

The order is that of the recorded streams.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping

from standin.controllers import probes
from standin.controllers.pod_config import missing_config, missing_volume
from standin.controllers.pod_status import PodStatus
from standin.kinds import Json

BEHAVIOUR = "SAVEIT_BEHAVIOUR"
NOT_READY, NOT_LIVE = "/tmp/saveit-not-ready", "/tmp/saveit-not-live"  # noqa: S108  # touched by a test, inside a container
BACK_OFF, LONGEST_BACK_OFF = 10, 300
Script = Generator[float, None, None]
Life = Generator[float, None, tuple[int, str]]  # ends with the exit code and the reason


def play(status: PodStatus) -> Script:
    """From the acceptance by the kubelet on; it never ends while the pod is there."""
    status.accept()
    yield 0.3
    while (missing := missing_volume(status)) != "":
        status.tell("Warning", "FailedMount", missing)
        yield 2.0
    status.sandbox()
    status.initialized()
    first, *others = status.spec["containers"]
    bad = next((each for each in (first, *others) if behaviour_of(each) != "healthy"), first)
    for container in status.spec["containers"]:
        yield from _pulled(status, container)
        yield from _configured(status, container)
        if container is not bad:
            yield from _started(status, container, 0)
            status.ready(container["name"])
    yield from _lives(status, bad)


def behaviour_of(container: Json) -> str:
    """Of the environment variable, or of what the manifest itself brings about."""
    return _variable(container, BEHAVIOUR, "healthy")


def _variable(container: Json, name: str, default: str) -> str:
    found = (each.get("value") for each in container.get("env", []) if each["name"] == name)
    return str(next(found, None) or default)


def _pulled(status: PodStatus, container: Json) -> Script:
    name, image = container["name"], container["image"]
    host = image.partition("/")[0]
    pause = BACK_OFF
    while host.endswith(".invalid") or behaviour_of(container) == "image-missing":
        path, _, tag = image.partition("/")[2].partition(":")
        why = (
            f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
            "failed to do request: Head "
            f'"https://{host}/v2/{path}/manifests/{tag or "latest"}": dial tcp: lookup {host} on '
            "192.0.2.53:53: no such host"
        )
        status.tell("Normal", "Pulling", f'Pulling image "{image}"', name)
        yield 0.1
        status.tell("Warning", "Failed", f'Failed to pull image "{image}": {why}', name)
        status.tell("Warning", "Failed", "Error: ErrImagePull", name)
        status.waiting(name, "ErrImagePull", why)
        yield 0.5
        status.tell("Normal", "BackOff", f'Back-off pulling image "{image}"', name)
        status.tell("Warning", "Failed", "Error: ImagePullBackOff", name)
        status.waiting(name, "ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {why}')
        yield float(pause)
        pause = min(pause * 2, LONGEST_BACK_OFF)
    _tell_pulled(status, container)
    yield 0.05


def _tell_pulled(status: PodStatus, container: Json) -> None:
    said = f'Container image "{container["image"]}" already present on machine and can be accessed by the pod'
    if container.get("imagePullPolicy") == "Always":
        status.tell("Normal", "Pulling", f'Pulling image "{container["image"]}"', container["name"])
        took = "in 812ms (812ms including waiting). Image size: 2140953 bytes."
        said = f'Successfully pulled image "{container["image"]}" {took}'
    status.tell("Normal", "Pulled", said, container["name"])


def _configured(status: PodStatus, container: Json) -> Script:
    while (missing := missing_config(status, container)) != "":
        status.tell("Warning", "Failed", f"Error: {missing}", container["name"])
        status.waiting(container["name"], "CreateContainerConfigError", missing)
        yield 5.0
        _tell_pulled(status, container)


def _started(status: PodStatus, container: Json, restarts: int) -> Script:
    name = container["name"]
    if restarts:
        _tell_pulled(status, container)
    status.tell("Normal", "Created", "Container created", name)
    status.tell("Normal", "Started", "Container started", name)
    status.running(name, restarts=restarts)
    status.say(name, *probes.first_words(container, status.name))
    yield 0.05


def _lives(status: PodStatus, container: Json) -> Script:
    """One container after the other, with the kubelet's back-off between them."""
    name, pause, restarts = container["name"], BACK_OFF, 0
    while True:
        yield from _started(status, container, restarts)
        code, reason = yield from _life(status, container, restarts)
        if restarts == 0:
            status.terminated(name, code, reason)
            yield 0.3
        else:
            what = f"container {name} in pod {status.name}_{status.namespace}({status.uid})"
            status.tell("Warning", "BackOff", f"Back-off restarting failed {what}", name)
            status.terminated(name, code, reason)
            yield 1.0
            status.tell("Warning", "BackOff", f"Back-off restarting failed {what}", name)
            status.backing_off(name, pause)
            yield float(pause)
            pause = min(pause * 2, LONGEST_BACK_OFF)
        restarts += 1


ENDS: Mapping[str, tuple[int, str]] = {
    "crash-loop": (1, "Error"),
    "exit-1-once": (1, "Error"),
    "oom": (137, "OOMKilled"),
    "run-error": (128, "StartError"),
}


def _life(status: PodStatus, container: Json, restarts: int) -> Life:
    """One container from its start to its end."""
    name, behaviour = container["name"], behaviour_of(container)
    probe = container.get("readinessProbe")
    if behaviour in ENDS and not (behaviour == "exit-1-once" and restarts):
        code, reason = ENDS[behaviour]
        status.say(name, *probes.last_words(container, behaviour))
        if probe and code != 128:
            _refused(status, container)
        yield 0.25
        return code, reason
    if behaviour == "slow-start":
        for _ in range(int(_variable(container, "SAVEIT_START_SECONDS", "8")) // 2):
            _refused(status, container)
            yield 2.0
    status.say(name, *probes.serving_words(container))
    return (yield from _serves(status, container, behaviour))


def _serves(status: PodStatus, container: Json, behaviour: str) -> Life:
    """Probed every period until it is killed for its liveness."""
    name = container["name"]
    probe, live = container.get("readinessProbe"), container.get("livenessProbe")
    period = float((probe or live or {}).get("periodSeconds", 10))
    unlive, most = 0.0, float(live["periodSeconds"] * live["failureThreshold"]) if live else 0.0
    failed, shown = 0, False
    while True:
        files = status.world.files.get(status.uid, set())
        if probe and (behaviour == "not-ready" or NOT_READY in files):
            failed += 1
            status.tell("Warning", "Unhealthy", f"Readiness probe failed: {probes.failure(probe)}", name)
            if shown and failed >= probe["failureThreshold"]:
                status.ready(name, yes=False)
                shown = False
        elif not shown:
            status.ready(name)
            failed, shown = 0, True
        if live and (behaviour == "liveness" or NOT_LIVE in files):
            unlive += period
            status.tell("Warning", "Unhealthy", f"Liveness probe failed: {probes.failure(live)}", name)
            if unlive >= most:
                status.tell(
                    "Normal", "Killing", f"Container {name} failed liveness probe, will be restarted", name
                )
                yield 0.2
                files.discard(NOT_LIVE)
                return 0, "Completed"
        yield period


def _refused(status: PodStatus, container: Json) -> None:
    said = probes.refusal(container, status.address)
    if said:
        status.tell("Warning", "Unhealthy", f"Readiness probe failed: {said}", container["name"])
