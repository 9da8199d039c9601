# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a compose service's containers anew, by the host's own compose command and their own files.

Everything that is needed is in the labels that compose gives its containers, see
https://docs.docker.com/reference/compose-file/services/#labels. A remedy is no deployment: where the image
or the settings are not those that the container was made with, nothing is done, and the sentence says why.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

_PREFIX = "com.docker.compose."
FILES_LABEL = f"{_PREFIX}project.config_files"
FOLDER_LABEL = f"{_PREFIX}project.working_dir"
ENVIRONMENT_LABEL = f"{_PREFIX}project.environment_file"
_UNSET = re.compile(r"(\w+)\W+variable is not set")  # compose's warning, v1 and v2


def command(
    parameters: Mapping[str, Any], carrier: Carrier, container: Mapping[str, Any], grace: int
) -> list[str]:
    """The command that makes the container's service anew. Only looks.

    Raises FailedError when the files are gone, the image is another one, or a variable is not set.
    """
    labels = (container.get("Config") or {}).get("Labels") or {}
    service = labels.get(f"{_PREFIX}service", "")
    attempt = f"cannot recreate {service}"
    folder = labels.get(FOLDER_LABEL, "")
    files = _paths(labels.get(FILES_LABEL, ""), folder)
    environment = _paths(labels.get(ENVIRONMENT_LABEL, ""), folder)
    if not files or not folder:
        raise FailedError(
            f"{attempt}: its container does not say which compose file it was made from (label {FILES_LABEL})"
        )
    for path in [*files, *environment]:
        if carrier.command(["test", "-r", path]).rc != 0:
            raise FailedError(
                f"{attempt}: {path}, which its container was made from, is not on this host or cannot be read"
            )
    _must_be_same_image(parameters, carrier, container, attempt)
    base = [*_tool(parameters, carrier, attempt), "--project-name", str(parameters["project"])]
    base += ["--project-directory", folder]
    base += [word for path in files for word in ("--file", path)]
    base += [word for path in environment for word in ("--env-file", path)]
    checked = carrier.command([*base, "config", "--quiet"], timeout=30)
    if checked.rc != 0:
        raise FailedError(f"{attempt}: its compose file is not valid: {checked.said}")
    unset = sorted(set(_UNSET.findall(checked.stderr)))
    if unset:
        raise FailedError(
            f"{attempt}: {', '.join(unset)} is not set here, and the new container would be without it; "
            "recreate it from the shell or job that deploys it"
        )
    return [
        *base,
        "up",
        "--detach",
        "--no-deps",
        "--no-build",
        "--force-recreate",
        f"--timeout={grace}",
        service,
    ]


def _paths(label: str, folder: str) -> list[str]:
    """Compose v1 writes relative paths."""
    return [posixpath.join(folder, path) for path in label.split(",") if path]


def _must_be_same_image(
    parameters: Mapping[str, Any], carrier: Carrier, container: Mapping[str, Any], attempt: str
) -> None:
    name = str((container.get("Config") or {}).get("Image", ""))
    asked = [*parameters["docker_command"], "image", "inspect", "--format={{.Id}}", name]
    done = carrier.command(asked)
    if done.rc != 0:
        raise FailedError(f"{attempt}: its image {name} is not on this host any more: {done.said}")
    if done.stdout.strip() != container.get("Image"):
        raise FailedError(
            f"{attempt}: {name} is another image now than the one that it runs; that would be a deployment"
        )


def _tool(parameters: Mapping[str, Any], carrier: Carrier, attempt: str) -> Sequence[str]:
    """The site's own compose command, else the v2 plugin, else the v1 tool."""
    docker = list(parameters["docker_command"])
    old = ["docker-compose" if word == "docker" else word for word in docker]
    given = list(parameters.get("compose_command") or ())
    said = ""
    for tool in [given] if given else [[*docker, "compose"], old]:
        done = carrier.command([*tool, "version", "--short"])
        if done.rc == 0:
            return tool
        said = said or done.said
    wanted = " ".join(given) or "docker compose or docker-compose"
    raise FailedError(
        f"{attempt}: {wanted} does not work on this host: {said} (compose_command, in the inventory)"
    )
