#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: redis_check
short_description: Does Redis answer, and take a write
version_added: 0.1.0
description:
  - Holds a short conversation with a Redis server and tells apart why it does not serve.
  - Without O(host), C(redis-cli) inside the container of O(service) does the talking, so a server that is
    reachable only
    from inside can be checked too. With O(host), the controller connects by itself.
  - Where nothing runs O(service) and there is no O(host), an instance of O(client) asks, by Python.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.attributes
attributes:
  check_mode:
    support: full
    details: No key is written in check mode, whatever O(writes) says, and O(wait_seconds) is taken as V(0).
  diff_mode:
    support: N/A
    details: The key that O(writes) makes is deleted again.
options:
  service:
    description: The service that runs Redis, by the name that runbooks use.
    type: str
    default: redis
  host:
    description: Connect to this address instead of running C(redis-cli) in the container.
    type: str
    default: ""
  port:
    description: The port of Redis.
    type: int
    default: 6379
  username:
    description: The ACL user, where it is not the default user. Needs O(password).
    type: str
    default: ""
  password:
    description: The password that the clients of Redis have. Nothing is authenticated when it is empty.
    type: str
    default: ""
  tls:
    description: Whether Redis listens with TLS on O(port).
    type: bool
    default: false
  ca_file:
    description:
      - The CA certificate to verify the server with, in the container, or with O(host) on the controller.
      - When it is empty, C(redis-cli) does not verify the server, and O(host) is verified with the CAs of the
        system.
    type: path
    default: ""
  writes:
    description: Also write a key of our own, read it back and delete it. It expires by itself after a minute.
    type: bool
    default: false
  timeout_seconds:
    description: How long the conversation may take; with O(host), how long each answer may take.
    type: float
    default: 2
  slow_milliseconds:
    description: Redis is slow when a command takes longer than this on average, by the clock of the server.
    type: float
    default: 100
  wait_seconds:
    description: Ask again for up to this time while Redis says that it is loading its data set.
    type: int
    default: 0
  client:
    description: Who knows the address of a Redis that is managed elsewhere.
    type: dict
    suboptions:
      name:
        description: The service that uses it, by the name that runbooks use. It needs C(python).
        type: str
        required: true
      variable:
        description: The variable of its environment with the URL of Redis.
        type: str
        default: REDIS_URL
requirements:
  - In the container, the commands C(redis-cli) and C(timeout).
  - On the controller, the Python library C(redis), with O(host) only.
seealso:
  - name: Errors of Redis
    description: What the error codes of the server mean.
    link: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
  - module: saveit.remediation.service_info
"""

EXAMPLES = r"""
---
- name: Ask a managed Redis from a pod of the backend, which knows where it is
  saveit.remediation.redis_check:
    platform: kubernetes
    client:
      name: backend

- name: Ask Redis inside its container
  saveit.remediation.redis_check:
    platform: compose
  register: redis

- name: Prove that Redis takes a write
  saveit.remediation.redis_check:
    platform: compose
    password: "{{ vault_redis_password }}"
    writes: true

- name: Ask a server that can be reached from here, with TLS
  saveit.remediation.redis_check:
    platform: compose
    host: redis.staging.example.com
    port: 6380
    tls: true
    ca_file: /etc/ssl/certs/saveit-ca.pem

- name: Wait up to five minutes while Redis loads its data set
  saveit.remediation.redis_check:
    platform: compose
    wait_seconds: 300
"""

RETURN = r"""
---
verdict:
  description:
    - One of V(healthy), V(refused), V(timeout), V(loading), V(misconf), V(oom), V(readonly), V(auth), V(slow)
      or V(error).
  returned: success
  type: str
  sample: loading
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "redis (saveit-redis) answers PING with LOADING Redis is loading the dataset in memory"
findings:
  description: One, C(redis-) and the verdict, when the verdict is not V(healthy).
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: What is wrong, as the runbook calls it.
      type: str
      sample: redis-loading
    subject:
      description: The service that it is about.
      type: str
      sample: redis
    sentence:
      description: What was seen.
      type: str
      sample: "redis (saveit-redis) answers PING with LOADING Redis is loading the dataset in memory"
evidence:
  description: The answer, the round trip of our key, and the time a command takes.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: What was measured, the service first.
      type: str
      sample: redis.answer
    value:
      description: The measured value; null means that there is no data, which is neither zero nor good.
      type: raw
      sample: loading
    sentence:
      description: Where the value comes from.
      type: str
      sample: "redis (saveit-redis) answers PING with LOADING Redis is loading the dataset in memory"
answer:
  description: The same as RV(verdict).
  returned: success
  type: str
  sample: loading
milliseconds:
  description: The mean time of a command by the clock of the server; null when it did not tell.
  returned: success
  type: float
  sample: 0.042
roundtrip:
  description: Whether our key went in and came back; null when it was not tried.
  returned: success
  type: bool
  sample: true
loading_eta_seconds:
  description: How much longer the server expects to load; null when it does not say.
  returned: success
  type: int
  sample: 12
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
from ansible_collections.saveit.remediation.plugins.module_utils._redis_check import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
