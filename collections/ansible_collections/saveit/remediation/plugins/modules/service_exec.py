#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: service_exec
short_description: Run a command inside a service
version_added: 0.1.0
description:
  - Runs a command in the first running container of a service, without a shell, and ends it there when it
    takes too long.
  - The task fails when no container runs, and when the command ends with any exit code but 0.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.attributes
attributes:
  check_mode:
    support: full
    details: With O(reads_only=true) the command runs in check mode too; otherwise the task only says what it
      would run.
  diff_mode:
    support: none
    details: Nobody knows what a command changes.
options:
  service:
    description: The service to run the command in, by the name that runbooks use.
    type: str
    required: true
  command:
    description: The command and its arguments. Each item stays one argument, whatever characters it has.
    type: list
    elements: str
    required: true
  stdin:
    description: What the command reads from its standard input. Secrets belong here, as arguments can be seen
      by others.
    type: str
    default: ""
  timeout_seconds:
    description: End the command, inside the container, after this time.
    type: float
    default: 10
  reads_only:
    description: The command changes nothing, so it reports no change.
    type: bool
    default: false
requirements:
  - In the container, the command C(timeout).
seealso:
  - module: saveit.remediation.redis_check
"""

EXAMPLES = r"""
---
- name: Ask PostgreSQL how many connections are open
  saveit.remediation.service_exec:
    platform: compose
    service: database
    command: [psql, --no-psqlrc, --username=saveit, --command=SELECT count(*) FROM pg_stat_activity]
    reads_only: true
  register: connections

- name: Let Redis save its data set
  saveit.remediation.service_exec:
    platform: compose
    service: redis
    command: [redis-cli, BGSAVE]

- name: Run SQL that is too long for an argument
  saveit.remediation.service_exec:
    platform: compose
    service: database
    command: [psql, --no-psqlrc, --username=saveit]
    stdin: "{{ lookup('ansible.builtin.file', 'unlock.sql') }}"
    timeout_seconds: 60
"""

RETURN = r"""
---
verdict:
  description: V(done), or V(planned) when the command was left out in check mode.
  returned: success
  type: str
  sample: done
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "'redis-cli' in saveit-redis ended well"
findings:
  description: Always empty; what the output means is known to the one who asked.
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
rc:
  description: The exit code, always V(0).
  returned: when the command ran
  type: int
  sample: 0
stdout:
  description: What the command printed.
  returned: when the command ran
  type: str
  sample: Background saving started
stderr:
  description: What the command printed as errors.
  returned: when the command ran
  type: str
  sample: ""
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
from ansible_collections.saveit.remediation.plugins.module_utils._service_exec import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
