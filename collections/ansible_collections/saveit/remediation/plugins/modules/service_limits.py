#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: service_limits
short_description: Raise the memory limit or the CPU cap of a running service, and put it back
version_added: 0.1.0
description:
  - Changes the limit of each running container of a service with C(docker update), so that nothing restarts.
  - Acts only while the limit is what O(assessed) says, never beyond O(maximum), and never on a
    stopped container.
    One raise promises a container at most half of the host's free memory, and leaves the host half a core.
  - The change is meant for a time, and recorded on the target before it is made.
  - A restart keeps the new limit. A container that is made anew, by C(docker compose up) for instance, has
    the limit of the compose file again, and putting back then says so.
  - On Kubernetes nothing is changed, as a limit belongs to the pod template and changing it replaces every
    pod. The sentence says so.
  - A memory limit is not put back while the container uses so much that processes of it would be killed.
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
  resource:
    description: Which limit.
    type: str
    required: true
    choices: [memory, cpu]
  raise_percent:
    description: By how much the limit is raised.
    type: int
    default: 50
  maximum:
    description: Never above this, in MiB or cores. With V(0) only the host is the bound.
    type: float
    default: 0
  assessed:
    description:
      - The RV(saveit.remediation.service_usage#module:usage) on which the decision rests.
      - A container whose limit is no longer what it was then is left alone.
    type: list
    elements: dict
    default: []
  put_back:
    description: >-
      The RV(limits) of an earlier change. The old values are set again where the new ones are still
      in force, which the sentence tells otherwise.
    type: list
    elements: dict
    default: []
  minutes:
    description: When it expires, up to 90 days. C(saveit-remediate revert --expired) then puts it back.
    type: int
    default: 60
seealso:
  - module: saveit.remediation.temporary_changes
  - module: saveit.remediation.service_usage
"""

EXAMPLES = r"""
---
- name: Give the backend half as much memory again
  saveit.remediation.service_limits:
    platform: compose
    service: backend
    resource: memory
    maximum: 2048
  register: raised

- name: Put it back
  saveit.remediation.service_limits:
    platform: compose
    service: backend
    resource: memory
    put_back: "{{ raised.limits }}"
"""

RETURN = r"""
---
verdict:
  description:
    - V(raised) or V(put-back), V(planned) in check mode.
    - V(unchanged) when the limit must not be changed; the sentence has the reason.
  returned: success
  type: str
  sample: raised
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "raised the memory limit of backend: saveit-backend from 1024 to 1536 MiB"
findings:
  description: Always empty; looking is the task of M(saveit.remediation.service_usage).
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
limits:
  description: What was changed, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The container's id. When it was made anew meanwhile, there is nothing to put back.
      type: str
      sample: 280b56124ad0
    name:
      description: Its name.
      type: str
      sample: saveit-backend
    resource:
      description: Which limit.
      type: str
      sample: memory
    before:
      description: The old value, in MiB or cores.
      type: float
      sample: 1024.0
    after:
      description: The new value.
      type: float
      sample: 1536.0
    put_back:
      description: The command that sets the old value again.
      type: str
      sample: docker update --memory=1073741824 --memory-swap=2147483648 saveit-backend
    change_id:
      description: The id of its record; empty when it is not recorded.
      type: str
      sample: 3f2a9c01
ends_at:
  description: When the raise should be put back, ISO 8601. Empty when nothing was raised.
  returned: success
  type: str
  sample: "2026-11-23T11:20:00+00:00"
over:
  description: With O(put_back), whether nothing is left of the change, so that its record was dropped.
  returned: success
  type: bool
  sample: false
diff:
  description: Each container's limit, before and after.
  returned: changed
  type: dict
  sample:
    before: |
      saveit-backend: memory limit 1024 MiB
    after: |
      saveit-backend: memory limit 1536 MiB
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
from ansible_collections.saveit.remediation.plugins.module_utils._service_limits import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
