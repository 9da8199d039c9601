#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: certificate_info
short_description: What a TLS endpoint serves, and what its files or its secret hold
version_added: 0.1.0
description:
  - Makes a handshake as a user's browser does, judges dates, names and trust, and compares with what is kept
    to be served.
  - On docker-compose that is files. The private key does not leave its place where C(openssl) is there; only
    its public half is read.
  - On Kubernetes it is a secret, and the Certificate of cert-manager that it is for. When an issuance is
    under way or failed, it says what the CertificateRequest and the Order say, and when cert-manager tries
    again. Where there is no cert-manager, it says what is in the secret. The private key is compared, and
    never returned.
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
    description:
      - The certificate with its chain, the file that the service reads. When empty, no file is read.
      - For O(platform=compose), as O(key_file) and O(files_service).
    type: str
    default: ""
  key_file:
    description: The private key of O(certificate_file). When empty, it is not compared.
    type: str
    default: ""
  certificate_name:
    description: The Certificate of cert-manager. For O(platform=kubernetes).
    type: str
    default: saveit-tls
  secret_name:
    description:
      - The secret from which the certificate is served. For O(platform=kubernetes).
      - When it is empty, the one that the Certificate names, or else the one with the name of
        O(certificate_name).
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

- name: Compare it with the secret on Kubernetes, and with what cert-manager says
  saveit.remediation.certificate_info:
    platform: kubernetes
    endpoint: api.example.com:443
    certificate_name: saveit-tls
"""

RETURN = r"""
---
verdict:
  description:
    - The first finding without C(certificate-), or V(healthy).
    - One of V(not-reloaded), V(expired), V(not-yet-valid), V(wrong-name), V(expiring), V(untrusted),
      V(key-mismatch), V(unreadable), V(secret-missing), V(issuance-failed), V(issuing), V(not-ready),
      V(refused), V(timeout), V(not-tls), V(handshake) or V(unresolvable).
  returned: success
  type: str
  sample: expired
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "nginx at 127.0.0.1:8443: its certificate: it expired 1.0 days ago, at 2026-11-22T10:40:16Z"
findings:
  description: What is wrong with what is served, with the files or the secret, and with the issuance.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: What is wrong, as the runbook calls it.
      type: str
      sample: certificate-expired
    subject:
      description: The service, the file, the secret, or the Certificate.
      type: str
      sample: nginx
    sentence:
      description: What was seen.
      type: str
      sample: "nginx at 127.0.0.1:8443: its certificate: it expired 1.0 days ago, at 2026-11-22T10:40:16Z"
evidence:
  description:
    - The verdict on what is served, trust, names, days left, and the verdict on the files or the secret.
    - On Kubernetes also the state of RV(issuance).
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
  description: The certificate in O(certificate_file) or the secret, as RV(served); null without one.
  returned: success
  type: dict
serves_file:
  description:
    - Whether the endpoint serves the certificate of the file or of the secret; null when one is not known.
  returned: success
  type: bool
  sample: true
secret:
  description: The name of the secret.
  returned: with O(platform=kubernetes)
  type: str
  sample: saveit-tls
issuance:
  description: The Certificate of cert-manager; null when there is none.
  returned: with O(platform=kubernetes)
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: saveit-tls
    issuer:
      description: Who issues.
      type: str
      sample: ClusterIssuer letsencrypt
    state:
      description: V(ready), V(issuing), V(failed) (the last issuance), or V(not-ready).
      type: str
      sample: ready
    ready:
      description: The condition C(Ready); null when it is unknown.
      type: bool
      sample: true
    issuing:
      description: Whether an issuance is under way.
      type: bool
      sample: false
    message:
      description: The message of the condition C(Ready).
      type: str
      sample: Certificate is up to date and has not expired
    revision:
      description: How many times it was issued; null before the first.
      type: int
      sample: 1
    not_after:
      description: Until when the issued certificate is valid.
      type: str
      sample: "2027-01-22T06:50:15Z"
    renewal_time:
      description: When cert-manager renews it.
      type: str
      sample: "2026-12-23T06:50:15Z"
    last_failure_time:
      description: When the last issuance failed; null when it did not.
      type: str
      sample: "2026-11-23T05:50:15Z"
    failed_attempts:
      description: How many in a row have failed.
      type: int
      sample: 0
    backoff_ends:
      description: Before this cert-manager does not try again by itself; null without a failure.
      type: str
      sample: "2026-11-23T07:50:15Z"
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
