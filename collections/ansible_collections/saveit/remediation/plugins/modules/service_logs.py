#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: service_logs
short_description: Last log lines of a service
version_added: 0.1.0
description:
  - Reads the last log lines of every container of a service, and counts those that match.
  - Passwords, tokens and keys are hidden before anything is returned, as far as their shape gives them away.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.attributes
  - saveit.remediation.attributes.reads
options:
  service:
    description: The service whose log is read, by the name that runbooks use.
    type: str
    required: true
  required:
    description: When V(false), a service that has no container is an answer, V(absent), and no obstacle.
    type: bool
    default: true
  tail:
    description: How many lines of each container to read at most.
    type: int
    default: 100
  since_seconds:
    description: Read only lines that are not older than this. V(0) sets no limit.
    type: float
    default: 0
  since_start:
    description:
      - Read only lines since the container's own last start. What it said in a life before says nothing about
        this one.
    type: bool
    default: false
  count:
    description:
      - Regular expressions by name. The number of lines that match becomes evidence under that name.
      - The expressions are Python's, and match anywhere in a line.
    type: dict
    default: {}
seealso:
  - module: saveit.remediation.service_info
"""

EXAMPLES = r"""
---
- name: Read the last words of Redis
  saveit.remediation.service_logs:
    platform: compose
    service: redis
    tail: 20

- name: Count what the backend said about Redis in the last minute
  saveit.remediation.service_logs:
    platform: compose
    service: backend
    tail: 1000
    since_seconds: 60
    count:
      redis_errors: (?i)redis.*(failed|error|timeout|refused)
  register: log
"""

RETURN = r"""
---
verdict:
  description: V(read); V(absent) when there is no such service.
  returned: success
  type: str
  sample: read
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "backend: 214 log lines of the last 60 s: 3 redis_errors"
findings:
  description: Always empty; a log line alone is no finding.
  returned: success
  type: list
  elements: dict
  sample: []
evidence:
  description: For each name in O(count), how many lines match, and the last of them.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: What was measured, the service first.
      type: str
      sample: backend.redis_errors
    value:
      description: The measured value; null means that there is no data, which is neither zero nor good.
      type: raw
      sample: 3
    sentence:
      description: Where the value comes from.
      type: str
      sample: "2026-11-23T02:48:10Z ✗ Redis connection failed"
lines:
  description: The lines of all containers, both streams, each with the engine's time in front.
  returned: success
  type: list
  elements: str
  sample: ["2026-11-23T02:48:10Z ✗ Redis connection failed"]
matching:
  description: The last ten lines that match, by the names in O(count).
  returned: success
  type: dict
  sample: {redis_errors: ["2026-11-23T02:48:10Z ✗ Redis connection failed"]}
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
from ansible_collections.saveit.remediation.plugins.module_utils._service_logs import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
