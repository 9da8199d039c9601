# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with one pod, out of its own status, its events and its node. Pure.

A crash loop flickers between running, terminated and waiting, so the restart count and the last state are
what counts; image errors alternate in the same way. Only an event tells that a liveness probe killed a
container, which looks healthy again a moment later. See
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/.
"""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_object import (
    condition,
    is_ready,
    last,
    may_start_for,
    short,
    statuses,
    time_of,
)
from ansible_collections.saveit.remediation.plugins.module_utils._service import PENDING, RUNNING
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError")
CONFIG = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError")
LOOP = 2  # ends that are no accident any more
TRUST = 60.0  # seconds; a container that was restarted and has not run so long may well end again
RECENT = 600.0  # seconds; after them the kubelet forgets its back-off too
LONG = 120.0  # seconds; a pod that takes longer to begin is told of
SOON = 10.0  # seconds; a volume whose secret is made in the same moment is mounted at the second try


class Trouble(NamedTuple):
    """A finding's id ("" when nothing is wrong), the sentence why, and the state as in _service.Instance.

    `starting`: it has not been ready since its containers began.
    """

    id: str
    said: str
    state: str
    starting: bool = False


WELL = Trouble("", "", RUNNING)


def trouble(
    pod: Mapping[str, Any], events: Sequence[Mapping[str, Any]], node: Mapping[str, Any], now: float
) -> Trouble:
    """What is wrong with a pod; `events` are its own, `node` is {} when unknown, `now` in epoch seconds."""
    containers = list(statuses(pod))
    lost = _node(pod, node, containers)
    if lost:
        return Trouble("service-node", lost, "unreachable")
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        why = short(scheduled.get("message") or scheduled.get("reason"))
        return Trouble("service-unschedulable", f"no node takes it: {why}", PENDING)
    for status in containers:
        found = _of_container(pod, status, events, now)
        if found.id or found.state != RUNNING:
            return found
    return _readiness(pod, events, now)


def _node(pod: Mapping[str, Any], node: Mapping[str, Any], containers: Sequence[Mapping[str, Any]]) -> str:
    """Why its node is to blame; "" when it is not."""
    name = (pod.get("spec") or {}).get("nodeName") or ""
    ready = condition(node, "Ready")
    if ready and ready.get("status") != "True":
        why = short(ready.get("message") or ready.get("reason"))
        return f"its node {name} is not ready: {why}"
    unready = condition(pod, "Ready")
    # The kubelet that is gone leaves its last word on the containers; a controller has set the pod's own.
    ran = [each for each in containers if "running" in (each.get("state") or {})]
    gone = bool(ran) and all(each.get("ready") for each in ran) and len(ran) == len(containers)
    if not node and gone and unready.get("status") == "False" and not unready.get("reason"):
        return f"its node {name} does not answer: the pod counts as not ready and its containers as ready"
    return ""


def _of_container(
    pod: Mapping[str, Any], status: Mapping[str, Any], events: Sequence[Mapping[str, Any]], now: float
) -> Trouble:
    state, name = status.get("state") or {}, status.get("name")
    waiting = state.get("waiting") or {}
    reason, message = waiting.get("reason") or "", short(waiting.get("message"))
    if reason in IMAGE:
        told = short(last(events, "Failed", "Failed to pull image").get("message")) or message
        return Trouble("service-image", f"{reason}: {told or 'no more is said'}", PENDING)
    if reason in CONFIG:
        return Trouble("service-config", f"{reason}: {message or _failed(events)}", PENDING)
    ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated") or {}
    if reason in ("ContainerCreating", "PodInitializing") or (waiting and not ended):
        return _beginning(pod, reason, events, now)
    if state.get("terminated", {}).get("exitCode") == 0 and status in _inits(pod):
        return WELL  # an init container that has done its work
    if not ended:
        return WELL
    return _of_restarted(status, str(name), ended, events, now)


def _of_restarted(
    status: Mapping[str, Any],
    name: str,
    ended: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    now: float,
) -> Trouble:
    """A container that has ended at least once."""
    running = (status.get("state") or {}).get("running") or {}
    restarts, code = int(status.get("restartCount") or 0), ended.get("exitCode")
    at = parse_time(ended.get("finishedAt") or "") or 0.0
    state = RUNNING if running else "restarting"
    told = f"{name} ended with exit code {code} ({ended.get('reason') or 'no reason'}), {times(restarts)}"
    if ended.get("reason") in ("StartError", "ContainerCannotRun") and not running:
        return Trouble("service-config", f"{told}: {short(ended.get('message')) or _failed(events)}", PENDING)
    trusted = bool(running) and (bool(status.get("ready")) and now - _begun(running) >= _trust(ended))
    if running and now - at >= RECENT:
        return WELL
    if ended.get("reason") == "OOMKilled":
        return Trouble("service-oom", f"{name} was killed for lack of memory; {told}", state)
    killing = last(events, "Killing", "liveness probe") or last(events, "Killing", "startup probe")
    if killing and name in (killing.get("message") or "") and now - time_of(killing) < RECENT:
        probe = last(events, "Unhealthy", "Liveness probe") or last(events, "Unhealthy", "Startup probe")
        why = short(probe.get("message")) or "no more is said"
        return Trouble(
            "service-liveness", f"{short(killing.get('message'))} ({times(restarts)}): {why}", state
        )
    ends = restarts if running else restarts + 1  # it is restarted once at once, and then after a back-off
    if ends >= LOOP and not trusted:
        back_off = short(last(events, "BackOff", "restarting failed").get("message")).partition(" in pod ")[0]
        return Trouble("service-crash-loop", f"{told}{': ' + back_off if back_off else ''}", "restarting")
    return WELL if running else Trouble("", told, "restarting")


def times(restarts: int) -> str:
    """A number of restarts in words."""
    return f"restarted {restarts} time{'' if restarts == 1 else 's'}"


def _trust(ended: Mapping[str, Any]) -> float:
    """Seconds that a run must last before we believe in it: twice what the last one lasted, and a minute."""
    begun, finished = (parse_time(ended.get(key) or "") for key in ("startedAt", "finishedAt"))
    lasted = finished - begun if begun is not None and finished is not None else 0.0
    return min(max(TRUST, 2 * lasted), RECENT)


def _begun(running: Mapping[str, Any]) -> float:
    return parse_time(running.get("startedAt") or "") or 0.0


def _failed(events: Sequence[Mapping[str, Any]]) -> str:
    return short(last(events, "Failed").get("message")) or "no more is said"


def _inits(pod: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return (pod.get("status") or {}).get("initContainerStatuses") or ()


def _age(pod: Mapping[str, Any], now: float) -> float:
    begun = parse_time((pod.get("metadata") or {}).get("creationTimestamp") or "")
    return 0.0 if begun is None else now - begun


def _beginning(
    pod: Mapping[str, Any], reason: str, events: Sequence[Mapping[str, Any]], now: float
) -> Trouble:
    """A container that has not begun: volumes, the network, an init container before it."""
    age = _age(pod, now)
    mount = short(last(events, "FailedMount").get("message"))
    if "not found" in mount and age >= SOON:
        return Trouble("service-config", f"{reason}: {mount}", PENDING)
    if age < max(LONG, may_start_for(pod)):
        return Trouble("", f"{reason or 'waiting'} for {age:.0f} s", PENDING)
    why = mount or max(
        (each for each in events if each.get("type") == "Warning"), key=time_of, default={}
    ).get("message")
    told = f": {short(why)}" if why else ""
    return Trouble("service-not-ready", f"{reason or 'waiting'} for {age:.0f} s{told}", PENDING)


def _readiness(pod: Mapping[str, Any], events: Sequence[Mapping[str, Any]], now: float) -> Trouble:
    """All containers run; a probe may say that it is not ready, now or not yet."""
    if not any(statuses(pod)):
        age = _age(pod, now)
        if age < LONG:
            return Trouble("", f"accepted by no kubelet for {age:.0f} s", PENDING)
        return Trouble("service-not-ready", f"accepted by no kubelet for {age:.0f} s", PENDING)
    if is_ready(pod):
        return WELL
    unready = condition(pod, "Ready")
    since = parse_time(unready.get("lastTransitionTime") or "") or 0.0
    begun = max(
        (_begun((each.get("state") or {}).get("running") or {}) for each in statuses(pod)), default=0.0
    )
    probe = last(events, "Unhealthy", "Readiness probe") or last(events, "Unhealthy", "Startup probe")
    why = short(probe.get("message")) or short(unready.get("message")) or "no more is said"
    was_ready = since > begun  # its condition turned after its containers had begun
    if not was_ready and now - begun < may_start_for(pod):
        return Trouble("", f"started {now - begun:.0f} s ago and is not ready yet: {why}", RUNNING, True)
    return Trouble("service-not-ready", f"is not ready: {why}", RUNNING, not was_ready)
