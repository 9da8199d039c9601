# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: batch
short_description: Whose turn it is in the playbook of an incident type
version_added: 0.1.0
description:
  - The plays of an incident type take their hosts from here. All hosts are looked at side by side, then
    counted, and those that are sick are remedied in batches.
author:
  - The saveit-remediate developers (@saveit)
options:
  _terms:
    description:
      - C(look), C(count), C(act) or C(end) for the hosts of that play, or C(serial) for the sizes of the
        batches. An inventory without hosts is an error.
    required: true
"""

EXAMPLES = r"""
---
- name: Remedy a few hosts at a time
  hosts: "{{ query('saveit.remediation.batch', 'act') }}"
  serial: "{{ query('saveit.remediation.batch', 'serial') }}"
  gather_facts: false
  roles:
    - role: saveit.remediation.redis
      vars:
        ladder_stage: act
"""

RETURN = r"""
---
_raw:
  description: Patterns of hosts, or the sizes of batches, by default V(1), V(25%) and V(100%), or what the
    site has in C(ladder_serial).
  type: list
  elements: raw
"""

from typing import Any, Mapping, Sequence

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.saveit.remediation.plugins.module_utils._blast_radius import hosts_of, serial_of
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core has no types
    """Reads the groups that the plays before have made, or the plan."""

    def run(self, terms: Any, variables: Any = None, **kwargs: Any) -> Sequence[Any]:
        """Raises AnsibleLookupError when there are no hosts, or the site's sizes are none."""
        del kwargs
        known: Mapping[str, Any] = variables or {}
        groups, plan = known.get("groups", {}), known.get("ladder_plan") or {}
        try:
            if terms != ["serial"]:
                return list(hosts_of(terms[0], groups, plan))
            turn = (*hosts_of("act", groups, plan), *hosts_of("end", groups, plan))  # or those who may not
            acting = [host for host in turn if host in groups["all"]]
            return serial_of(known["hostvars"][acting[0]].get("ladder_serial") if acting else None)
        except FailedError as error:
            raise AnsibleLookupError(str(error)) from error
