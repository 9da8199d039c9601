# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every module that touches the target: where the services of this host run."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation that the modules of the action group `target` share."""

    DOCUMENTATION = r"""
options:
  platform:
    description:
      - What runs the services.
      - V(compose) is docker-compose, version 1 or 2. Containers are found by the labels that compose gives
        them, never by name, so neither compose tool has to be installed.
    type: str
    required: true
    choices: [compose]
  project:
    description:
      - The name of the compose project, which is what C(docker compose ls) shows.
    type: str
    default: saveit
  service_names:
    description:
      - The platform's name for a service, where it differs from the name that runbooks use.
      - Keys are the names of the runbooks, values those of the platform.
    type: dict
    default: {}
  docker_command:
    description:
      - The command that speaks to the Docker engine, as a list of arguments.
      - Use it for a context, another socket or C(sudo).
    type: list
    elements: str
    default: [docker]
requirements:
  - On the host, the C(docker) command and C(timeout) of coreutils or busybox.
notes:
  - The modules that touch the target form the action group C(saveit.remediation.target), so a play sets
    O(platform), O(project), O(service_names) and O(docker_command) once, in C(module_defaults).
  - When the platform cannot be asked, the task fails with RV(ignore:obstacle), and nothing was changed.
"""
