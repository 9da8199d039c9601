#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: service_usage
short_description: How much memory or CPU a service takes of what it may take
version_added: 0.1.0
description:
  - Reads the kernel's own counters for the containers of a service, from inside, in cgroups of
    version 1 and 2.
    Where that does not work, C(docker stats) is asked, which takes longer and knows less.
  - Memory is the working set, without the part of the page cache that the kernel takes back before it kills
    anything. This is what the kubelet counts too.
  - OOM kills are those of the last O(oom_window_seconds) that may go on, so those since a person or a tool
    last started the container, and since its limits were changed. A kill of a worker process does not show
    in the container's state, so the kernel's counter, the engine's events and, where the engine has
    forgotten, the log are asked.
  - On Kubernetes, C(metrics.k8s.io) is asked, and OOM kills are those that the containers' states show. Where
    there are no metrics, up to three containers are read inside, and for throttling the busiest one, if this
    account may.
    What nobody can tell is V(null), with the reason in the sentence, and never zero.
  - On Kubernetes, evidence tells what a HorizontalPodAutoscaler of the service wants, and beside another
    finding C(autoscaler-at-maximum), C(autoscaler-no-metrics) or C(autoscaler-disabled) says what keeps it
    from adding pods.
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
  resource:
    description: What to look at.
    type: str
    required: true
    choices: [memory, cpu]
  memory_threshold_percent:
    description: >-
      The working set is high when it takes as much of the memory limit, or of the host without
      one.
    type: float
    default: 85
  oom_window_seconds:
    description:
      - How far back OOM kills count, by the clock of the engine's host.
      - The engine keeps only its last events, on a busy host those of a few minutes.
    type: float
    default: 60
  death_pattern:
    description:
      - A line of the log that matches this regular expression says that a process of the service died.
      - It counts only where the kernel counted OOM kills.
    type: str
    default: '(?i)(child|worker) process \[?\d+\]? died'
  cpu_threshold_percent:
    description: The CPU is high when it takes as much of its cap, or of the host's cores without one.
    type: float
    default: 90
  throttled_threshold_percent:
    description: The service is throttled when it had to wait in so many of the scheduler's periods.
    type: float
    default: 25
  window_seconds:
    description: The time between the two readings of the CPU.
    type: float
    default: 1
  confirm_seconds:
    description: When the window shows too much, it is made longer by so many seconds. With V(0) it is not.
    type: float
    default: 3
  required:
    description:
      - Whether it fails when nothing runs, or nobody can tell.
      - Otherwise that is a finding, C(usage-unknown).
    type: bool
    default: false
seealso:
  - module: saveit.remediation.service_limits
  - module: saveit.remediation.service_scale
"""

EXAMPLES = r"""
---
- name: Look at the memory of the backend
  saveit.remediation.service_usage:
    platform: compose
    service: backend
    resource: memory

- name: Look at the CPU of the backend over two seconds
  saveit.remediation.service_usage:
    platform: compose
    service: backend
    resource: cpu
    window_seconds: 2
"""

RETURN = r"""
---
verdict:
  description:
    - V(healthy), V(memory-oom), V(memory-high), V(cpu-throttled) or V(cpu-high).
    - V(usage-unknown) when nothing runs, or nobody can tell.
  returned: success
  type: str
  sample: memory-high
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "backend: saveit-backend uses 930 MiB of its limit of 1024 MiB (91 %), the threshold is 85 %"
findings:
  description: What is over its threshold, with V(id), V(subject) and V(sentence).
  returned: success
  type: list
  elements: dict
  sample: []
evidence:
  description: >-
    C(memory_percent) and C(oom_kills), or C(cpu_percent) and C(throttled_percent), of the
    worst instance.
  returned: success
  type: list
  elements: dict
  sample: []
usage:
  description: What each running container takes. V(null) is "no data"; a limit or a cap of V(0) is "none".
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The container.
      type: str
      sample: saveit-backend
    working_set_mb:
      description: The working set, in MiB.
      type: float
      sample: 930.4
    memory_limit_mb:
      description: The memory limit, in MiB.
      type: float
      sample: 1024.0
    memory_percent:
      description: The working set in percent of the limit.
      type: float
      sample: 90.9
    oom_kills:
      description: OOM kills within the window, since the last start and since the last change of the limits.
      type: int
      sample: 0
    cpu_cores:
      description: Cores that were used.
      type: float
      sample: 0.98
    cpu_cap:
      description: Cores that may be used.
      type: float
      sample: 1.0
    cpu_percent:
      description: The cores that were used in percent of the cap.
      type: float
      sample: 98.0
    throttled_percent:
      description: Periods in which the container had to wait, in percent.
      type: float
      sample: 72.0
    why_unknown:
      description: Why there is no data, or none about the throttling. Empty when there is, or nobody says.
      type: str
      sample: ""
    known_by:
      description: When there will be data, in seconds since the epoch; V(0) where nobody can tell.
      type: float
      sample: 0
known_by:
  description: >-
    The latest of them, for which the ladder waits: a new pod of Kubernetes has no metrics for a minute
    or more.
  returned: success
  type: float
  sample: 0
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
from ansible_collections.saveit.remediation.plugins.module_utils._service_usage import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
