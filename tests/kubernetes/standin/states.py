"""When a behaviour is there: judged on the newest pods of a service, from outside, as on a real cluster."""

from __future__ import annotations

from collections.abc import Callable

from standin.kinds import Json

Judge = Callable[[Json], bool]  # of one pod


def _statuses(pod: Json) -> list[Json]:
    return pod.get("status", {}).get("containerStatuses") or []


def _waits(*reasons: str) -> Judge:
    return lambda pod: any(
        each["state"].get("waiting", {}).get("reason") in reasons for each in _statuses(pod)
    )


def _ended(*reasons: str) -> Judge:
    def judge(pod: Json) -> bool:
        states = [state for each in _statuses(pod) for state in (each["state"], each.get("lastState") or {})]
        return any(state.get("terminated", {}).get("reason") in reasons for state in states)

    return judge


def ready(pod: Json) -> bool:
    return any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in pod.get("status", {}).get("conditions", [])
    )


def _restarted(pod: Json) -> bool:
    return any(each["restartCount"] for each in _statuses(pod))


def _unschedulable(pod: Json) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each.get("reason") == "Unschedulable" for each in conditions)


def _running_not_ready(pod: Json) -> bool:
    return not ready(pod) and any("running" in each["state"] for each in _statuses(pod))


IS_THERE: dict[str, Judge] = {
    "healthy": ready,
    "slow-start": ready,
    "leak": ready,
    "busy": ready,
    "loading": ready,
    "crash-loop": lambda pod: _restarted(pod) and _waits("CrashLoopBackOff")(pod),
    "exit-1-once": lambda pod: _restarted(pod) and ready(pod),
    "oom": _ended("OOMKilled"),
    "image-missing": _waits("ImagePullBackOff"),
    "config-missing": _waits("CreateContainerConfigError"),
    "unschedulable": _unschedulable,
    "not-ready": _running_not_ready,
    "liveness": _restarted,
    "run-error": _ended("StartError"),
}


def behaviour_of(pod: Json) -> str:
    """Of the manifest from which a pod comes."""
    for container in pod["spec"]["containers"]:
        for each in container.get("env", []):
            if each["name"] == "SAVEIT_BEHAVIOUR":
                return str(each.get("value", ""))
    return ""


def is_there(pods: list[Json], behaviour: str, template_behaviours: str) -> bool:
    """Whether pods of the newest template are all as wanted, and there are some."""
    newest = [
        pod for pod in pods
        if behaviour_of(pod) == template_behaviours and not pod["metadata"].get("deletionTimestamp")
    ]  # fmt: skip
    return bool(newest) and all(IS_THERE[behaviour](pod) for pod in newest)
