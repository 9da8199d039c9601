#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: service_errors
short_description: Error lines of all services, grouped by message
version_added: 0.1.0
description:
  - Reads the last log lines of every container of the project, picks those that speak of an error, takes out
    what differs from line to line, such as times, numbers and addresses, and counts what is left.
  - Passwords, tokens and keys are taken out, as far as their shape gives them away. Nothing is changed.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.attributes
  - saveit.remediation.attributes.reads
options:
  since_seconds:
    description: How far back to read, in seconds; at most seven days.
    type: float
    default: 300
  tail:
    description: The most lines that are read of each container.
    type: int
    default: 5000
  pattern:
    description:
      - The regular expression that an error line matches.
      - By default levels such as ERROR and FATAL, names of exceptions, and HTTP status 5xx.
    type: str
    default: ""
  most:
    description: The most messages that are returned, the most frequent first.
    type: int
    default: 50
seealso:
  - module: saveit.remediation.service_info
  - module: saveit.remediation.service_logs
"""

EXAMPLES = r"""
---
- name: Read the errors of the last five minutes
  saveit.remediation.service_errors:
    platform: compose
  register: errors

- name: Read what broke within the last hour
  saveit.remediation.service_errors:
    platform: compose
    since_seconds: 3600
    pattern: (?i)broken pipe|reset by peer
"""

RETURN = r"""
---
verdict:
  description: V(errors) when there is an error line, otherwise V(quiet).
  returned: success
  type: str
  sample: errors
sentence:
  description: Why, in one sentence.
  returned: always
  type: str
  sample: "17 error lines in the last 300 s, 2 different"
findings:
  description: Always empty; an error line alone is no incident.
  returned: success
  type: list
  elements: dict
evidence:
  description: How many error lines each service wrote.
  returned: success
  type: list
  elements: dict
tables:
  description: One table, a row for each message, the most frequent first.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: What the table is about.
      type: str
      sample: errors
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
from ansible_collections.saveit.remediation.plugins.module_utils._service_errors import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
