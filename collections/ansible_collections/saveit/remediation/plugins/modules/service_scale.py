#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: service_scale
short_description: Add an instance of a service, or say why there cannot be one
version_added: 0.1.0
description:
  - A service with a C(container_name) or a fixed host port cannot have a second container. Then
    nothing is done,
    and the task says which lines of the compose file prevent it.
  - Otherwise the host's own compose tool makes the containers, and leaves those alone that run.
    When one of them
    does not run afterwards, or is not configured as the others are, all new ones are removed again and the
    task fails.
  - On Kubernetes, where a HorizontalPodAutoscaler owns the workload, its C(minReplicas) is raised, and its
    C(maxReplicas) up to O(autoscaler_maximum) where needed; C(spec.replicas) is left to it. Without one, the
    replicas are set through the C(scale) subresource.
  - On Kubernetes, every value is written with the one that was read as its precondition. A quota or nodes
    that cannot take more pods are said beforehand. When new pods find no room all the same, it is put back
    and the task fails.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.record
  - saveit.remediation.record.changing
  - saveit.remediation.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  service:
    description: The service to act on, by the name that runbooks use.
    type: str
    required: true
  instances:
    description: How many instances there are to be. With V(0), one more than now. It never removes any.
    type: int
    default: 0
  maximum:
    description: No more than this. An autoscaler's own maximum counts instead where there is one.
    type: int
    default: 5
  autoscaler_maximum:
    description:
      - On Kubernetes, how far the C(maxReplicas) of an autoscaler may be raised when it is in the way.
      - With V(0), or a lower number than it has, it stays.
    type: int
    default: 0
  stateless:
    description:
      - On Kubernetes, whether more pods add capacity although the workload is a StatefulSet, or has the
        strategy C(Recreate). Otherwise these are not scaled, unless an autoscaler owns them.
    type: bool
    default: false
  ready_seconds:
    description: On Kubernetes, how long the new pods may take to be ready. An autoscaler acts every 15 s.
    type: float
    default: 90
  metrics_seconds:
    description:
      - On Kubernetes, until when the metrics show whether it helped. They are means over half a minute, and
        a new pod has none for a minute. It is the RV(patience_seconds) of the result.
    type: float
    default: 120
  put_back:
    description:
      - The RV(changes) of an earlier task. The old values are set again where the new ones are
        still in force, which the sentence tells otherwise.
      - On docker-compose, the compose tool removes the newest containers again.
    type: list
    elements: dict
    default: []
  minutes:
    description: When it expires, up to 90 days. C(saveit-remediate revert --expired) then puts it back.
    type: int
    default: 60
  compose_command:
    description:
      - The compose tool, as a list of arguments.
      - When empty, C(compose) of O(docker_command) is tried, then C(docker-compose).
    type: list
    elements: str
    default: []
seealso:
  - module: saveit.remediation.temporary_changes
  - module: saveit.remediation.service_limits
"""

EXAMPLES = r"""
---
- name: Add an instance of the worker
  saveit.remediation.service_scale:
    platform: compose
    service: worker

- name: Have three instances of the worker for half an hour
  saveit.remediation.service_scale:
    platform: compose
    service: worker
    instances: 3
    minutes: 30

- name: Have one more pod of the backend, whose autoscaler may have up to 15
  saveit.remediation.service_scale:
    platform: kubernetes
    service: backend
    autoscaler_maximum: 15
  register: scaled

- name: Put it back
  saveit.remediation.service_scale:
    platform: kubernetes
    service: backend
    put_back: "{{ scaled.changes }}"
"""

RETURN = r"""
---
verdict:
  description:
    - V(scaled) or V(put-back), V(planned) in check mode.
    - V(unchanged) when there cannot be more; the sentence has the reason.
  returned: success
  type: str
  sample: scaled
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "scaled worker from 1 to 2 instances"
findings:
  description: Always empty; looking is the task of M(saveit.remediation.service_info).
  returned: success
  type: list
  elements: dict
  sample: []
evidence:
  description: Always empty; a change proves nothing about recovery.
  returned: success
  type: list
  elements: dict
  sample: []
service:
  description: The service after the change, as M(saveit.remediation.service_info) returns it.
  returned: success
  type: dict
  sample: {name: worker, state: running, instances: []}
instances_before:
  description: How many there were.
  returned: success
  type: int
  sample: 1
instances_after:
  description: How many there are, or would be in check mode.
  returned: success
  type: int
  sample: 2
changes:
  description: What was changed, or would be in check mode, for O(put_back).
  returned: success
  type: list
  elements: dict
  contains:
    object:
      description: What has the number.
      type: str
      sample: horizontalpodautoscalers/saveit-backend-hpa
    field:
      description: Its name there.
      type: str
      sample: minReplicas
    before:
      description: The old value.
      type: int
      sample: 2
    after:
      description: The new value.
      type: int
      sample: 3
    change_id:
      description: The id of its record; empty when it is not recorded.
      type: str
      sample: 3f2a9c01
patience_seconds:
  description: How long it may take until it shows that it helped, where the platform knows.
  returned: when the platform knows
  type: float
  sample: 120
put_back:
  description: The command that puts it back. Empty when nothing was changed.
  returned: success
  type: str
  sample: docker compose -p saveit up -d --no-deps --no-recreate --scale worker=1 worker
over:
  description: With O(put_back), whether nothing is left of the change, so that its record was dropped.
  returned: success
  type: bool
  sample: false
ends_at:
  description: When it should be put back, ISO 8601. Empty when nothing was changed.
  returned: success
  type: str
  sample: "2026-11-23T11:20:00+00:00"
diff:
  description: How many instances, before and after.
  returned: changed
  type: dict
  sample:
    before: |
      worker: 1 instances
    after: |
      worker: 2 instances
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
from ansible_collections.saveit.remediation.plugins.module_utils._service_scale import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
