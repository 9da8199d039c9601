#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: network_debug
short_description: The network as a pod of the namespace sees it, or a shell there
version_added: 0.1.0
description:
  - Creates a pod in the namespace, makes all checks in it at once by one exec, and removes it, also when it
    is interrupted.
  - Checked are the name and each TCP port of every Service of the namespace, the health endpoints of
    O(paths), and O(addresses).
  - With O(terminal) it opens a shell in the pod instead, for the person who sits there.
  - The pod has the label C(saveit.remediation/pod=debug). When this run is killed, the cluster ends the pod
    after O(deadline_seconds), and the next run removes it.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.attributes
attributes:
  check_mode:
    support: full
    details: No pod is made in check mode, so nothing is checked.
  diff_mode:
    support: N/A
    details: What it makes it removes.
options:
  image:
    description:
      - The image of the pod. It needs C(sleep), a POSIX shell, and either C(python3) or, for each kind of
        check, one of C(getent) and C(nslookup), of C(nc) and C(bash), of C(curl) and C(wget).
      - It runs as the user 65534.
    type: str
    default: python:3.12-alpine
  addresses:
    description: What is checked besides the Services, each a C(HOST), a C(HOST:PORT) or a URL.
    type: list
    elements: str
    default: []
  paths:
    description: The path of the health endpoint of a service, by the name that runbooks use.
    type: dict
    default: {}
  timeout_seconds:
    description: How long one check may take.
    type: float
    default: 3
  start_seconds:
    description: How long the pod may take to start, its image to be pulled included.
    type: float
    default: 60
  deadline_seconds:
    description: After how long the cluster ends the pod, whatever becomes of this run.
    type: int
    default: 300
  terminal:
    description:
      - The device of a terminal, on the machine where this runs. It gets a shell, and is restored at the end.
      - Empty makes the checks instead.
    type: path
    default: ""
  shell_seconds:
    description: After how long the cluster ends the pod of a shell.
    type: int
    default: 3600
  hosts:
    description: The hosts of the play. A shell is refused when there are several, as there is one terminal.
    type: list
    elements: str
    default: []
seealso:
  - module: saveit.remediation.http_check
  - module: saveit.remediation.service_exec
"""

EXAMPLES = r"""
---
- name: Look at the network from inside the namespace
  saveit.remediation.network_debug:
    platform: kubernetes
  register: network

- name: Look at the way to a managed database, with an image of the site
  saveit.remediation.network_debug:
    platform: kubernetes
    image: registry.example.com/tools/netshoot:1
    addresses: ["db.example.com:5432"]
    paths:
      backend: /api/v1/health/ready
"""

RETURN = r"""
---
verdict:
  description: V(healthy), V(failing), V(planned) in check mode, or V(unavailable) where there are no pods.
  returned: success
  type: str
  sample: failing
sentence:
  description: How many checks were ok, in one sentence.
  returned: always
  type: str
  sample: 11 of 12 checks from a pod in the cluster staging (namespace saveit) are ok
findings:
  description: One for each check that was not ok, C(network-dns), C(network-tcp) or C(network-http).
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
tables:
  description: One table with a row for each check; empty when nothing was checked.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: What the table is about.
      type: str
      sample: network
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
  description: Why nothing could be done, when it failed because the platform cannot be asked.
  returned: when the platform cannot be asked
  type: dict
  contains:
    id:
      description: Which obstacle.
      type: str
      sample: cluster-unreachable
    outcome:
      description: How a run ends because of it, V(unreachable) or V(refused).
      type: str
      sample: unreachable
"""

from ansible_collections.saveit.remediation.plugins.module_utils._module import run_module
from ansible_collections.saveit.remediation.plugins.module_utils._network_debug import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
