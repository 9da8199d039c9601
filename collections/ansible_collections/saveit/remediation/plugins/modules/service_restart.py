#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: service_restart
short_description: Start, unpause, restart, recreate or undo a service
version_added: 0.1.0
description:
  - Acts on those containers of a service that are in the state which the method is for, and on no other.
  - Each method is for one state, so a container that has changed since it was assessed is left alone, and the
    task says why.
  - On Kubernetes it acts on the workload behind the service, a Deployment, StatefulSet or DaemonSet, and
    waits until its pods are there. How long depends on how long its pods took to start before, on their
    probes, and on C(progressDeadlineSeconds). The change has the C(resourceVersion) that was read as its
    precondition; on a conflict it is read and decided again, three times at most.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
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
  others:
    description: More services that are treated in the same way, after O(service).
    type: list
    elements: str
    default: []
  method:
    description:
      - V(start) starts stopped containers, and those that were created and never started. On Kubernetes it
        gives a workload that was scaled to zero the C(minReplicas) of its autoscaler, or one pod.
      - V(unpause) lets paused containers go on. Kubernetes has none.
      - V(restart) restarts running containers. What they hold in memory and did not save is lost. On
        Kubernetes it is a rollout restart, the annotation C(kubectl.kubernetes.io/restartedAt). It is not
        tried while another rollout is under way or paused, when it would take away more pods than a
        PodDisruptionBudget allows, and when new pods would suffer from the same as the old ones (an image
        that cannot be pulled, a lack of room or quota, a bad configuration).
      - V(recreate) makes the containers anew with the host's own compose command, from the files that their
        labels name. It refuses when these are gone, when the image is another one, and when a variable that
        the files use is not set. Named volumes are kept. On Kubernetes a restart does that.
      - V(undo) brings the pod template of the revision before back, when a rollout of a workload fails, and
        only then. docker-compose has no revisions.
    type: str
    choices: [start, unpause, restart, recreate, undo]
    default: restart
  grace_seconds:
    description:
      - How long a container may take to end by itself before it is killed.
      - On Kubernetes the workload itself says it, C(terminationGracePeriodSeconds).
    type: int
    default: 10
  started_pattern:
    description:
      - A log line that matches this regular expression says that a start of the service has ended.
      - From it comes how long the last start took, and from that RV(patience_seconds). Not looked for when
        empty.
    type: str
    default: ""
  compose_command:
    description:
      - The compose command of this host, as a list of arguments, for O(method=recreate).
      - By default the plugin C(docker compose), else C(docker-compose).
    type: list
    elements: str
    default: []
seealso:
  - module: saveit.remediation.service_info
"""

EXAMPLES = r"""
---
- name: Start Redis when it is stopped
  saveit.remediation.service_restart:
    platform: compose
    service: redis
    method: start

- name: Unpause the database
  saveit.remediation.service_restart:
    platform: compose
    service: database
    method: unpause

- name: Restart the backend, with half a minute to finish its requests
  saveit.remediation.service_restart:
    platform: compose
    service: backend
    grace_seconds: 30

- name: Undo a rollout of the backend that fails
  saveit.remediation.service_restart:
    platform: kubernetes
    context: production
    service: backend
    method: undo
"""

RETURN = r"""
---
verdict:
  description:
    - V(started), V(unpaused), V(restarted), V(recreated) or V(undone), V(planned) in check mode,
      V(unchanged) when no container is in a state that the method is for, or the workload is better left
      alone.
  returned: success
  type: str
  sample: started
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "redis was started (saveit-redis)"
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
  description: The service after the change, or as it is when nothing was changed.
  returned: success
  type: dict
  contains:
    name:
      description: The name that runbooks use.
      type: str
      sample: redis
    state:
      description: The state of the sickest instance; V(running) only when all of them are.
      type: str
      sample: running
    workload:
      description: On Kubernetes, what makes its pods.
      type: str
      sample: Deployment saveit-backend
    instances:
      description: >-
        The containers of the service, each with its RV(ignore:id), RV(ignore:name), RV(ignore:state),
        RV(ignore:health), RV(ignore:exit_code), RV(ignore:restarts), RV(ignore:oom_killed),
        RV(ignore:started_at), RV(ignore:finished_at), RV(ignore:error) and RV(ignore:start_period); of a
        pod also its RV(ignore:container), and in RV(ignore:trouble) and RV(ignore:said) what is wrong with
        it.
      type: list
      elements: dict
      sample:
        - id: 4f1c2d
          name: saveit-redis
          state: running
          health: ""
          exit_code: 0
          restarts: 0
          oom_killed: false
          started_at: "2026-11-23T02:47:11.123Z"
          finished_at: ""
          error: ""
patience_seconds:
  description:
    - How long the start may take, three times what the last one took by its log, or as long as its own health
      check gives it (its start period), and never more than 300.
    - The ladder waits so long, where that is more than the runbook's own number.
  returned: when something was started with O(started_pattern), and either of them is known
  type: float
  sample: 57.0
diff:
  description: Each container that was acted on, before and after; on Kubernetes what is changed of the
    workload.
  returned: changed
  type: dict
  sample:
    before: |
      saveit-redis: stopped since 2026-11-22T18:03:40.010Z
    after: |
      saveit-redis: running since 2026-11-23T02:49:02.871Z
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
from ansible_collections.saveit.remediation.plugins.module_utils._service_restart import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
