#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cluster_access
short_description: Whether the Kubernetes API lets us do what remedies do
version_added: 0.1.0
description:
  - Asks the API server with a SelfSubjectAccessReview for each right that the remedies need, each once.
  - What is missing is told as the rule to add to the account's Role. Nothing is changed.
  - What modules need is declared in C(meta/kubernetes_access.yml) of this collection.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.attributes
  - saveit.remediation.attributes.reads
options:
  role:
    description:
      - The role whose remedies are meant. What they need is read from their task files, without that which
        the diagnosis of the role has used already.
      - Only on the controller, which has these files. O(needs) is an alternative.
    type: str
    default: ""
  runbook:
    description: The content of C(meta/runbook.yml) of O(role).
    type: dict
    default: {}
  observed:
    description: The results of the modules that looked. When none has a finding that O(runbook) knows,
      nothing is asked.
    type: list
    elements: dict
    default: []
  needs:
    description: By the name of a remedy, its rules, each with C(apiGroups), C(resources) and C(verbs).
    type: dict
    default: {}
seealso:
  - module: saveit.remediation.cluster_role
"""

EXAMPLES = r"""
---
- name: Ask whether the remedies of Redis are allowed
  saveit.remediation.cluster_access:
    platform: kubernetes
    role: saveit.remediation.redis
    runbook: "{{ redis_runbook }}"
    observed: ["{{ redis_seen }}"]
  register: access

- name: Ask whether a restart is allowed
  saveit.remediation.cluster_access:
    platform: kubernetes
    needs:
      restart:
        - apiGroups: [apps]
          resources: [deployments]
          verbs: [patch]
"""

RETURN = r"""
---
verdict:
  description: V(allowed), V(denied), or V(unasked) when nothing was found.
  returned: success
  type: str
  sample: denied
sentence:
  description: What is missing and the rules to add, in one sentence.
  returned: always
  type: str
  sample: "our account may not patch deployments in the cluster staging (namespace saveit); add to the rules
    of its Role: - {apiGroups: [apps], resources: [deployments], verbs: [patch]}"
findings:
  description: Always empty; a right that is missing is no sickness of a service.
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
denied:
  description: By remedy, what it may not do and the rules to add; remedies that are allowed are not in it.
  returned: success
  type: dict
missing:
  description: The rules to add, as a Role has them.
  returned: success
  type: list
  elements: dict
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

from ansible_collections.saveit.remediation.plugins.module_utils._cluster_access import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._module import run_module


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
