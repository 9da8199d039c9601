#!/usr/bin/python
# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mqtt_check
short_description: Does an MQTT broker take a client, and give a message back
version_added: 0.1.0
description:
  - Is a device of the broker. Connects, waits for CONNACK, subscribes to a topic of its own, publishes one
    message to it and waits until it comes back, then disconnects.
  - An open port is no broker, because the proxy of Docker takes connections for one that is dead. Only
    CONNACK and a message that comes back are.
  - The session is clean and the message is not retained, so the broker keeps nothing of it.
  - Every step has a time limit, whatever the broker does.
author:
  - The saveit-remediate developers (@saveit)
extends_documentation_fragment:
  - saveit.remediation.target
  - saveit.remediation.attributes
attributes:
  check_mode:
    support: full
    details: No message is published in check mode, whatever O(roundtrip) says; CONNACK is all it waits for.
  diff_mode:
    support: N/A
    details: It changes nothing that stays.
options:
  host:
    description:
      - Where devices reach the broker.
      - When empty, it is asked inside the instance that runs it, with the clients of Mosquitto, or with a
        line of Python where it is embedded in another service. That proves nothing about the way of the
        devices.
    type: str
    default: ""
  port:
    description: The port of the broker.
    type: int
    default: 1883
  subject:
    description: What findings are about, and what evidence begins with.
    type: str
    default: mqtt
  probe:
    description: A name for this check, where there is more than one; evidence has it after O(subject).
    type: str
    default: ""
  service:
    description: The service that runs the broker where it is one of its own.
    type: str
    default: mosquitto
  runs_in:
    description:
      - The service that was found to run the broker, as RV(saveit.remediation.service_info#module:found) of
        M(saveit.remediation.service_info) says it.
      - When it is not O(service), a broker that is down is found as V(mqtt-embedded-dead) or
        V(mqtt-embedded-hung), and when it is empty, as V(mqtt-elsewhere-down).
    type: str
  down_finding:
    description: What it is called when nothing serves on this port, instead of V(mqtt-refused),
      V(mqtt-closed), V(mqtt-timeout) and V(mqtt-unreachable).
    type: str
    default: ""
  username:
    description: The user that the devices have. Nothing is authenticated when it and O(password) are empty.
    type: str
    default: ""
  password:
    description: The password that the devices have.
    type: str
    default: ""
  version:
    description: The version of the protocol that the devices speak.
    type: str
    choices: ["3.1.1", "5"]
    default: "3.1.1"
  tls:
    description: Whether the broker listens with TLS on O(port). Its certificate and name are verified.
    type: bool
    default: false
  ca_file:
    description: The CA certificate to verify the broker with, instead of those of the system.
    type: path
    default: ""
  roundtrip:
    description: Whether to publish a message and wait for it, or only for CONNACK.
    type: bool
    default: true
  topic_prefix:
    description: The topic of the message is below this one. The user needs the right to publish and subscribe
      there.
    type: str
    default: saveit-remediate/check
  samples:
    description: How many conversations to hold at the same time, up to 50. One that fails by chance shows as
      a share.
    type: int
    default: 1
  timeout_seconds:
    description: How long each step may take; connect, CONNACK, SUBACK, and the message.
    type: float
    default: 3
requirements:
  - On the controller, the Python library C(paho-mqtt) 2.0 or later.
seealso:
  - name: Reason codes of MQTT
    description: What the codes of the broker mean.
    link: https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html#_Toc3901079
  - module: saveit.remediation.service_info
"""

EXAMPLES = r"""
---
- name: Prove that the broker takes a device, and gives a message back
  saveit.remediation.mqtt_check:
    platform: compose
    host: mqtt.staging.example.com

- name: The same with MQTT 5, TLS, a user and a password, three times at once
  saveit.remediation.mqtt_check:
    platform: compose
    host: mqtt.staging.example.com
    port: 8883
    tls: true
    version: "5"
    username: probe
    password: "{{ vault_mqtt_password }}"
    samples: 3

- name: Only find out whether the broker accepts a connection
  saveit.remediation.mqtt_check:
    platform: compose
    host: mqtt.staging.example.com
    roundtrip: false

- name: Ask the broker inside its pod
  saveit.remediation.mqtt_check:
    platform: kubernetes
    service: mosquitto
"""

RETURN = r"""
---
verdict:
  description:
    - V(healthy), or how the broker fails.
    - V(unreachable), V(refused), V(closed) and V(timeout) when there was no answer to CONNECT, V(tls) for a
      handshake that failed, V(protocol) for an answer in another language.
    - V(auth) when it does not let this client in or at its topic, V(unavailable) when it turns clients away
      for another reason.
    - V(silent) when it said CONNACK, and our message did not come back.
  returned: success
  type: str
  sample: closed
sentence:
  description: Why, in one sentence. It travels unchanged to the journal and to the post-mortem.
  returned: always
  type: str
  sample: "mqtt (127.0.0.1:1883) takes the TCP connection and closes it without an answer: no broker listens
    behind the port"
findings:
  description: One, C(mqtt-) and the verdict, when the verdict is not V(healthy); see also O(runs_in) and
    O(down_finding).
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: What is wrong, as the runbook calls it.
      type: str
      sample: mqtt-closed
    subject:
      description: The same as O(subject).
      type: str
      sample: mqtt
    sentence:
      description: What was seen.
      type: str
      sample: "mqtt (127.0.0.1:1883) takes the TCP connection and closes it without an answer: no broker
        listens behind the port"
evidence:
  description: The answer, whether the message came back, and the slowest time of each step.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: What was measured, the subject first.
      type: str
      sample: mqtt.answer
    value:
      description: The measured value; null means that there is no data, which is neither zero nor good.
      type: raw
      sample: closed
    sentence:
      description: Where the value comes from.
      type: str
      sample: "mqtt (127.0.0.1:1883) takes the TCP connection and closes it without an answer: no broker
        listens behind the port"
answer:
  description: The same as RV(verdict).
  returned: success
  type: str
  sample: auth
reason:
  description: The reason code of the broker in words; empty when it gave none.
  returned: success
  type: str
  sample: not authorized (135)
roundtrip:
  description: Whether the message came back in all conversations; null when it was not tried.
  returned: success
  type: bool
  sample: true
milliseconds:
  description: By step, C(connect), C(connack), C(subscribe) and C(message), the slowest of all conversations;
    null for a step that was not reached.
  returned: success
  type: dict
  sample:
    connect: 0.4
    connack: 1.1
    subscribe: 0.6
    message: 1.3
observed_at:
  description: When it was seen, in seconds since the epoch by the clock of the controller.
  returned: always
  type: float
  sample: 1795421651.25
"""

from ansible_collections.saveit.remediation.plugins.module_utils._module import run_module
from ansible_collections.saveit.remediation.plugins.module_utils._mqtt_check import ARGUMENTS, run


def main() -> None:
    """Run the logic of module_utils on this host."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
