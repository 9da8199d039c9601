# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docker-compose: more containers of a service, where its compose file allows it.

Only compose can make a container as its file says, so this needs the host's own compose tool, v1 or v2.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._compose import ask, look, parse_inspect
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result
from ansible_collections.saveit.remediation.plugins.module_utils._scaling import (
    Change,
    Plan,
    Record,
    not_put_back,
    put_back_result,
    wanted,
)
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, Instance, Service

_LABEL = "com.docker.compose."
_TIMEOUT = 120  # seconds for compose to make the containers


@dataclass(frozen=True)
class Composed:
    """What a service's container tells about the compose file that it was made from."""

    project: str
    service: str
    files: tuple[str, ...]
    env_files: tuple[str, ...]
    folder: str
    hash: str  # of the configuration, the number of containers left out
    fixed_name: str  # "" when compose gave the name
    fixed_ports: tuple[tuple[str, str], ...]  # (address and port of the host, port of the container)


def plan(parameters: Mapping[str, Any], carrier: Carrier, service: Service) -> Plan:
    """What compose would do, or why it cannot; only looks."""
    now = len(service.instances)
    number, reason = wanted(parameters, now, parameters["maximum"])
    if reason:
        return Plan(now, number, reason)
    made = composed(parameters, carrier, service)
    reason = why_not(parameters, carrier, made)
    command = [] if reason else tool(parameters, carrier)
    if not reason and not command:
        reason = "this host has neither `docker compose` nor `docker-compose`"
    if reason:
        return Plan(now, number, reason)
    back = shlex.join(scale_command(command, made, now))
    return Plan(now, number, changes=(Change(service.name, "instances", now, number),), back=back, how=made)


def put_back(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Have compose remove the newest containers again, where there are as many as were made.

    Raises FailedError for a `put_back` that no earlier task returned, and when compose refuses.
    """
    name, now = parameters["service"], look(parameters, carrier, parameters["service"])
    try:
        before, after = (int(parameters["put_back"][0][key]) for key in ("before", "after"))
    except (KeyError, TypeError, ValueError) as error:
        raise FailedError(f"cannot put back {name}: {error} in put_back, which takes `changes`") from error
    count = len(now.instances)
    if count == before:
        return not_put_back(name, f"it has its old {before} instances again", over=True)
    if count != after or not 0 < before < after:
        return not_put_back(name, f"it has {count} instances, not the {after} that were made")
    command = tool(parameters, carrier)
    if not command:
        return not_put_back(name, "this host has neither `docker compose` nor `docker-compose`")
    if not carrier.check_mode:
        down = scale_command(command, composed(parameters, carrier, now), before)
        done = carrier.command(down, timeout=_TIMEOUT)
        left = len(look(parameters, carrier, name).instances)
        if done.rc != 0 or left != before:
            raise FailedError(f"cannot put back {name} to {before} instances: it has {left}; {done.said}")
    return put_back_result(name, [Change(name, "instances", after, before)], carrier.check_mode)


def composed(parameters: Mapping[str, Any], carrier: Carrier, service: Service) -> Composed:
    """Read it from the first container's labels and configuration."""
    first = service.instances[0]
    said = ask(parameters, carrier, ["inspect", first.id], f"cannot read how {first.name} was made").stdout
    found = parse_inspect(said)
    if not found:
        raise FailedError(f"cannot read how {first.name} was made: the container has gone")
    return read_composed(found[0])


def read_composed(container: Mapping[str, Any]) -> Composed:
    """The same, from what `docker inspect` says."""
    labels = (container.get("Config") or {}).get("Labels") or {}
    project, service = labels.get(f"{_LABEL}project", ""), labels.get(f"{_LABEL}service", "")
    name = str(container.get("Name", "")).lstrip("/")
    # The names that compose gives: v2 with hyphens, v1 with underscores and once with a random end.
    own = rf"{re.escape(project)}[-_]{re.escape(service)}[-_]\d+(_[0-9a-f]+)?"
    bindings = (container.get("HostConfig") or {}).get("PortBindings") or {}
    ports = [
        (f"{each['HostIp']}:{each['HostPort']}" if each.get("HostIp") else each["HostPort"], inside)
        for inside, hosts in sorted(bindings.items())
        for each in hosts or ()
        if str(each.get("HostPort", "")).isdigit() and each["HostPort"] != "0"
    ]
    folder = labels.get(f"{_LABEL}project.working_dir", "")
    return Composed(
        project=project,
        service=service,
        files=_list(labels.get(f"{_LABEL}project.config_files", ""), folder),
        env_files=_list(labels.get(f"{_LABEL}project.environment_file", ""), folder),
        folder=folder,
        hash=labels.get(f"{_LABEL}config-hash", ""),
        fixed_name="" if re.fullmatch(own, name) else name,
        fixed_ports=tuple(ports),
    )


def why_not(parameters: Mapping[str, Any], carrier: Carrier, made: Composed) -> str:
    """The lines of the compose file that keep it from making a second container; "" when none does."""
    del parameters
    reasons = []
    if made.fixed_name:
        where = _line(carrier, made, rf"container_name:[[:space:]]*[\"']?{_escaped(made.fixed_name)}")
        reasons.append(f"`container_name: {made.fixed_name}`{where}")
    for host, inside in made.fixed_ports:
        port, target = host.rpartition(":")[2], inside.partition("/")[0]
        where = _line(
            carrier, made, rf"(^|[^0-9]){port}:{target}([^0-9]|$)|published:[[:space:]]*[\"']?{port}"
        )
        reasons.append(f"the fixed host port `{host}:{target}`{where}")
    if not reasons:
        return ""
    return f"compose cannot make a second container: its file has {' and '.join(reasons)}"


def tool(parameters: Mapping[str, Any], carrier: Carrier) -> list[str]:
    """The compose command of this host; [] when there is none."""
    given = list(parameters["compose_command"])
    if given:
        return given
    for command in ([*parameters["docker_command"], "compose"], ["docker-compose"]):
        done = carrier.command([*command, "version"])
        if done.rc == 0:
            return command
    return []


def scale_command(command: Sequence[str], made: Composed, number: int) -> list[str]:
    """Have compose make as many containers, and leave those alone that are there."""
    files = [option for file in made.files for option in ("-f", file)]
    environment = [option for file in made.env_files for option in ("--env-file", file)]
    folder = ["--project-directory", made.folder] if made.folder else []
    wanted = ["--scale", f"{made.service}={number}", made.service]
    return [
        *command,
        "-p",
        made.project,
        *folder,
        *files,
        *environment,
        "up",
        "-d",
        "--no-deps",
        "--no-recreate",
        *wanted,
    ]


def scale(
    parameters: Mapping[str, Any], carrier: Carrier, before: Service, planned: Plan, record: Record
) -> tuple[Service, Plan]:
    """The service with so many containers, and the plan that was carried out, with its record.

    Raises FailedError when compose refuses or a new container does not run; what it made is then removed.
    """

    def is_as_before() -> bool:
        return len(look(parameters, carrier, before.name).instances) == planned.now

    with record(planned.changes, is_as_before) as (id_,):
        after = _make(parameters, carrier, before, planned)
    return after, planned.recorded_as(id_)


def _make(parameters: Mapping[str, Any], carrier: Carrier, before: Service, planned: Plan) -> Service:
    command, made, number = tool(parameters, carrier), planned.how, planned.number
    done = carrier.command(scale_command(command, made, number), timeout=_TIMEOUT)
    after = look(parameters, carrier, before.name)
    known = {each.id for each in before.instances}
    new = [each for each in after.instances if each.id not in known]
    sick = [each for each in new if each.state != RUNNING]
    strange = bool(new) and _hashes(parameters, carrier, new) != {made.hash}
    if done.rc == 0 and not sick and not strange and len(after.instances) == number:
        return after
    attempt = f"cannot scale {before.name} to {number}"
    if new:
        ask(
            parameters, carrier, ["rm", "--force", *(each.id for each in new)], f"{attempt}, nor clean up", 60
        )
    removed = f"; removed again: {', '.join(each.name for each in new)}" if new else ""
    if done.timed_out:
        why = f"{' '.join(command)} did not end within {_TIMEOUT} s"
    elif done.rc != 0:
        why = done.said
    elif strange:
        why = (
            "its configuration would be another one: the compose file has changed since the service was "
            "made, or is filled in with variables that are not set here"
        )
    else:
        states = ", ".join(f"{each.name} is {each.state}" for each in sick)
        why = states or f"there are {len(after.instances)} afterwards"
    raise FailedError(f"{attempt}: {why}{removed}")


def _hashes(parameters: Mapping[str, Any], carrier: Carrier, new: Sequence[Instance]) -> set[str]:
    said = ask(
        parameters, carrier, ["inspect", *(each.id for each in new)], "cannot read what was made"
    ).stdout
    return {read_composed(each).hash for each in parse_inspect(said)}


def _list(label: str, folder: str) -> tuple[str, ...]:
    """Version 1 names files as seen from the folder of the project."""
    return tuple(posixpath.join(folder, part.strip()) for part in str(label).split(",") if part.strip())


def _line(carrier: Carrier, made: Composed, pattern: str) -> str:
    """Where it says so, for the person who wants to change it; "" when that is not to be seen here."""
    if not made.files:
        return ""
    said = carrier.command(["grep", "-nHE", "-m1", "-e", pattern, "--", *made.files]).stdout
    found = re.match(r"(.+?:\d+):", said)
    return f" ({found[1]})" if found else ""


def _escaped(name: str) -> str:
    """For an extended regular expression."""
    return re.sub(r"([.+*?()\[\]{}^$|\\])", r"\\\1", name)
