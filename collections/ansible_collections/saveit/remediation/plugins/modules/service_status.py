#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: service_status
short_description: State, readiness, restarts, CPU and memory of all services
version_added: 0.1.0
description:
  - Looks at every container of the project in three questions to the engine, and makes one table of it.
  - Nothing is changed.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.attributes
  - saveit.remediation.attributes.reads
options:
  ready:
    description:
      - What a check from outside said of a service, by its name; shown instead of the engine's own health,
        which may be good while the service is of no use.
    type: dict
    default: {}
seealso:
  - module: saveit.remediation.service_info
  - module: saveit.remediation.service_logs
"""

EXAMPLES = r"""
---
- name: Look at all services
  saveit.remediation.service_status:
    platform: compose
  register: seen

- name: Look at all services, and believe a check from outside about the backend
  saveit.remediation.service_status:
    platform: compose
    ready:
      backend: "{{ backend_seen.verdict }}"
"""

RETURN = r"""
---
verdict:
  description: V(running) when everything runs, otherwise V(sick).
  returned: success
  type: str
  sample: running
sentence:
  description: Why, in one sentence.
  returned: always
  type: str
  sample: "7 services, all running"
findings:
  description: One for each service and state that is not running.
  returned: success
  type: list
  elements: dict
evidence:
  description: State and restarts of each service, and how many services there are.
  returned: success
  type: list
  elements: dict
tables:
  description: One table, a row for each container.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: What the table is about.
      type: str
      sample: services
    columns:
      description: The names of the columns, with the unit in brackets.
      type: list
      elements: str
    rows:
      description: The cells of each row; null means that there is no data.
      type: list
      elements: list
observed_at:
  description: When it was seen, in seconds since the epoch by the clock of the controller.
  returned: always
  type: float
  sample: 1795421651.25
obstacle:
  description: Why nothing could be seen, when it failed because the platform cannot be asked.
  returned: when the platform cannot be asked
  type: dict
"""

from ansible_collections.saveit.remediation.plugins.module_utils._module import run_module
from ansible_collections.saveit.remediation.plugins.module_utils._service_status import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
