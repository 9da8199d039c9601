# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes: services as the workloads of a namespace, and their pods as instances.

What is replaced as a whole (restart, undo, start) is in _kubernetes_restart; here is what concerns one pod.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils import _kubernetes_find
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import ApiError
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_find import Workload
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_shared import (
    is_shared,
    shared_log,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_snapshot import snapshot
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_state import (
    Judged,
    judge,
    needs_closer_look,
    needs_nodes,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_world import World
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError
from ansible_collections.saveit.remediation.plugins.module_utils._service import Instance, Service
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

ALWAYS = ("deployments", "statefulsets", "pods")
CLOSER = ("events", "replicasets")  # listed only when something is unusual
EARLY_BYTES = 256 * 1024  # of a log's beginning
SHARED_WINDOW = 60.0  # seconds of a log that are read once for all who want so many, or less
_NO_SUCH = "executable file not found"


def look(parameters: Mapping[str, Any], carrier: Carrier, service: str, required: bool = True) -> Service:
    """Find a service's workload and read the state of its pods; one that is not required may be absent.

    Raises ObstacleError when the cluster cannot be asked, when two workloads match, and when none does.
    """
    workloads, pods = _listed(parameters, carrier, service, required)
    workload = _choose(parameters, carrier, service, workloads)
    if workload is None and required:
        raise _none_found(parameters, carrier, service, workloads)
    if workload is None:
        return Service(service, ())
    return _judged(parameters, carrier, {service: workload}, pods)[0].service


def look_all(parameters: Mapping[str, Any], carrier: Carrier) -> list[Service]:
    """All workloads of the namespace, by the names that runbooks use. Raises ObstacleError as `look`."""
    workloads, pods = _listed(parameters, carrier)
    names = _kubernetes_find.names(workloads, parameters["service_names"])
    named = dict(sorted(zip(names, workloads), key=lambda each: each[0]))
    return [each.service for each in _judged(parameters, carrier, named, pods)]


def examine(parameters: Mapping[str, Any], carrier: Carrier, service: str) -> tuple[Workload, Judged]:
    """The workload and its judged pods as they are at this moment. Raises ObstacleError as `look`."""
    fresh = {**parameters, "not_before": 0}
    workloads, pods = _listed(fresh, carrier, service)
    workload = _choose(fresh, carrier, service, workloads)
    if workload is None:
        raise _none_found(fresh, carrier, service, workloads)
    return workload, _judged(fresh, carrier, {service: workload}, pods)[0]


def now(parameters: Mapping[str, Any], carrier: Carrier) -> float:
    """The time by our clock: the API tells none."""
    del parameters
    return carrier.now()


def start(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> None:
    """Raises FailedError: nobody starts a pod by hand."""
    del parameters, carrier
    raise FailedError(f"cannot start {instance.name}: Kubernetes starts the containers of a pod by itself")


def unpause(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> None:
    """Raises FailedError: there is no such thing."""
    del parameters, carrier
    raise FailedError(f"cannot unpause {instance.name}: Kubernetes has no paused pods")


def restart(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, grace: int) -> None:
    """Have one pod replaced: by an eviction, which heeds disruption budgets. Raises FailedError."""
    cluster = carrier.cluster(parameters)
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": instance.name, "namespace": cluster.namespace},
        "deleteOptions": {"gracePeriodSeconds": grace},
    }
    try:
        cluster.create("pods", body, name=instance.name, subresource="eviction")
    except ApiError as error:
        if error.status == 404:
            return  # it is gone already
        causes = "; ".join(str(each.get("message")) for each in error.causes)
        raise FailedError(f"cannot evict {instance.name}: {causes or error.message or error}") from error


def how_to_recreate(
    parameters: Mapping[str, Any], carrier: Carrier, service: Service, grace: int
) -> list[str]:
    """Raises FailedError: a restart does that here."""
    del parameters, carrier, grace
    raise FailedError(f"cannot recreate {service.name}: on Kubernetes a restart makes every pod anew")


def recreate(carrier: Carrier, service: Service, command: Sequence[str], grace: int) -> None:
    """Raises FailedError, as how_to_recreate."""
    del carrier, command, grace
    raise FailedError(f"cannot recreate {service.name}: on Kubernetes a restart makes every pod anew")


def early_logs(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, seconds: float) -> str:
    """What a pod's container logged in the first seconds after its start, with the time in front."""
    begun = parse_time(instance.started_at)
    if begun is None or not instance.id:
        return ""
    since = max(1.0, carrier.now() - begun + 1)
    cluster = carrier.cluster(parameters)
    text = _log(cluster, instance, since_seconds=since, limit_bytes=EARLY_BYTES)
    return "".join(
        line
        for line in text.splitlines(keepends=True)
        if (parse_time(line.split(" ", 1)[0]) or float("inf")) <= begun + seconds
    )


def signal(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, name: str) -> None:
    """Send a signal to a container's main process, by its own shell. Raises FailedError."""
    done = execute(parameters, carrier, instance, ["sh", "-c", 'kill -s "$1" 1', "sh", name], "", 10)
    if done.rc != 0:
        raise FailedError(f"cannot send SIG{name} to {instance.name}: {done.said}")


def logs(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, tail: int, since: float) -> str:
    """The container's last log lines with the time in front, after those of its last life where that is over.

    `since` in seconds. A pod that has not begun, or is gone, has none.
    """
    if not instance.id:
        return ""
    shorter = 0 < since < SHARED_WINDOW and tail and is_shared(parameters, carrier)
    window = SHARED_WINDOW if shorter else since
    what = f"{instance.id} {instance.container} {instance.restarts} {window:g}"
    text = shared_log(
        parameters, carrier, what, tail, lambda lines: _logs(parameters, carrier, instance, lines, window)
    )
    return _newest(text, since, carrier.now()) if shorter else text


def _newest(text: str, seconds: float, now: float) -> str:
    """The lines of the last seconds; of a cluster whose clock is ahead of ours, by its last line."""
    lines = text.splitlines(keepends=True)
    times = [parse_time(line.split(" ", 1)[0]) for line in lines]
    begin = max([now, *(time for time in times if time)]) - seconds
    return "".join(line for line, time in zip(lines, times) if time is None or time >= begin)


def _logs(
    parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, tail: int, since: float
) -> str:
    cluster = carrier.cluster(parameters)
    text = _log(cluster, instance, tail=tail, since_seconds=since)
    if instance.restarts and (instance.trouble or instance.state == "restarting"):
        missing = tail - len(text.splitlines())
        if missing > 0:  # of a container in a back-off it is that of its last life already, and then the same
            before = _log(cluster, instance, tail=missing, since_seconds=since, previous=True)
            text = text if before and before in text else before + text
    return text


def execute(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    instance: Instance,
    command: Sequence[str],
    stdin: str,
    timeout: float,
) -> Completed:
    """Run a command in the main container, ended there after `timeout` seconds, if it has timeout(1)."""
    if not instance.id:
        raise FailedError(f"cannot run {command[0]!r} in {instance.name}: {instance.said}")
    cluster = carrier.cluster(parameters)
    limited = ["timeout", f"{timeout:g}", *command]
    done: Completed = cluster.execute(instance.name, instance.container, limited, stdin, timeout + 5)
    if done.rc in (126, 127) and _NO_SUCH in done.said and '"timeout"' in done.said:
        done = cluster.execute(instance.name, instance.container, list(command), stdin, timeout)
    return done


def _choose(
    parameters: Mapping[str, Any], carrier: Carrier, service: str, workloads: Sequence[Workload]
) -> Workload | None:
    where = carrier.cluster(parameters).name
    return _kubernetes_find.choose(workloads, service, parameters["service_names"], where)


def _none_found(
    parameters: Mapping[str, Any], carrier: Carrier, service: str, workloads: Sequence[Workload]
) -> ObstacleError:
    where = carrier.cluster(parameters).name
    return _kubernetes_find.none_found(workloads, service, parameters["service_names"], where)


def _listed(
    parameters: Mapping[str, Any], carrier: Carrier, service: str = "", required: bool = True
) -> tuple[list[Workload], list[Workload]]:
    """All workloads, and all pods.

    For a service that is found without them, or may be absent, the DaemonSets are asked for only when one of
    them has a pod.
    """
    seen = snapshot(parameters, carrier, ALWAYS)
    workloads: list[Workload] = [each for kind in ALWAYS[:2] for each in seen[kind]]
    does_without = service and (not required or _choose(parameters, carrier, service, workloads))
    if not does_without or _kubernetes_find.has_daemonsets(seen["pods"]):
        workloads += snapshot(parameters, carrier, ("daemonsets",), required=())["daemonsets"]
    return workloads, list(seen["pods"])


def _judged(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    workloads: Mapping[str, Workload],
    pods: Sequence[Mapping[str, Any]],
) -> list[Judged]:
    """Each workload with its pods; what costs more requests only when one of them is unusual."""
    lists: Mapping[str, Any] = {}
    if any(needs_closer_look(each, pods) for each in workloads.values()):
        closer = (*CLOSER, "nodes") if needs_nodes(pods) else CLOSER
        lists = snapshot(parameters, carrier, closer, required=())
    world = World.of(pods, **lists)  # a kind that may not be listed is an empty list
    return [judge(name, each, world, now(parameters, carrier)) for name, each in workloads.items()]


def _log(cluster: Any, instance: Instance, **how: Any) -> str:
    """A log, "" where there is none: 400 before the container has begun, 404 when the pod is gone."""
    try:
        return str(cluster.log(instance.name, instance.container, **how))
    except ApiError as error:
        if error.status in (400, 404):
            return ""
        raise
