#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: http_check
short_description: What a user's requests get
version_added: 0.1.0
description:
  - Sends several requests to one URL and judges the share of those that failed or were slow. One answer
    proves nothing about a service with several workers.
  - A request has failed when there was no answer, or one with a status of 500 or more. Redirects are
    followed.
  - The requests are sent by the controller, as a user would send them.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.attributes
  - saveit.remediation.attributes.reads
options:
  url:
    description: The http or https URL to ask for.
    type: str
    required: true
  subject:
    description: The service that answers. Findings are about it, and evidence begins with its name.
    type: str
    required: true
  probe:
    description: A name for this check; evidence has it after O(subject).
    type: str
    required: true
  samples:
    description: How many requests to send.
    type: int
    default: 8
  parallel:
    description: How many requests may be under way at the same time.
    type: int
    default: 4
  timeout_seconds:
    description: How long one answer may take.
    type: float
    default: 5
  slow_milliseconds:
    description: An answer that takes longer than this is slow.
    type: float
    default: 1000
  fields:
    description: Fields of a JSON answer that become evidence. Keys are names for them, values their path with
      dots.
    type: dict
    default: {}
  bad_values:
    description: By the names in O(fields), the value that makes a finding.
    type: dict
    default: {}
  ca_file:
    description: The CA certificate to verify the server with, instead of those of the system.
    type: path
    default: ""
seealso:
  - module: saveit.remediation.redis_check
"""

EXAMPLES = r"""
---
- name: Ask the backend as a user would
  saveit.remediation.http_check:
    url: https://staging.example.com/api/v1/
    subject: backend
    probe: limited
    samples: 16

- name: Find out whether the backend counts requests in its own memory
  saveit.remediation.http_check:
    url: http://127.0.0.1:8000/api/v1/health
    subject: backend
    probe: health
    samples: 1
    fields:
      redis: components.redis.status
    bad_values:
      redis: fallback
"""

RETURN = r"""
---
verdict:
  description: V(failing) when a request failed, else V(slow) when one was slow, else V(healthy).
  returned: success
  type: str
  sample: failing
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "backend: https://staging.example.com/api/v1/: 5 of 8 answers 200, 3 of 8 answers 503; median 12 ms"
findings:
  description: C(http-failing), C(http-slow), and one for each bad value, such as C(redis-fallback).
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: What is wrong, as the runbook calls it.
      type: str
      sample: http-failing
    subject:
      description: The service that it is about.
      type: str
      sample: backend
    sentence:
      description: What was seen.
      type: str
      sample: "backend: https://staging.example.com/api/v1/: 5 of 8 answers 200, 3 of 8 answers 503; median 12
        ms"
evidence:
  description: The percentages of failed and of slow requests, and the fields.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: What was measured, the service first.
      type: str
      sample: backend.limited.failed_percent
    value:
      description: The measured value; null means that there is no data, which is neither zero nor good.
      type: raw
      sample: 37.5
    sentence:
      description: Where the value comes from.
      type: str
      sample: "https://staging.example.com/api/v1/: 5 of 8 answers 200, 3 of 8 answers 503; median 12 ms"
statuses:
  description: The HTTP status of each request; 0 where there was no answer.
  returned: success
  type: list
  elements: int
  sample: [200, 200, 503, 200, 503, 200, 503, 200]
milliseconds:
  description: How long each request took.
  returned: success
  type: list
  elements: float
  sample: [11.8, 12.4, 3.1, 12.0, 3.0, 13.9, 3.3, 12.2]
observed_at:
  description: When it was seen, in seconds since the epoch by the clock of the controller.
  returned: always
  type: float
  sample: 1795421651.25
"""

from ansible_collections.saveit.remediation.plugins.module_utils._http_check import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._module import run_module


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
