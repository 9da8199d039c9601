#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: postgres_idle_cleanup
short_description: End PostgreSQL sessions that are idle too long
version_added: 0.1.0
description:
  - Ends sessions that have been idle longer than a limit, the oldest first, and only as many as needed.
  - One statement decides and ends. Each session is read once more in the moment before, and is let live
    when it became active in between.
  - Idleness is the time since C(state_change). Sessions of other databases, replication and background
    processes, and our own are never ended.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.postgres
  - saveit.remediation.attributes
attributes:
  check_mode:
    support: full
    details: The statement that is sent has no word that could end a session. It lists whom it would end.
  diff_mode:
    support: full
options:
  idle_minutes:
    description: End sessions that have been C(idle) for this long. Fractions are allowed.
    type: float
    default: 10
  idle_in_transaction_minutes:
    description:
      - End sessions that have been C(idle in transaction), aborted or not, for this long.
      - Without it they are left alone.
    type: float
  only_blocking:
    description: End only sessions that another session waits for.
    type: bool
    default: false
  target_used_percent:
    description: Stop as soon as no more than this share of C(max_connections) is used. Without it, all are
      ended.
    type: float
  exclude_users:
    description: Roles whose sessions are never ended.
    type: list
    elements: str
    default: []
  exclude_applications:
    description: Values of C(application_name) whose sessions are never ended.
    type: list
    elements: str
    default: []
  process_fallback:
    description:
      - When no slot is left for us, end one oldest idle session by SIGTERM to its server process inside the
        service, and then go on by SQL. Another one, up to three, only when somebody else took the slot.
      - How long that session has been idle cannot be seen; its process must be older than O(idle_minutes).
      - Nor can its C(application_name); so this is not done where O(exclude_applications) names any.
    type: bool
    default: false
seealso:
  - name: Monitoring statistics of PostgreSQL
    description: The view pg_stat_activity and its columns.
    link: https://www.postgresql.org/docs/current/monitoring-stats.html
  - module: saveit.remediation.postgres_info
"""

EXAMPLES = r"""
---
- name: End sessions that have been idle for ten minutes, as in the runbook
  saveit.remediation.postgres_idle_cleanup:
    platform: compose

- name: Free slots until no more than 60 % are used, whatever it takes to get in
  saveit.remediation.postgres_idle_cleanup:
    platform: compose
    target_used_percent: 60
    exclude_applications: [nightly-report]
    process_fallback: true

- name: End transactions that nobody works on and others wait for
  saveit.remediation.postgres_idle_cleanup:
    platform: compose
    idle_in_transaction_minutes: 0.5
    only_blocking: true
"""

RETURN = r"""
---
verdict:
  description: V(terminated), V(planned) in check mode, or V(unchanged) when there was nobody to end.
  returned: success
  type: str
  sample: terminated
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "postgres (saveit-postgres): ended 9 idle sessions, idle for up to 16 min; before: 39 of 40 slots
    used"
findings:
  description: Always empty; looking is the task of M(saveit.remediation.postgres_info).
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
before:
  description: Used slots, and the sessions by state, user and application, when the statement began.
  returned: success
  type: dict
  sample: {used: 39, maximum: 40, reserved: 3, used_percent: 97.5, by_state: {idle: 35}}
after:
  description: The same once they were gone; null when nothing was ended.
  returned: success
  type: dict
  sample: {used: 24, maximum: 40, reserved: 3, used_percent: 60.0, by_state: {idle: 20}}
terminated:
  description: The sessions that were ended, the oldest first.
  returned: success
  type: list
  elements: dict
  sample: [{pid: 51, user: saveit, application: nightly-report, state: idle, seconds: 960.1}]
would_terminate:
  description: In check mode, the sessions that would be ended.
  returned: success
  type: list
  elements: dict
  sample: []
not_permitted:
  description: The process ids of sessions that would be ended if our role were allowed to.
  returned: success
  type: list
  elements: int
  sample: []
processes:
  description: The server processes that were ended to get in, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: []
longest_query:
  description: The active query that runs longest, its literals taken out; null when none runs.
  returned: success
  type: dict
  sample: {pid: 71, user: saveit, seconds: 12.5, query: "SELECT * FROM items WHERE id = ?"}
server_version:
  description: The version of the server.
  returned: success
  type: str
  sample: "15.18"
diff:
  description: The sessions and processes that were ended.
  returned: changed
  type: dict
  sample: {before: "session 51 of saveit from 10.0.0.7, idle for 16 min", after: ""}
observed_at:
  description: When it was seen, in seconds since the epoch by the clock of the controller.
  returned: always
  type: float
  sample: 1795421651.25
obstacle:
  description: Why no remedy can help here, when it failed because the platform or the server cannot be asked.
  returned: when the platform or the server cannot be asked
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
from ansible_collections.saveit.remediation.plugins.module_utils._postgres_idle_cleanup import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
