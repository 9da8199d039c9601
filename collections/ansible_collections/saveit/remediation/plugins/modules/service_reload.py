#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: service_reload
short_description: Have a service read its files again
version_added: 0.1.0
description:
  - Validates in each running container what it would read, and signals them only when all of it is valid.
  - A container that does not run is left alone.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.attributes
attributes:
  check_mode:
    support: full
    details: Nothing is validated in check mode.
  diff_mode:
    support: full
options:
  service:
    description: The service to reload, by the name that runbooks use.
    type: str
    required: true
  validate_command:
    description: Run in each running container before any is signalled. When it fails, none is.
    type: list
    elements: str
    default: [nginx, -t, -q]
  validate_timeout_seconds:
    description: How long O(validate_command) may take.
    type: float
    default: 10
  signal:
    description: The signal that makes the service read its files again.
    type: str
    default: HUP
seealso:
  - module: saveit.remediation.service_restart
"""

EXAMPLES = r"""
---
- name: Reload nginx after its certificate was renewed
  saveit.remediation.service_reload:
    platform: compose
    service: nginx

- name: Have the broker read its passwords again, without a validation
  saveit.remediation.service_reload:
    platform: compose
    service: mosquitto
    validate_command: []
"""

RETURN = r"""
---
verdict:
  description: V(reloaded), V(planned) in check mode, V(unchanged) when no container runs.
  returned: success
  type: str
  sample: reloaded
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "nginx: saveit-nginx reloaded, after `nginx -t -q` found it valid"
findings:
  description: Always empty; looking is the task of M(saveit.remediation.service_info).
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
service:
  description: The service as M(saveit.remediation.service_info) returns it, as it was before.
  returned: success
  type: dict
diff:
  description: Each container that was reloaded, in words.
  returned: changed
  type: dict
  sample:
    before: |
      saveit-nginx: what it read when it was started or last reloaded
    after: |
      saveit-nginx: what is in its files now
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
from ansible_collections.saveit.remediation.plugins.module_utils._service_reload import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
