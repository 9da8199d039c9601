#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cluster_role
short_description: The least-privilege Role for runbooks, as data
version_added: 0.1.0
description:
  - Makes a Role and its RoleBinding of what the modules of the chosen runbooks declare in
    C(meta/kubernetes_access.yml), and a ClusterRole when something belongs to the whole cluster.
  - No cluster is asked, and nothing is created.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.attributes
  - saveit.remediation.attributes.reads
options:
  names:
    description:
      - Incident types, or the commands status, errors, db and debug. When empty, all incident types.
      - Only on the controller, which has the files of the collection. O(rules) is an alternative.
    type: list
    elements: str
    default: []
  rules:
    description: The rules, each with C(apiGroups), C(resources) and C(verbs).
    type: list
    elements: dict
    default: []
  namespace:
    description: The namespace of the services.
    type: str
    default: saveit
  service_account:
    description: The service account that is bound, C(namespace:name) when it is in another namespace.
    type: str
    default: saveit-remediate
  role_name:
    description: The name of the Role and its binding.
    type: str
    default: saveit-remediate
seealso:
  - module: saveit.remediation.cluster_access
"""

EXAMPLES = r"""
---
- name: Write the Role for all runbooks
  saveit.remediation.cluster_role:
    namespace: saveit
  register: role

- name: Write the Role for Redis, for an account of the pipeline
  saveit.remediation.cluster_role:
    names: [redis]
    service_account: ci:deployer
"""

RETURN = r"""
---
verdict:
  description: Always V(written).
  returned: success
  type: str
  sample: written
sentence:
  description: How many rights it has, in one sentence.
  returned: always
  type: str
  sample: 12 rights in 2 objects for the namespace saveit
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
manifests:
  description: Role, RoleBinding, and where needed ClusterRole and ClusterRoleBinding.
  returned: success
  type: list
  elements: dict
observed_at:
  description: When it was seen, in seconds since the epoch by the clock of the controller.
  returned: always
  type: float
  sample: 1795421651.25
"""

from ansible_collections.saveit.remediation.plugins.module_utils._cluster_role import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._module import run_module


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
