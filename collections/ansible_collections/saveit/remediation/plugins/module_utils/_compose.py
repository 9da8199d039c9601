# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docker-compose: services as the containers that carry compose's own labels.

Both compose tools, v1 and v2, set the same labels, so plain `docker` does it all
and neither tool has to be there, but for making containers anew (_compose_recreate).
Containers are addressed by id, never by name. The label names are compose's own, see
https://docs.docker.com/reference/compose-file/services/#labels.
"""

from __future__ import annotations

import json
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils import _compose_recreate
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError
from ansible_collections.saveit.remediation.plugins.module_utils._service import Instance, Service
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
ONE_OFF_LABEL = "com.docker.compose.oneoff"
NEVER = "0001-01-01T00:00:00Z"  # how the engine says that something has not happened


def look(parameters: Mapping[str, Any], carrier: Carrier, service: str, required: bool = True) -> Service:
    """Find a service's containers and read their state; a service that is not required may have none.

    Raises ObstacleError when the engine does not answer, and when there is no such project or service.
    """
    ids = _container_ids(parameters, carrier, service, required)
    if not ids:
        return Service(service, ())
    return Service(service, _inspect(parameters, carrier, ids))


def look_all(parameters: Mapping[str, Any], carrier: Carrier) -> list[Service]:
    """All services of the project, by the names that runbooks use, sorted. Raises ObstacleError as `look`."""
    ours = {platform: name for name, platform in parameters["service_names"].items()}
    rows = [row for row in _containers(parameters, carrier) if row[2] != "True"]
    labels = {id_: ours.get(label, label) for id_, label, _one_off in rows}
    found: dict[str, list[Instance]] = {}
    for each in _inspect(parameters, carrier, list(labels)) if labels else ():
        if each.id in labels:
            found.setdefault(labels[each.id], []).append(each)
    return [Service(name, tuple(found[name])) for name in sorted(found)]


def now(parameters: Mapping[str, Any], carrier: Carrier) -> float:
    """The time by the engine's clock, which is the one in its logs and states; ours where it has none."""
    said = _docker(parameters, carrier, ["info", "--format={{.SystemTime}}"]).stdout
    known = parse_time(said.strip())
    return carrier.now() if known is None else known


def start(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> None:
    """Start a stopped container. Raises FailedError with the engine's words."""
    _docker(parameters, carrier, ["start", instance.id], attempt=f"cannot start {instance.name}", timeout=60)


def unpause(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance) -> None:
    """Let a paused container go on. Raises FailedError with the engine's words."""
    _docker(parameters, carrier, ["unpause", instance.id], attempt=f"cannot unpause {instance.name}")


def restart(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, grace: int) -> None:
    """Restart a container: SIGTERM, then SIGKILL after `grace` seconds.

    Raises FailedError with the engine's words.
    """
    _docker(
        parameters,
        carrier,
        ["restart", f"--time={grace}", instance.id],
        attempt=f"cannot restart {instance.name}",
        timeout=60 + grace,
    )


def how_to_recreate(
    parameters: Mapping[str, Any], carrier: Carrier, service: Service, grace: int
) -> list[str]:
    """The command that makes the service's containers anew; only looks.

    Raises FailedError with the reason where it cannot be done.
    """
    inspected = _docker(parameters, carrier, ["inspect", service.instances[0].id])
    return _compose_recreate.command(parameters, carrier, parse_inspect(inspected.stdout)[0], grace)


def recreate(carrier: Carrier, service: Service, command: Sequence[str], grace: int) -> None:
    """Run the command of how_to_recreate. Raises FailedError with compose's words."""
    done = carrier.command(command, timeout=120 + grace)
    if done.rc != 0:
        raise FailedError(f"cannot recreate {service.name}: {done.said}")


def early_logs(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, seconds: float) -> str:
    """What a container logged in the first seconds after its start, with the engine's time in front."""
    begun = parse_time(instance.started_at)
    if begun is None:
        return ""
    window = [f"--since={begun:.3f}", f"--until={begun + seconds:.3f}"]
    done = _docker(parameters, carrier, ["logs", "--timestamps", *window, instance.id])
    return done.stdout + done.stderr


def signal(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, name: str) -> None:
    """Send a signal to a container's main process. Raises FailedError with the engine's words."""
    attempt = f"cannot send SIG{name} to {instance.name}"
    _docker(parameters, carrier, ["kill", f"--signal={name}", instance.id], attempt=attempt)


def logs(parameters: Mapping[str, Any], carrier: Carrier, instance: Instance, tail: int, since: float) -> str:
    """The container's last log lines, both streams, with the engine's time in front; `since` in seconds."""
    window = [f"--since={since:g}s"] if since else []
    done = _docker(parameters, carrier, ["logs", "--timestamps", f"--tail={tail}", *window, instance.id])
    return done.stdout + done.stderr


def execute(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    instance: Instance,
    command: Sequence[str],
    stdin: str,
    timeout: float,
) -> Completed:
    """Run a command inside the container, ended there after `timeout` seconds.

    The engine leaves a process running inside when only its client is ended, so timeout(1) of the container
    ends it.
    """
    inside = ["exec", "-i", instance.id, "timeout", f"{timeout:g}", *command]
    return carrier.command([*parameters["docker_command"], *inside], stdin, timeout + 5)


def ask(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    arguments: Sequence[str],
    attempt: str,
    timeout: float = 15,
) -> Completed:
    """Any other command of the engine, for the files beside this one.

    Raises ObstacleError when the engine does not answer, and FailedError, "`attempt`: why", when it refuses.
    """
    return _docker(parameters, carrier, arguments, attempt=attempt, timeout=timeout)


def parse_inspect(text: str) -> list[dict[str, Any]]:
    """The list that `docker inspect` prints. Raises FailedError when it is not one."""
    try:
        containers = json.loads(text)
    except ValueError as error:
        raise FailedError(f"cannot read what `docker inspect` printed: {error}") from error
    if not isinstance(containers, list) or not all(isinstance(each, dict) for each in containers):
        raise FailedError("cannot read what `docker inspect` printed: it is not a list of containers")
    return containers


def _inspect(parameters: Mapping[str, Any], carrier: Carrier, ids: Sequence[str]) -> tuple[Instance, ...]:
    """The containers. Raises FailedError when the engine shows none of those that it has just listed."""
    found = parse_inspect(_docker(parameters, carrier, ["inspect", *ids]).stdout)
    if not found:
        raise FailedError(
            "cannot read what `docker inspect` printed: no container, and it was asked for some"
        )
    return tuple(map(_instance, found))


def _container_ids(
    parameters: Mapping[str, Any], carrier: Carrier, service: str, required: bool
) -> list[str]:
    project = parameters["project"]
    label = parameters["service_names"].get(service, service)
    rows = _containers(parameters, carrier)
    found = [id_ for id_, name, one_off in rows if name == label and one_off != "True"]
    if not found and required:
        names = ", ".join(sorted({name for _id, name, _one_off in rows}))
        raise ObstacleError(
            "no-service",
            f"cannot find the service {label!r} in the compose project {project!r}: "
            f"no container of it exists; the project has {names} "
            f"(service_names in the inventory maps {service!r})",
            "refused",
        )
    return found


def _containers(parameters: Mapping[str, Any], carrier: Carrier) -> list[list[str]]:
    """Of each container of the project its id, the label of its service, and whether it is a one-off."""
    project = parameters["project"]
    columns = ["{{.ID}}", f'{{{{.Label "{SERVICE_LABEL}"}}}}', f'{{{{.Label "{ONE_OFF_LABEL}"}}}}']
    listed = _docker(
        parameters,
        carrier,
        [
            "ps",
            "--all",
            "--no-trunc",
            f"--filter=label={PROJECT_LABEL}={project}",
            "--format=" + "\t".join(columns),
        ],
    )
    rows = [line.split("\t") for line in listed.stdout.splitlines() if line.count("\t") == 2]
    if not rows:
        raise ObstacleError(
            "no-project",
            f"cannot find the compose project {project!r}: no container on {carrier.host} has the label "
            f"{PROJECT_LABEL}={project}; `docker compose ls --all` names the projects "
            "(compose_project, in the inventory)",
            "refused",
        )
    return rows


def _instance(container: Mapping[str, Any]) -> Instance:
    state = container.get("State") or {}
    status = state.get("Status") or "dead"
    return Instance(
        id=str(container.get("Id", "")),
        name=str(container.get("Name", "")).lstrip("/"),
        state="stopped" if status == "exited" else status,
        health=(state.get("Health") or {}).get("Status", ""),
        exit_code=int(state.get("ExitCode") or 0),
        restarts=int(container.get("RestartCount") or 0),
        oom_killed=bool(state.get("OOMKilled")),
        started_at=_time(state.get("StartedAt")),
        finished_at=_time(state.get("FinishedAt")),
        error=str(state.get("Error") or ""),
        start_period=_start_period((container.get("Config") or {}).get("Healthcheck")),
        ports=_ports((container.get("HostConfig") or {}).get("PortBindings")),
    )


def _start_period(check: Any) -> float:
    """In seconds; the engine has it in nanoseconds, and none where the check has none."""
    return round(int((check or {}).get("StartPeriod") or 0) / 1e9, 3)


def _ports(bindings: Any) -> tuple[int, ...]:
    """The host's ports that the container asks for; one that the engine chose by itself is not among them."""
    asked = [str(each.get("HostPort")) for many in (bindings or {}).values() for each in many or ()]
    return tuple(sorted({int(each) for each in asked if each.isdigit()} - {0}))


def _time(value: Any) -> str:
    return "" if not value or value == NEVER else str(value)


def _docker(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    arguments: Sequence[str],
    attempt: str = "cannot ask the Docker engine",
    timeout: float = 15,
) -> Completed:
    done = carrier.command([*parameters["docker_command"], *arguments], timeout=timeout)
    if done.rc == 0:
        return done
    obstacle = _obstacle(done, " ".join(parameters["docker_command"]), timeout, carrier.host)
    if obstacle:
        raise obstacle
    raise FailedError(f"{attempt}: {done.said}")


def _obstacle(done: Completed, docker: str, timeout: float, host: str) -> ObstacleError | None:
    said = done.said
    if done.timed_out or done.rc == 137:  # it did not even end on SIGTERM
        sentence = f"the Docker engine of {host} does not answer: `{docker}` was ended after {timeout:g} s"
        return ObstacleError("engine-timeout", sentence, "unreachable")
    if "permission denied" in said.lower() and "sock" in said:
        sentence = (
            f"may not use the Docker engine of {host}: {said}; "
            "run as a member of the group docker, or with become"
        )
        return ObstacleError("engine-permission", sentence, "unreachable")
    if "password is required" in said or "terminal is required" in said:
        sentence = (
            f"cannot run `{docker}` on {host}: {said}; nobody is here to type it; allow it without "
            "(NOPASSWD in sudoers), or use a member of the group docker (docker_command, in the inventory)"
        )
        return ObstacleError("engine-permission", sentence, "unreachable")
    if "Cannot connect to the Docker daemon" in said or "error during connect" in said:
        return ObstacleError("no-engine", f"no Docker engine runs on {host}: {said}", "unreachable")
    if done.rc in (126, 127):
        why = said or "command not found"
        sentence = (
            f"cannot run `{docker}` on {host}: {why}; is Docker installed, and on the PATH that a command "
            "gets without a login? (docker_command, in the inventory, may give its whole path)"
        )
        return ObstacleError("no-docker", sentence, "unreachable")
    return None
