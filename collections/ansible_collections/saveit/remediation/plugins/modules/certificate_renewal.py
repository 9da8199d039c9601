#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: certificate_renewal
short_description: Have a new certificate issued, and put in place
version_added: 0.1.0
description:
  - On docker-compose, runs the site's own client, and copies what it makes beside the files that the service
    reads. Checks that copy (PEM form, dates, names, key, chain) before it is put in place, keeps the old
    files with the time in their names, replaces each at once, reloads the service, and looks whether it
    serves the new one. When a step fails, the old files are in place again.
  - On Kubernetes, has cert-manager issue a certificate, as C(cmctl renew) does, and waits for it; the old one
    stays in the secret until then. When the issuance fails, it says at once what the CertificateRequest and
    the Order say.
  - Does nothing when the certificate is good for longer than O(renew_before_days), nor within
    O(backoff_minutes) of the last attempt, which a file beside the certificate or the CertificateRequest
    remembers. On Kubernetes, nor while an issuance is under way, nor before cert-manager itself would try
    again.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.record
  - saveit.remediation.record.changing
  - saveit.remediation.attributes
attributes:
  check_mode:
    support: full
    details: The files or the objects are read; the client is not run, and nothing is written.
  diff_mode:
    support: full
    details: What the certificates say; keys are never shown.
options:
  service:
    description: The service that serves the certificate, by the name that runbooks use.
    type: str
    default: nginx
  method:
    description:
      - V(client) has the site's own client get a certificate; on Kubernetes that is cert-manager.
      - V(self_signed) makes a temporary one with C(openssl), of which every browser warns. It does not where
        O(endpoint) serves one that is no worse. On Kubernetes it has cert-manager make it until the issuer
        answers, by the annotation C(cert-manager.io/issue-temporary-certificate); cert-manager does so only
        where the secret holds no certificate with its key.
      - V(delete_secret), only on Kubernetes, deletes the secret, so that cert-manager makes it anew. It is
        saved before, as C(<name>-saved-<time>) beside it, and put back when no new one comes.
    type: str
    choices: [client, self_signed, delete_secret]
    default: client
  command:
    description:
      - The client and its arguments. No shell reads it. When empty, nothing is renewed.
      - For O(platform=compose), as all options with files.
    type: list
    elements: str
    default: []
  command_timeout_seconds:
    description: How long the client may take before it is ended, or how long to wait for cert-manager.
    type: float
    default: 120
  files_service:
    description:
      - The service in whose container the files are seen, and the client runs.
      - When it is empty, that is the host itself.
    type: str
    default: ""
  certificate_file:
    description: The certificate with its chain, the file that the service reads; not a symbolic link.
    type: str
    default: ""
  key_file:
    description: The private key of O(certificate_file).
    type: str
    default: ""
  new_certificate_file:
    description: Where the client leaves a new certificate with its chain.
    type: str
    default: ""
  new_key_file:
    description: Where the client leaves the key of O(new_certificate_file).
    type: str
    default: ""
  certificate_name:
    description: The Certificate of cert-manager. For O(platform=kubernetes).
    type: str
    default: saveit-tls
  secret_name:
    description:
      - The secret from which the certificate is served. For O(platform=kubernetes).
      - When it is empty, the one that the Certificate names.
    type: str
    default: ""
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
  renew_before_days:
    description: A certificate that is good for less than this is said to be expiring.
    type: float
    default: 30
  timeout_seconds:
    description: How long a handshake may take.
    type: float
    default: 5
  backoff_minutes:
    description:
      - The issuer is asked once in this time, however an attempt ended; on docker-compose with O(force) too.
    type: float
    default: 60
  self_signed_days:
    description: With O(method=self_signed), how long the certificate is good for.
    type: int
    default: 7
  force:
    description:
      - Renew a certificate that is good, too. On Kubernetes also before cert-manager would try again by
        itself; issuers have rate limits.
    type: bool
    default: false
  serve_timeout_seconds:
    description: How long to wait until the endpoint serves the new certificate.
    type: float
    default: 10
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
  put_back:
    description:
      - What a record of M(saveit.remediation.temporary_changes) says of a self-signed certificate, of the
        annotation for a temporary one, or of a deleted secret.
      - It is put back where it is still ours and the old one is any good. The copy of a secret is removed
        when a good one is in its place.
    type: list
    elements: dict
    default: []
  minutes:
    description:
      - With O(method=self_signed) and O(method=delete_secret), when the record expires, up to 90 days.
    type: int
    default: 1440
requirements:
  - On the controller, the Python library C(cryptography).
  - Where the files are, C(cat), C(cp), C(mv), C(rm), C(stat), C(tee) and C(test); C(openssl) if possible.
seealso:
  - module: saveit.remediation.temporary_changes
  - module: saveit.remediation.certificate_info
"""

EXAMPLES = r"""
---
- name: Renew with certbot in its own container
  saveit.remediation.certificate_renewal:
    platform: compose
    files_service: certbot
    command: [certbot, certonly, --non-interactive, --cert-name=api, --domains=api.example.com]
    certificate_file: /etc/nginx/certs/tls.crt
    key_file: /etc/nginx/certs/tls.key
    new_certificate_file: /etc/letsencrypt/live/api/fullchain.pem
    new_key_file: /etc/letsencrypt/live/api/privkey.pem
    endpoint: api.example.com:443

- name: Serve a temporary certificate while the issuer does not answer; browsers warn of it
  saveit.remediation.certificate_renewal:
    platform: compose
    method: self_signed
    certificate_file: /etc/saveit/certs/tls.crt
    key_file: /etc/saveit/certs/tls.key
    names: [api.example.com]

- name: Have cert-manager renew on Kubernetes
  saveit.remediation.certificate_renewal:
    platform: kubernetes
    certificate_name: saveit-tls
    endpoint: api.example.com:443
"""

RETURN = r"""
---
verdict:
  description:
    - V(renewed) or V(self-signed), V(planned) in check mode, V(unchanged) when it was not needed, not
      configured or too early.
  returned: success
  type: str
  sample: renewed
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "nginx has a new certificate, good for 90.0 days, in /etc/nginx/certs/tls.crt"
findings:
  description: Always empty; looking is the task of M(saveit.remediation.certificate_info).
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
stored:
  description: The certificate that is in place, as in M(saveit.remediation.certificate_info).
  returned: when the files or the secret were read
  type: dict
kept:
  description: Where the old files are, or the secret with the old certificate.
  returned: when the files or the secret were read
  type: list
  elements: str
  sample: [/etc/nginx/certs/tls.crt.20261123T104016Z, /etc/nginx/certs/tls.key.20261123T104016Z]
over:
  description: With O(put_back), whether nothing is left of the change, so that its record was dropped.
  returned: when the files or the secret were read
  type: bool
  sample: false
change_id:
  description: The id of the record of a temporary certificate, or of a deleted secret; else empty.
  returned: when the files or the secret were read
  type: str
  sample: ""
diff:
  description: What the old and the new certificate say.
  returned: changed
  type: dict
  sample:
    before: |
      not_after: 2026-11-22T10:40:16Z
    after: |
      not_after: 2027-02-21T09:44:04Z
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

from ansible_collections.saveit.remediation.plugins.module_utils._certificate_renewal import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._module import run_module


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
