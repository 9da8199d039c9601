#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: service_info
short_description: State of a service
version_added: 0.1.0
description:
  - Looks at every container of a service and says what state it is in, and since when.
  - A container that is stopped, paused, dead, restarting or never started becomes a finding. Nothing is
    changed.
  - On Kubernetes the service is the Deployment, StatefulSet or DaemonSet that O(service_names) names, else
    the one with the label C(app.kubernetes.io/name). What its pods, their events and nodes, its rollout and
    the quota say becomes a finding of its own each, with the words of the event. When two workloads match,
    it fails with RV(ignore:obstacle).
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.attributes
  - saveit.remediation.attributes.reads
options:
  service:
    description: The service to look at, by the name that runbooks use.
    type: str
    required: true
  required:
    description: When V(false), a service that has no container or workload is an answer, V(absent), and no
      obstacle.
    type: bool
    default: true
  otherwise:
    description: The service to look at instead, where O(service) has no container.
    type: str
    default: ""
  otherwise_port:
    description: Look at O(otherwise) only if a container of it publishes this port of the host, or a pod of
      it has this port; with V(0), always.
    type: int
    default: 0
seealso:
  - module: saveit.remediation.service_restart
  - module: saveit.remediation.service_logs
"""

EXAMPLES = r"""
---
- name: Look at Redis
  saveit.remediation.service_info:
    platform: compose
    service: redis
  register: seen

- name: Look at the database of a project that calls it db
  saveit.remediation.service_info:
    platform: compose
    project: saveit-staging
    service: database
    service_names:
      database: db

- name: Look through another Docker context
  saveit.remediation.service_info:
    platform: compose
    service: backend
    docker_command: [docker, --context, staging]

- name: Find out whether the broker is a service of its own, or embedded in the backend
  saveit.remediation.service_info:
    platform: compose
    service: mosquitto
    otherwise: backend
    otherwise_port: 1883
    required: false
"""

RETURN = r"""
---
verdict:
  description:
    - The state of the sickest instance, one of V(running), V(created), V(paused), V(restarting), V(removing),
      V(stopped) or V(dead); V(absent) when there is none.
  returned: success
  type: str
  sample: stopped
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "redis: saveit-redis is stopped, exit code 0 at 2026-11-23T02:47:11.123Z"
findings:
  description: One for each state that is not running.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: What is wrong, as the runbook calls it.
      type: str
      sample: service-stopped
    subject:
      description: The service that it is about.
      type: str
      sample: redis
    sentence:
      description: What was seen.
      type: str
      sample: "redis: saveit-redis is stopped, exit code 0 at 2026-11-23T02:47:11.123Z"
evidence:
  description: State and restarts of the service.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: What was measured, the service first.
      type: str
      sample: redis.state
    value:
      description: The measured value; null means that there is no data, which is neither zero nor good.
      type: raw
      sample: stopped
    sentence:
      description: Where the value comes from.
      type: str
      sample: ""
service:
  description: What was seen.
  returned: success
  type: dict
  contains:
    name:
      description: The name that runbooks use.
      type: str
      sample: redis
    state:
      description: The state of the sickest instance; V(running) only when all of them are, V(absent) when
        there is none.
      type: str
      sample: stopped
    workload:
      description: On Kubernetes, what makes its pods.
      type: str
      sample: Deployment saveit-backend
    instances:
      description: >-
        The containers of the service, each with its RV(ignore:id), RV(ignore:name), RV(ignore:state),
        RV(ignore:health), RV(ignore:exit_code), RV(ignore:restarts), RV(ignore:oom_killed),
        RV(ignore:started_at), RV(ignore:finished_at), RV(ignore:error), RV(ignore:start_period) (in
        seconds, of its own health check) and RV(ignore:ports); of a pod also its RV(ignore:container), and
        in RV(ignore:trouble) and RV(ignore:said) what is wrong with it.
      type: list
      elements: dict
      sample:
        - id: 4f1c2d
          name: saveit-redis
          state: stopped
          health: ""
          exit_code: 0
          restarts: 0
          oom_killed: false
          started_at: "2026-11-23T02:47:11.123Z"
          finished_at: "2026-11-23T02:47:11.123Z"
          error: ""
          ports: []
found:
  description: The service that was looked at, O(service) or O(otherwise); empty when there is none.
  returned: success
  type: str
  sample: redis
observed_at:
  description: When it was seen, in seconds since the epoch by the clock of the controller.
  returned: always
  type: float
  sample: 1795421651.25
obstacle:
  description: Why no remedy can help here, when it failed because the platform cannot be asked.
  returned: when the platform cannot be asked
  type: dict
  contains:
    id:
      description: Which obstacle.
      type: str
      sample: no-engine
    outcome:
      description: How a run ends because of it, V(unreachable) or V(refused).
      type: str
      sample: unreachable
"""

from ansible_collections.saveit.remediation.plugins.module_utils._module import run_module
from ansible_collections.saveit.remediation.plugins.module_utils._service_info import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
