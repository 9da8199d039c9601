#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: interlock
short_description: Who may act on a target, kept on the target itself
version_added: 0.1.0
description:
  - Keeps on the target, where every operator, AWX and a rulebook meet it, who works on which service, which
    remedies were tried, and whether a person has paused the automation.
  - It is one document for each compose project of a host, or for each namespace of a cluster. It is changed
    by compare-and-swap, so of several who begin at the same time one acts, and the others are told who does.
  - A lease ends by itself when its holder has died.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.attributes
attributes:
  check_mode:
    support: full
    details: It reads, and refuses as it would; nothing is leased or counted.
  diff_mode:
    support: N/A
    details: What it writes is about the work on the services, which it does not change.
options:
  step:
    description:
      - V(begin) leases O(services) and counts an attempt of O(remedy), or fails with RV(ignore:obstacle) and
        the reason.
      - V(renew) makes the lease last longer. V(release) ends it, or without O(claim) all leases of
        O(incident), and writes O(results).
      - V(read) says what is kept there.
      - V(pause) keeps all remedies from acting until O(until); V(resume) lets them act again.
    type: str
    required: true
    choices: [begin, renew, release, read, pause, resume]
  services:
    description: With O(step=begin) and O(step=renew), what to lease, by the names that runbooks use.
    type: list
    elements: str
    default: []
  remedy:
    description: With O(step=begin), the remedy that is counted, with its incident type, as V(redis.restart).
    type: str
    default: ""
  title:
    description: With O(step=begin), the remedy in words, for sentences.
    type: str
    default: ""
  limits:
    description:
      - With O(step=begin), how often the remedy may be tried, each C(times) in C(minutes), all of them at
        once.
      - Beyond the one with the most minutes it is V(breaker-open), beyond another V(cool-down).
    type: list
    elements: dict
    default: []
  no_help_limit:
    description: With O(step=begin), a remedy that did not help so often in a row is refused; V(0) does not
      count.
    type: int
    default: 2
  results:
    description: What became of the remedies that were begun with O(claim). One that was V(skipped) does not
      count.
    type: dict
    default: {}
  claim:
    description: What RV(claim) was when the lease was taken; empty takes a new one.
    type: str
    default: ""
  holder:
    description: Who we are, for those who are refused because of us; by default the user and the host.
    type: str
    default: ""
  incident:
    description: The id of the incident in the journal.
    type: str
    default: ""
  duration_seconds:
    description: How long the lease lasts unless it is renewed.
    type: float
    default: 600
  break_lease:
    description: With O(step=begin), the reason why a lease that somebody else holds is broken. It is told in
      an event for the journal.
    type: str
    default: ""
  patience_seconds:
    description:
      - With O(step=begin), how long O(remedy) may need to help. When it is cut off, so that nobody says what
        became of it, no other remedy of O(services) begins before, but fails with V(in-doubt) and
        RV(ignore:wait_seconds).
    type: float
    default: 0
  reason:
    description: With O(step=pause), why, for those who are refused because of it.
    type: str
    default: ""
  until:
    description: With O(step=pause), when it ends by itself, in ISO 8601 with the time zone.
    type: str
    default: ""
  approval:
    description: With O(step=begin), the name of the signed approval by which the remedy may act. One that
      was used before is refused.
    type: str
    default: ""
  interlock_folder:
    description:
      - With O(platform=compose), the folder on the host, in which each project has one of its own.
      - By default C(/var/lib/saveit-remediate), or C(/var/tmp/saveit-remediate) where it is not there and
        cannot be made. It is never reached through a symbolic link.
    type: str
    default: ""
requirements:
  - With O(platform=compose), on the host the commands C(sh), C(flock) and C(sha256sum).
seealso:
  - module: saveit.remediation.ladder
"""

EXAMPLES = r"""
---
- name: Lease the backend, and count a restart
  saveit.remediation.interlock:
    platform: compose
    step: begin
    services: [backend]
    remedy: application.restart
    title: Restart the backend
    limits:
      - {times: 3, minutes: 60}
      - {times: 7, minutes: 1440}
  register: lease

- name: Say how it ended
  saveit.remediation.interlock:
    platform: compose
    step: release
    claim: "{{ lease.claim }}"
    results: {application.restart: helped}
"""

RETURN = r"""
---
verdict:
  description: V(begun), V(renewed), V(released), V(read), V(paused) or V(resumed); V(may-begin) for
    O(step=begin) in check mode; V(unreadable) for O(step=read), which says why; V(kept) for a lease that
    could not be released, and ends by itself.
  returned: success
  type: str
  sample: begun
sentence:
  description: What holds now, or why it was refused.
  returned: always
  type: str
  sample: backend of saveit on staging leased by alice@ops1 until 02:59 UTC unless renewed
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
claim:
  description: Names our lease in the next steps; empty when there is none.
  returned: success
  type: str
  sample: 5f0c2a9be1d3f478
services:
  description: The services that are leased.
  returned: success
  type: list
  elements: str
  sample: [backend]
document:
  description: With O(step=read), all that is kept, with C(leases), C(attempts), C(paused) and C(changes).
  returned: success
  type: dict
  sample: {}
obstacle:
  description:
    - Why it must not be. C(id) is V(lease-held), V(lease-lost), V(paused), V(cool-down), V(breaker-open),
      V(no-help), V(interlock-unreadable) or V(interlock-contended), C(outcome) is V(refused).
  returned: when it is refused
  type: dict
  sample: {id: lease-held, outcome: refused}
tables:
  description: With O(step=read), the same for a person; empty when nothing is kept.
  returned: success
  type: list
  elements: dict
  sample: []
remediation_events:
  description: What the journal is to know.
  returned: success
  type: list
  elements: dict
  sample:
    - kind: lease-taken
      at: "2026-11-23T02:49:08.190+00:00"
      sentence: backend of saveit on staging leased by alice@ops1 until 02:59 UTC unless renewed
observed_at:
  description: When, in seconds since the epoch.
  returned: always
  type: float
  sample: 1795421651.25
"""

from ansible_collections.saveit.remediation.plugins.module_utils._interlock import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._module import run_module


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
