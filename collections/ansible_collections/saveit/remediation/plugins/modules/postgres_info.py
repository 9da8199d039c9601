#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: postgres_info
short_description: Does PostgreSQL serve, and who holds its slots
version_added: 0.1.0
description:
  - Tells apart why a PostgreSQL server does not serve its clients.
  - Counts its sessions by state, user and application, and shows the longest query and who waits for whom.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.postgres
  - saveit.remediation.attributes
attributes:
  check_mode:
    support: full
    details: It only reads. O(wait_seconds) is taken as V(0).
  diff_mode:
    support: N/A
    details: It changes nothing.
options:
  used_percent_limit:
    description: Too many slots are used above this share of C(max_connections).
    type: float
    default: 85
  waiting_seconds:
    description: A query that waits for a lock for longer than this is held up.
    type: float
    default: 5
  slow_milliseconds:
    description: The server is slow when our look takes longer than this, by the clock of the server.
    type: float
    default: 1000
  wait_seconds:
    description: Ask again for up to this time while PostgreSQL says that it is starting.
    type: int
    default: 0
  client:
    description: What somebody who uses the database was seen to get, so that its side is judged too.
    type: dict
    suboptions:
      name:
        description: Who it is.
        type: str
        required: true
      verdict:
        description: The verdict of M(saveit.remediation.http_check) about it; empty when it was not asked.
        type: str
        default: ""
      sentence:
        description: The sentence of that check.
        type: str
        default: ""
      said:
        description: Lines of its log about the database. They count only while it fails or is slow.
        type: list
        elements: str
        default: []
      command:
        description:
          - A command inside it that prints V(imported) and then connects to the database as it does.
          - It is asked where nothing here runs O(service) and O(login_host) is empty. That says whether the
            database takes connections, and nothing about its sessions.
        type: list
        elements: str
        default: []
      timeout_seconds:
        description: How long O(client.command) may take.
        type: float
        default: 30
seealso:
  - name: Monitoring statistics of PostgreSQL
    description: The view pg_stat_activity and its columns.
    link: https://www.postgresql.org/docs/current/monitoring-stats.html
  - module: saveit.remediation.postgres_idle_cleanup
"""

EXAMPLES = r"""
---
- name: Look into the database through psql in its container
  saveit.remediation.postgres_info:
    platform: compose
  register: database

- name: Look into a managed database from here
  saveit.remediation.postgres_info:
    platform: compose
    login_host: db.staging.example.com
    login_password: "{{ vault_database_password }}"
    ssl_mode: verify-full
"""

RETURN = r"""
---
verdict:
  description:
    - One of V(healthy), V(refused), V(timeout), V(starting), V(auth), V(slots), V(readonly), V(slow) or
      V(error).
  returned: success
  type: str
  sample: healthy
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "postgres (saveit-postgres) answers: PostgreSQL 15.18, 9 of 40 slots used (22.5 %, 3 reserved), 2
    ms for our look"
findings:
  description: One for each thing that is wrong with the server or with those who use it.
  returned: success
  type: list
  elements: dict
  sample: []
evidence:
  description: The answer, the slots, how many wait for locks, the longest query, and how long our look took.
  returned: success
  type: list
  elements: dict
  sample: [{name: postgres.slots, value: free, sentence: ""}]
answer:
  description: The same as RV(verdict).
  returned: success
  type: str
  sample: healthy
server_version:
  description: The version of the server, empty when it did not answer.
  returned: success
  type: str
  sample: "15.18"
connections:
  description: Used slots, the maximum, the reserved ones, and the sessions by state, user and application.
  returned: success
  type: dict
  sample: {used: 9, maximum: 40, reserved: 3, used_percent: 22.5, by_state: {idle: 9}}
longest_query:
  description: The active query that runs longest, its literals taken out; null when none runs.
  returned: success
  type: dict
  sample: {pid: 71, user: saveit, seconds: 12.5, query: "SELECT * FROM items WHERE id = ?"}
waiting:
  description: The sessions that have waited for a lock for O(waiting_seconds), and whom for.
  returned: success
  type: list
  elements: dict
  sample: []
idle_in_transaction:
  description: The sessions with an open transaction in which nothing happens, the longest first.
  returned: success
  type: list
  elements: dict
  sample: []
tables:
  description: Slots, connections by state and application, the longest query, and who waits for locks.
  returned: success
  type: list
  elements: dict
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
from ansible_collections.saveit.remediation.plugins.module_utils._postgres_info import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
