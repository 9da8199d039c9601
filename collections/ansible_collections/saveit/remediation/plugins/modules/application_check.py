#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: application_check
short_description: Is the application ready, and if not, why
version_added: 0.1.0
description:
  - Looks at the containers of a service, asks its ready endpoint several times, and its frontend.
  - When something is wrong it looks closer, at the log, the live and the health endpoint, and whether a new
    connection to the database works. A backend whose database is at fault must not be restarted.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.attributes
  - saveit.remediation.attributes.reads
options:
  service:
    description: The service to check, by the name that runbooks use.
    type: str
    default: backend
  url:
    description: Where O(service) says whether it is ready; by default made of the options below.
    type: str
    default: ""
  backend_service:
    description: The service that is the backend; its frontend and database are looked at too.
    type: str
    default: backend
  backend_url:
    description: The backend as a user reaches it, without a path.
    type: str
    default: ""
  ready_path:
    description: The path where the backend says whether it is ready.
    type: str
    default: /api/v1/health/ready
  live_path:
    description: The path where the backend says that it is alive.
    type: str
    default: /api/v1/health/live
  health_path:
    description: The path where the backend tells about its database.
    type: str
    default: /api/v1/health
  database_field:
    description: The field of the health answer with the database's status and error.
    type: str
    default: components.database
  frontend_service:
    description: The service that serves the pages.
    type: str
    default: frontend
  frontend_url:
    description: The frontend as a user reaches it, without a path. When empty, it is not asked.
    type: str
    default: ""
  frontend_path:
    description: The path where the frontend says that it is well.
    type: str
    default: /health
  database_service:
    description: The service that is the database, where it runs on this host.
    type: str
    default: ""
  database_command:
    description:
      - A command inside the backend that prints V(imported), and then connects to the database.
      - It best sets itself an alarm (C(SIGALRM)) in between; a slow host is not a slow database then.
    type: list
    elements: str
    default: []
  database_timeout_seconds:
    description: How long O(database_command) may take.
    type: float
    default: 30
  database_pattern:
    description: A last log line that matches says that the database is at fault.
    type: str
    default: psycopg|OperationalError|too many clients
  samples:
    description: How often the ready endpoint is asked.
    type: int
    default: 24
  timeout_seconds:
    description: How long one answer may take.
    type: float
    default: 5
  start_seconds:
    description: How long a start may take.
    type: float
    default: 60
  started_pattern:
    description: A log line that matches says that the start has ended.
    type: str
    default: Application startup complete
  died_pattern:
    description:
      - A log line that matches says that a worker process has died.
      - Deaths are a crash loop while more of them are to be expected by their pace. Those before the
        container's last start do not count, nor those after which a start outlived the ones before.
    type: str
    default: Child process \[\d+\] died
  log_lines:
    description: How many log lines are kept as evidence when something is wrong.
    type: int
    default: 100
  wait_seconds:
    description: How long to wait while it is starting. Not waited for in check mode.
    type: float
    default: 0
seealso:
  - module: saveit.remediation.http_check
  - module: saveit.remediation.service_restart
"""

EXAMPLES = r"""
---
- name: Find out why the backend does not serve
  saveit.remediation.application_check:
    platform: compose
    backend_url: http://127.0.0.1:8000
    frontend_url: http://127.0.0.1:5000
    database_service: postgres

- name: Wait until the backend has started
  saveit.remediation.application_check:
    platform: compose
    backend_url: http://127.0.0.1:8000
    wait_seconds: 60
"""

RETURN = r"""
---
verdict:
  description: V(healthy), or the id of the first finding.
  returned: success
  type: str
  sample: application-not-ready
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "backend: http://127.0.0.1:8000/api/v1/health/ready: 5 of 12 answers 503, 7 of 12 answers 200"
findings:
  description: What is wrong, cause first.
  returned: success
  type: list
  elements: dict
  sample: []
evidence:
  description: State, share of failed answers, restarts by the engine; when something is wrong, the log too.
  returned: success
  type: list
  elements: dict
  sample: []
sick:
  description: The services that the findings are about.
  returned: success
  type: list
  elements: str
  sample: [backend]
start_seconds:
  description: How long a start of this service may take, by the one that is in its log.
  returned: success
  type: float
  sample: 27.3
service:
  description: The service as it was seen.
  returned: success
  type: dict
  sample: {}
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

from ansible_collections.saveit.remediation.plugins.module_utils._application_check import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._module import run_module


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
