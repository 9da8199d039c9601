#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: incident_host
short_description: Add a host that stands for one incident type on a host
version_added: 0.1.0
description:
  - Adds C(incident@host) to the inventory of this run, with the connection and the variables of the host,
    C(incident_host_of), C(incident_host_type) and C(incident_host_began), the time.
  - A play over these hosts with the strategy C(free) looks at one host for all incident types at the same
    time. What one of them lists of a cluster after C(incident_host_began), the others need not list again.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.attributes
attributes:
  check_mode:
    support: full
    details: It changes nothing but the inventory in memory.
  diff_mode:
    support: N/A
    details: There is nothing to compare.
options:
  host:
    description: The host of the inventory that is looked at.
    type: str
    required: true
  incident:
    description: The incident type that is looked for.
    type: str
    required: true
  group:
    description: The group that the added host is in.
    type: str
    default: remediation_looks
seealso:
  - module: ansible.builtin.add_host
"""

EXAMPLES = r"""
---
- name: Look for trouble of Redis on the staging host
  saveit.remediation.incident_host:
    host: staging
    incident: redis
"""

RETURN = r"""
---
add_host:
  description: The host that was added, with its variables.
  returned: success
  type: dict
"""
