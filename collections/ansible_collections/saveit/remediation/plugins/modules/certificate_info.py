#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: certificate_info
short_description: What a TLS endpoint serves, and what its files hold
version_added: 0.1.0
description:
  - Makes a handshake as a user's browser does, judges dates, names and trust, and compares with the files.
  - The private key does not leave its place where C(openssl) is there; only its public half is read.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.attributes
  - saveit.remediation.attributes.reads
options:
  service:
    description: The service that serves the certificate, by the name that runbooks use.
    type: str
    default: nginx
  endpoint:
    description:
      - Where users connect, as C(HOST:PORT); asked from the controller.
      - When it is empty, nothing is seen from outside.
    type: str
    default: ""
  server_name:
    description: The name to ask for (SNI), by default the host of O(endpoint).
    type: str
    default: ""
  names:
    description: More names that the certificate has to be for.
    type: list
    elements: str
    default: []
  ca_file:
    description: The authorities to trust, in PEM form, on the controller. By default those of the system.
    type: path
    default: ""
  files_service:
    description:
      - The service in whose container the files are seen, and the client runs.
      - When it is empty, that is the host itself.
    type: str
    default: ""
  certificate_file:
    description: The certificate with its chain, the file that the service reads. When empty, no file is read.
    type: str
    default: ""
  key_file:
    description: The private key of O(certificate_file). When empty, it is not compared.
    type: str
    default: ""
  renew_before_days:
    description: A certificate that is good for less than this is said to be expiring.
    type: float
    default: 30
  timeout_seconds:
    description: How long a handshake may take.
    type: float
    default: 5
requirements:
  - On the controller, the Python library C(cryptography).
seealso:
  - module: saveit.remediation.certificate_renewal
"""

EXAMPLES = r"""
---
- name: Look at an endpoint as users see it
  saveit.remediation.certificate_info:
    platform: compose
    endpoint: api.example.com:443

- name: Compare it with the files on the host
  saveit.remediation.certificate_info:
    platform: compose
    endpoint: 127.0.0.1:8443
    server_name: api.example.com
    certificate_file: /etc/saveit/certs/tls.crt
    key_file: /etc/saveit/certs/tls.key
"""

RETURN = r"""
---
verdict:
  description:
    - The first finding without C(certificate-), or V(healthy).
    - One of V(not-reloaded), V(expired), V(not-yet-valid), V(wrong-name), V(expiring), V(untrusted),
      V(key-mismatch), V(unreadable), V(refused), V(timeout), V(not-tls), V(handshake) or V(unresolvable).
  returned: success
  type: str
  sample: expired
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "nginx at 127.0.0.1:8443: its certificate: it expired 1.0 days ago, at 2026-11-22T10:40:16Z"
findings:
  description: What is wrong with what is served, and with the files.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: What is wrong, as the runbook calls it.
      type: str
      sample: certificate-expired
    subject:
      description: The service, or the file.
      type: str
      sample: nginx
    sentence:
      description: What was seen.
      type: str
      sample: "nginx at 127.0.0.1:8443: its certificate: it expired 1.0 days ago, at 2026-11-22T10:40:16Z"
evidence:
  description: The verdict on what is served, trust, names, days left, and the verdict on the files.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: What was measured, the service first.
      type: str
      sample: nginx.days_left
    value:
      description: The measured value; null means that there is no data, which is neither zero nor good.
      type: raw
      sample: 89.99
    sentence:
      description: Where the value comes from.
      type: str
      sample: CN=localhost, by CN=Save-It.AI lab authority
served:
  description: The server's own certificate as it was served; null when none was.
  returned: success
  type: dict
  contains:
    subject:
      description: Its subject.
      type: str
      sample: CN=localhost
    issuer:
      description: Who issued it.
      type: str
      sample: CN=Pebble Intermediate CA 21f1a7
    names:
      description: The names and addresses that it is for.
      type: list
      elements: str
      sample: [localhost, saveit.lab]
    not_before:
      description: From when it is valid.
      type: str
      sample: "2026-11-23T09:44:05Z"
    not_after:
      description: Until when it is valid.
      type: str
      sample: "2027-02-21T09:44:04Z"
    days_left:
      description: How much longer; negative when it has expired.
      type: float
      sample: 89.99
    fingerprint:
      description: The SHA-256 digest of the certificate.
      type: str
      sample: 5f0c1d
    self_signed:
      description: Whether it is its own issuer.
      type: bool
      sample: false
chain:
  description: The subjects of all certificates that were served, the server's own first.
  returned: success
  type: list
  elements: str
  sample: [CN=localhost, CN=Pebble Intermediate CA 21f1a7]
stored:
  description: The certificate in O(certificate_file), as RV(served); null when there is none.
  returned: success
  type: dict
serves_file:
  description: Whether the endpoint serves the certificate of the file; null when one of them is not known.
  returned: success
  type: bool
  sample: true
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

from ansible_collections.saveit.remediation.plugins.module_utils._certificate_info import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._module import run_module


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
