#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: prometheus_query
short_description: One number out of Prometheus, or no data
version_added: 0.1.0
description:
  - Asks Prometheus an instant query and judges the number by its limits.
  - An empty answer is "no data", which is neither zero nor good; so is NaN.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.attributes
  - saveit.remediation.attributes.reads
options:
  url:
    description: Prometheus, an http or https URL, without C(/api/v1).
    type: str
    required: true
  query:
    description: The query, in PromQL.
    type: str
    required: true
  subject:
    description: The service that the number is about. Evidence begins with its name.
    type: str
    required: true
  probe:
    description: A name for the number; evidence has it after O(subject).
    type: str
    required: true
  series:
    description: Which number to take where the answer has several series.
    type: str
    choices: [max, min, sum]
    default: max
  at_most:
    description: A number above this one is outside.
    type: float
  at_least:
    description: A number below this one is outside.
    type: float
  finding:
    description: The finding when the number is outside. When empty, there is none.
    type: str
    default: ""
  username:
    description: The user, where Prometheus asks for one.
    type: str
    default: ""
  password:
    description: The password of O(username).
    type: str
    default: ""
  token:
    description: A bearer token, where Prometheus asks for one.
    type: str
    default: ""
  ca_file:
    description: The CA certificate to verify the server with, instead of those of the system.
    type: path
    default: ""
  timeout_seconds:
    description: How long the answer may take.
    type: float
    default: 5
seealso:
  - name: Instant queries
    description: The HTTP API of Prometheus.
    link: https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
  - module: saveit.remediation.http_check
"""

EXAMPLES = r"""
---
- name: Ask how many messages came of late
  saveit.remediation.prometheus_query:
    url: http://127.0.0.1:9090
    query: increase(mqtt_messages_received_total[10m])
    subject: backend
    probe: mqtt_messages
    series: sum

- name: Find out whether the database has too many connections
  saveit.remediation.prometheus_query:
    url: https://prometheus.example.com
    token: "{{ vault_prometheus_token }}"
    query: sum(saveit_database_connections)
    subject: backend
    probe: connections
    at_most: 100
    finding: database-connections-high
"""

RETURN = r"""
---
verdict:
  description:
    - V(within) or V(outside) the limits; V(no-data) when the answer is empty or NaN.
    - V(refused) when Prometheus does not understand the query, V(unavailable) when it does not answer it.
  returned: success
  type: str
  sample: no-data
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "backend: increase(mqtt_messages_received_total[10m]): no data (the answer is empty)"
findings:
  description: O(finding), when the number is outside.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: What is wrong, as the runbook calls it.
      type: str
      sample: database-connections-high
    subject:
      description: The same as O(subject).
      type: str
      sample: backend
    sentence:
      description: What was seen.
      type: str
      sample: "backend: sum(saveit_database_connections): 117, more than 100"
evidence:
  description: The number.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: What was measured, the subject first.
      type: str
      sample: backend.connections
    value:
      description: The number; V(+Inf) and V(-Inf) are strings. Null means that there is no data, which is
        neither zero nor good.
      type: raw
      sample: 117
    sentence:
      description: Where the value comes from.
      type: str
      sample: "backend: sum(saveit_database_connections): 117, more than 100"
value:
  description: The number of the evidence.
  returned: success
  type: raw
  sample: 117
series:
  description: The series of the answer, each with its RV(ignore:labels) and its RV(ignore:value) as
    Prometheus wrote it.
  returned: success
  type: list
  elements: dict
  sample:
    - labels:
        state: active
      value: "117"
prometheus_warnings:
  description: What Prometheus warns of, such as a metric that is no counter.
  returned: success
  type: list
  elements: str
  sample: []
observed_at:
  description: When it was seen, in seconds since the epoch by the clock of the controller.
  returned: always
  type: float
  sample: 1795421651.25
"""

from ansible_collections.saveit.remediation.plugins.module_utils._module import run_module
from ansible_collections.saveit.remediation.plugins.module_utils._prometheus_query import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
