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
      - V(kubernetes) is a namespace of a cluster, 1.24 or later, whose API is spoken from the controller;
        C(kubectl) is not needed.
    type: str
    required: true
    choices: [compose, kubernetes]
  service_names:
    description:
      - The platform's name for a service, where it differs from the name that runbooks use.
      - Keys are the names of the runbooks, values those of the platform.
      - On Kubernetes the name of the workload, as V(saveit-backend), or with its kind, as
        V(statefulset/redis-master), where two kinds share a name.
    type: dict
    default: {}
  project:
    description:
      - With O(platform=compose), the name of the compose project, which is what C(docker compose ls) shows.
    type: str
    default: saveit
  docker_command:
    description:
      - With O(platform=compose), the command that speaks to the Docker engine, as a list of arguments.
      - Use it for a context, another socket or C(sudo).
    type: list
    elements: str
    default: [docker]
  namespace:
    description: With O(platform=kubernetes), the namespace of the services.
    type: str
    default: saveit
  context:
    description:
      - With O(platform=kubernetes), the context of the kubeconfig; by default its current one.
    type: str
    default: ""
  kubeconfig:
    description:
      - With O(platform=kubernetes), the path of the kubeconfig on the controller.
      - By default what E(KUBECONFIG) says, then C(~/.kube/config), then, in a pod, its service account.
    type: path
    default: ""
  api_timeout_seconds:
    description: With O(platform=kubernetes), how long one request may take, with all its tries.
    type: float
    default: 10
  not_before:
    description:
      - With O(platform=kubernetes), take over what another task of this run has listed at this time or later,
        in seconds since the epoch. V(0) lists anew.
      - The ladder sets it to the beginning of its present look, so that one look lists each kind once.
    type: float
    default: 0
requirements:
  - With O(platform=compose), on the host the C(docker) command and C(timeout) of coreutils or busybox.
  - With O(platform=kubernetes), on the controller the Python library C(kubernetes), version 29 or later.
notes:
  - The modules that touch the target form the action group C(saveit.remediation.target), so a play sets
    O(platform) and what goes with it once, in C(module_defaults).
  - When the platform cannot be asked, the task fails with RV(ignore:obstacle), and nothing was changed.
"""
