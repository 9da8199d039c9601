#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ladder
short_description: One step of the ladder of remedies
version_added: 0.1.0
description:
  - Decides what the role P(saveit.remediation.ladder#role) does next. Each step takes the state that the step
    before returned, and what was observed or done since, and returns the next state.
  - It touches nothing but the clock, so a runbook of your own is tested by calling it. The last step,
    whichever it is, publishes C(remediation) with findings, actions and evidence of all hosts of the play, as
    M(ansible.builtin.set_stats) would.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.attributes
attributes:
  check_mode:
    support: full
    details: The same decisions; a remedy that was only planned is not verified, and the next one is looked
      at.
  diff_mode:
    support: N/A
    details: It changes nothing itself; diffs of the remedies are kept in RV(actions).
options:
  step:
    description:
      - V(open) begins, and V(assess) reads a diagnosis and chooses the next remedy.
      - V(begin), then V(acted) or V(failed), go around the tasks of a remedy; V(judge) reads one sample of
        its verification.
      - V(stopped) notes what made going on impossible.
      - V(count), after all hosts of a play were looked at, says whether those that are sick may be remedied.
    type: str
    required: true
    choices: [open, assess, begin, acted, failed, judge, stopped, count]
  stage:
    description:
      - With O(step=open), what this play is for, where an incident type has several, V(look) at all hosts, or
        V(act) on a batch of those that are sick. Empty does both in one.
      - With V(look), a host that is sick joins the group C(remediation_sick), and with O(step=count)
        C(remediation_cleared).
    type: str
    choices: ["", look, act]
    default: ""
  others:
    description:
      - With O(step=count), by each other host of the play, RV(kept) of its ladder, empty where there is none;
        with O(stage=act), the same of the hosts of earlier and later batches.
      - Under Ansible it is taken from the hosts' variables.
    type: dict
    default: {}
  max_unhealthy_percent:
    description:
      - With O(step=count), nobody is remedied when more than this share of the hosts that could be looked at
        are sick at once; V(100) never refuses.
      - Of fewer than three hosts a share says nothing, so it does not count there.
    type: float
    default: 50
  state:
    description: What the step before returned, of which RV(kept) counts. Every step but V(open) needs it.
    type: dict
    default: {}
  needs:
    description: With O(step=open), what a host must have, by name; one without a value is refused.
    type: dict
    default: {}
  target:
    description: With O(step=open), the host that is remediated.
    type: str
    default: ""
  runbook:
    description: With O(step=open), the content of C(meta/runbook.yml) of the incident type.
    type: dict
    default: {}
  mode:
    description: With O(step=open) and O(step=count), whether to act, or only to say what would help.
    type: str
    choices: [diagnose, remediate]
    default: remediate
  plan:
    description:
      - With O(step=open), by host, the symptoms that were C(assessed) and the C(remedies) that are allowed.
      - When it is empty, nobody made a plan, and every remedy that the policy lets run is allowed.
    type: dict
    default: {}
  services:
    description:
      - With O(step=open), by the name that the runbook's criteria use for a service, the name that the site
        has for it.
      - Evidence about that service is published under the name that the criteria use.
    type: dict
    default: {}
  max_risk:
    description: With O(step=open), the highest risk that a remedy may have, whatever the policy lets run.
    type: str
    choices: [low, medium, high]
    default: high
  policy:
    description:
      - With O(step=open), the content of a C(policy.yml), see C(files/policy.yml) of the role. One that
        cannot be understood fails, and so does an empty one.
      - In check mode, and with O(mode=diagnose), it keeps nothing from being tried; a diagnosis tells what is
        needed.
    type: dict
    default: {}
  environment:
    description: With O(step=open), which of the policy's environments the host is in.
    type: str
    default: ""
  severity:
    description: With O(step=open), the severity that a person gave. It counts where it is worse than what
      was found.
    type: str
    choices: ["", sev1, sev2, sev3, sev4]
    default: ""
  agreed:
    description: With O(step=open), whether somebody agreed to what needs C(agreement).
    type: bool
    default: false
  approved_by:
    description: With O(step=open), who answers for what needs C(approval).
    type: str
    default: ""
  approvals:
    description: With O(step=open), signed approvals, each with C(statement) and C(signature).
    type: list
    elements: dict
    default: []
  incident:
    description: With O(step=open), the incident's id in the journal, for which an approval has to be.
    type: str
    default: ""
  asker:
    description: With O(step=open), who asks for the remedies; by default the user of this process. An
      approval of this person does not count.
    type: str
    default: ""
  rehearse:
    description: With O(step=open), whether the platform is asked what it would let us do before a remedy is
      chosen; RV(rehearsing) says when.
    type: bool
    default: false
  access:
    description: With O(step=assess), what M(saveit.remediation.cluster_access) returned. A remedy that it
      denies is not chosen.
    type: dict
    default: {}
  hold_seconds:
    description: With O(step=open), how long every criterion must be met; by default what the runbook says.
    type: float
  limits:
    description: With O(step=open), the site's own limits for each remedy, instead of those of the runbook,
      see O(saveit.remediation.interlock#module:limits).
    type: list
    elements: dict
    default: []
  lease_seconds:
    description: With O(step=open), how long a lease lasts; it is renewed when a third of that is over.
    type: float
    default: 600
  interlock:
    description: With O(step=begin), O(step=failed) and O(step=judge), what M(saveit.remediation.interlock)
      returned last.
    type: dict
    default: {}
  began:
    description:
      - With O(step=open), when the present look began, in seconds since the epoch, where several ladders look
        at one target at the same time; by default now.
    type: float
    default: 0
  observed:
    description: With O(step=assess) and O(step=judge), the results of the modules that looked. Those from
      before the last step are ignored.
    type: list
    elements: dict
    default: []
  acted:
    description: With O(step=acted), the result of the module that acted.
    type: dict
    default: {}
  failure:
    description: With O(step=failed) and O(step=stopped), the result of the task that failed.
    type: dict
    default: {}
"""

EXAMPLES = r"""
---
- name: Open the ladder
  saveit.remediation.ladder:
    step: open
    target: "{{ inventory_hostname }}"
    runbook: "{{ runbook }}"
  register: ladder_state

- name: Assess what was found
  saveit.remediation.ladder:
    step: assess
    state: "{{ ladder_state }}"
    observed: ["{{ service_seen }}", "{{ redis_seen }}"]
  register: ladder_state
"""

RETURN = r"""
---
verdict:
  description: >-
    V(healthy), V(diagnosed), V(planned), V(recovered), V(unresolved) or V(stopped); empty while the ladder is
    climbed.
  returned: success
  type: str
  sample: recovered
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "recovered: every criterion was met for 5.1 s"
findings:
  description: Everything that was found wrong, cause before symptom.
  returned: by the last step
  type: list
  elements: dict
  contains:
    id:
      description: What is wrong, as the runbook calls it.
      type: str
      sample: service-stopped
    target:
      description: The host.
      type: str
      sample: staging-1
    subject:
      description: The service that it is about.
      type: str
      sample: redis
    sentence:
      description: What was seen.
      type: str
      sample: "redis: saveit-redis is stopped, exit code 0 at 2026-11-23T02:47:11.123Z"
    kind:
      description: V(symptom) when the runbook counts it as one, V(context) when not, V(obstacle) when it
        ended the climb.
      type: str
      sample: symptom
    outcome:
      description: With an obstacle, how the run ends because of it, V(unreachable) or V(refused).
      type: str
      sample: ""
    next:
      description: What a person should do about it.
      type: str
      sample: Read the last log lines of Redis for the reason why it stopped, and start its container.
    severity:
      description: The severity that it makes of the incident at least, when the runbook has a rule for it.
      type: str
      sample: ""
actions:
  description: What became of each remedy of the runbook, in the order of the ladder.
  returned: by the last step
  type: list
  elements: dict
  contains:
    remedy:
      description: The remedy.
      type: str
      sample: start
    target:
      description: The host.
      type: str
      sample: staging-1
    title:
      description: The remedy, as the runbook titles it.
      type: str
      sample: Start the stopped Redis container
    result:
      description: V(helped), V(no_help), V(failed), V(skipped), V(planned) in check mode, or V(possible) when
        diagnosing.
      type: str
      sample: helped
    sentence:
      description: Why.
      type: str
      sample: "redis was started (saveit-redis); recovered: every criterion was met for 5.1 s"
    risk:
      description: V(low), V(medium) or V(high).
      type: str
      sample: low
    reversible:
      description: Whether it can be put back.
      type: bool
      sample: true
    disrupts:
      description: What it disrupts.
      type: str
      sample: nothing; Redis is down already
    changed:
      description: Whether anything was changed.
      type: bool
      sample: true
    started:
      description: When it began, in ISO 8601.
      type: str
      sample: "2026-11-23T02:49:01.020+00:00"
    finished:
      description: When it ended, in ISO 8601.
      type: str
      sample: "2026-11-23T02:49:03.107+00:00"
    diff:
      description: What it changed, or would change.
      type: list
      elements: dict
      sample: []
    forbidden:
      description: Why the platform would not let us do it; empty when it would, or was not asked.
      type: str
      sample: ""
    needs:
      description: What the policy asks for, V(nothing), V(agreement), V(approval) or V(second-person).
      type: str
      sample: nothing
    lacks:
      description: Why the policy did not let it run, or would not; empty when it would.
      type: str
      sample: ""
    plan:
      description: Where an approval is lacking, a name of what it has to be for.
      type: str
      sample: ""
evidence:
  description: Every measured value.
  returned: by the last step
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
      sample: healthy
    sentence:
      description: Where the value comes from.
      type: str
      sample: redis (saveit-redis) answers, 0.042 ms a command
    target:
      description: The host.
      type: str
      sample: staging-1
    at:
      description: When, in seconds since the epoch; all values of one sample have the same time.
      type: float
      sample: 1795421651.25
    phase:
      description: V(diagnose) or V(verify).
      type: str
      sample: verify
    after:
      description: When verifying, the remedy that was done before.
      type: str
      sample: start
look_began:
  description:
    - In seconds since the epoch. The modules that look next may share what one of them has listed since then,
      see O(saveit.remediation.service_info#module:not_before).
  returned: success
  type: float
  sample: 1795421651.25
climbing:
  description: There is a remedy to try, RV(remedy).
  returned: success
  type: bool
  sample: false
stage:
  description: O(stage), and after O(step=count) V(counted), or V(cleared) where remedies may begin.
  returned: success
  type: str
  sample: act
rehearsing:
  description: The platform is to be asked what it would let the remedies do.
  returned: success
  type: bool
  sample: false
interlock:
  description: What to tell M(saveit.remediation.interlock) of the remedy that is being tried, and of those
    before.
  returned: success
  type: dict
  sample: {}
next_sample:
  description: The task file of the role that takes the next sample, which may renew the lease before.
  returned: success
  type: str
  sample: sample.yml
sampling:
  description: A remedy was done, and is being verified.
  returned: success
  type: bool
  sample: false
final:
  description: Nothing is left to be done; this step has published.
  returned: success
  type: bool
  sample: false
kept:
  description:
    - Everything that the next step has to know, as JSON text.
    - As data, Ansible would template and copy each of its parts again in every task.
  returned: success
  type: str
  sample: '{"target": "staging-1", "since": 1795421651.25}'
gave_up:
  description: The play is to end as failed, with RV(sentence).
  returned: success
  type: bool
  sample: false
remedy:
  description: The remedy that is being tried, as the runbook has it.
  returned: success
  type: dict
  sample: {}
remediation_events:
  description: What this step has to tell the journal and whoever watches.
  returned: success
  type: list
  elements: dict
  sample:
    - kind: verified
      at: "2026-11-23T02:49:08.190+00:00"
      target: staging-1
      sentence: "recovered: every criterion was met for 5.1 s"
      remedy: start
      recovered: true
"""

from ansible_collections.saveit.remediation.plugins.module_utils._ladder import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._module import run_module


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
