#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: temporary_changes
short_description: List what is changed for a time on a target, and put it back
version_added: 0.1.0
description:
  - Raised limits, more instances, temporary certificates and the copies of deleted secrets are recorded on
    the target, in the document of M(saveit.remediation.interlock), by the modules that make them. This lists
    the records, and puts back what they are of.
  - A value is put back only where it is still the one that was set. Otherwise it is left alone, and the
    sentence says what it is now, and who changed it since, where that is known.
  - Each change is put back for itself, under a lease of its service, the newest first; not while the
    automation is paused, nor while somebody else works on the service.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.record
  - saveit.remediation.attributes
attributes:
  check_mode:
    support: full
    details: It says what would be put back, and writes nothing.
  diff_mode:
    support: none
options:
  step:
    description:
      - V(read) lists what is recorded. V(revert) puts back O(ids), or without them what has expired.
      - V(forget) drops the records of O(ids), and what was changed stays.
    type: str
    choices: [read, revert, forget]
    default: read
  ids:
    description: Which changes. One that is not there is no error, as it may be on another target.
    type: list
    elements: str
    default: []
  compose_command:
    description: As in M(saveit.remediation.service_scale).
    type: list
    elements: str
    default: []
  certificate_file:
    description: As in M(saveit.remediation.certificate_renewal). A record of other files is left alone.
    type: str
    default: ""
  key_file:
    description: As in M(saveit.remediation.certificate_renewal).
    type: str
    default: ""
  files_service:
    description: As in M(saveit.remediation.certificate_renewal).
    type: str
    default: ""
  endpoint:
    description: As in M(saveit.remediation.certificate_renewal).
    type: str
    default: ""
  server_name:
    description: As in M(saveit.remediation.certificate_renewal).
    type: str
    default: ""
  names:
    description: As in M(saveit.remediation.certificate_renewal).
    type: list
    elements: str
    default: []
  ca_file:
    description: As in M(saveit.remediation.certificate_renewal).
    type: path
    default: ""
  renew_before_days:
    description: As in M(saveit.remediation.certificate_renewal).
    type: float
    default: 30
  validate_command:
    description: As in M(saveit.remediation.certificate_renewal).
    type: list
    elements: str
    default: [nginx, -t, -q]
seealso:
  - module: saveit.remediation.interlock
  - module: saveit.remediation.service_limits
  - module: saveit.remediation.service_scale
  - module: saveit.remediation.certificate_renewal
"""

EXAMPLES = r"""
---
- name: See what is changed for a time
  saveit.remediation.temporary_changes:
    platform: compose

- name: Put back what has expired
  saveit.remediation.temporary_changes:
    platform: compose
    step: revert
"""

RETURN = r"""
---
verdict:
  description: V(read), V(forgotten); of a revert V(put-back), V(planned), V(over) when nothing was left of
    the changes, V(left) when one was left alone, or V(nothing).
  returned: success
  type: str
  sample: put-back
sentence:
  description: What was done, and why not.
  returned: always
  type: str
  sample: "3f2a9c01: put back the memory limit of backend: saveit-backend from 1536 to 1024 MiB"
findings:
  description: Always empty.
  returned: success
  type: list
  elements: dict
  sample: []
evidence:
  description: Always empty.
  returned: success
  type: list
  elements: dict
  sample: []
changes:
  description: What is recorded now; C(state) is V(begun) where nobody saw the end of it.
  returned: success
  type: list
  elements: dict
  sample:
    - {id: 3f2a9c01, state: made, service: backend, kind: limit, what: memory limit of saveit-backend,
       before: 1024 MiB, after: 1536 MiB, by: alice@ops1, why: memory is high, incident: memory-1,
       at: "2026-11-23T02:49:08.190+00:00", expires: "2026-11-23T03:49:08.190+00:00", expired: false}
reverted:
  description: What became of each change; C(word) is V(put-back), V(planned), V(over) or V(left).
  returned: success
  type: list
  elements: dict
  sample: []
left:
  description: The sentences of those that were left alone.
  returned: success
  type: list
  elements: str
  sample: []
unknown:
  description: O(ids) that are not here, with those that are; empty when all are here.
  returned: success
  type: str
  sample: ""
tables:
  description: The records for a person; empty when there are none.
  returned: success
  type: list
  elements: dict
  sample: []
remediation_events:
  description: What the journal is to know.
  returned: success
  type: list
  elements: dict
  sample: []
obstacle:
  description: Why the records cannot be read; C(id) is V(interlock-unreadable).
  returned: when they cannot be read
  type: dict
  sample: {id: interlock-unreadable, outcome: refused}
observed_at:
  description: When, in seconds since the epoch.
  returned: always
  type: float
  sample: 1795421651.25
"""

from ansible_collections.saveit.remediation.plugins.module_utils._module import run_module
from ansible_collections.saveit.remediation.plugins.module_utils._temporary_changes import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
