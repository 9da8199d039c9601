# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a broker's behaviour means: verdicts and sentences, without a connection.

An open TCP port is no broker: a proxy takes the connection for one that is dead. Only CONNACK and a
message that comes back are. The reason codes are those of MQTT 5
(https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html#_Toc3901079), into which the five of MQTT
3.1.1 are translated.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Mapping, Sequence

STEPS = ("connect", "connack", "subscribe", "message")
VERDICTS = (
    "healthy",
    "unreachable",
    "refused",
    "closed",
    "timeout",
    "tls",
    "protocol",
    "auth",
    "unavailable",
    "silent",
)
DOWN = {"refused": "dead", "closed": "dead", "timeout": "hung"}  # what a restart may help against
UNUSABLE = (*DOWN, "unreachable")  # nothing that serves listens there

REASONS = {
    128: "unspecified error",
    129: "malformed packet",
    130: "protocol error",
    131: "implementation specific error",
    132: "unsupported protocol version",
    133: "client identifier not valid",
    134: "bad user name or password",
    135: "not authorized",
    136: "server unavailable",
    137: "server busy",
    138: "banned",
    140: "bad authentication method",
    143: "topic filter invalid",
    144: "topic name invalid",
    145: "packet identifier in use",
    149: "packet too large",
    151: "quota exceeded",
    153: "payload format invalid",
    154: "retain not supported",
    155: "QoS not supported",
    156: "use another server",
    157: "server moved",
    158: "shared subscriptions not supported",
    159: "connection rate exceeded",
    161: "subscription identifiers not supported",
    162: "wildcard subscriptions not supported",
}
_OF_VERSION_3 = {1: 132, 2: 133, 3: 136, 4: 134, 5: 135}
_ADMISSION = (133, 134, 135, 138, 140)  # the broker serves, and does not let this client in
_LANGUAGE = (129, 130, 132)
_ASKED = {"connack": "CONNECT", "subscribe": "SUBSCRIBE", "message": "PUBLISH"}


@dataclass(frozen=True)
class Heard:
    """What one conversation brought.

    `ended` is "" when every step that was asked for was done; else how it ended, one of unreachable, refused,
    closed, timeout, tls, garbage, or code with the broker's own `code`; `step` is where, `detail` the words
    for it. `milliseconds` has each step that was done.
    """

    ended: str = ""
    step: str = ""
    code: int = 0
    detail: str = ""
    milliseconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Did CONNACK say yes?"""
        return "connack" in self.milliseconds

    @property
    def returned(self) -> bool:
        """Did a message of our own come back?"""
        return "message" in self.milliseconds


def reason(code: int) -> str:
    """A reason code in words."""
    code = _OF_VERSION_3.get(code, code)
    return f"{REASONS.get(code, 'a reason that is not in the standard')} ({code})"


def connack_code(beginning: bytes) -> int | None:
    """The code in the first bytes of an answer; None when they are no CONNACK, or not enough of one."""
    if len(beginning) < 4 or beginning[0] != 0x20 or beginning[1] > 127 or beginning[2] > 1:
        return None
    return _OF_VERSION_3.get(beginning[3], beginning[3])


def verdict(heard: Heard, timeout: float) -> tuple[str, str]:
    """One of VERDICTS, and the sentence why (it begins in the middle: "mqtt …")."""
    if heard.ended == "code":
        return _verdict_of_code(heard)
    if heard.accepted and heard.ended:
        return "silent", f"accepts the connection, but {_broken_off(heard, timeout)}"
    if heard.ended == "unreachable":
        return "unreachable", f"cannot be reached: {heard.detail}"
    if heard.ended == "refused":
        return "refused", f"refuses connections: {heard.detail}"
    if heard.ended == "closed":
        return "closed", (
            "takes the TCP connection and closes it without an answer: "
            "no broker listens behind the port" + (f" ({heard.detail})" if heard.detail else "")
        )
    if heard.ended == "timeout":
        asked = "the TLS handshake" if heard.step == "connect" else "CONNECT"
        return "timeout", f"takes the TCP connection and does not answer {asked} within {timeout:g} s"
    if heard.ended == "tls":
        return "tls", f"fails the TLS handshake: {heard.detail}"
    if heard.ended:
        return "protocol", f"does not speak MQTT: {heard.detail}"
    return "healthy", f"answers, {_speed(heard)}"


def worst(each: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Of several conversations: healthy only when all are; else the most frequent fault, with its share."""
    faults = [one for one in each if one[0] != "healthy"]
    if not faults:
        return each[-1]
    word = Counter(word for word, _why in faults).most_common(1)[0][0]
    why = next(why for found, why in faults if found == word)
    if len(each) == 1:
        return word, why
    share = sum(1 for found, _why in each if found == word)
    return word, f"{why} ({share} of {len(each)} conversations)"


def _verdict_of_code(heard: Heard) -> tuple[str, str]:
    code = _OF_VERSION_3.get(heard.code, heard.code)
    word = "auth" if code in _ADMISSION else "protocol" if code in _LANGUAGE else "unavailable"
    if heard.step == "connack":
        return word, f"refuses CONNECT: {reason(code)}"
    # It serves others, and the name of our topic or our rights are in the way.
    refused = f"refuses {_ASKED[heard.step]} of {heard.detail}: {reason(code)}"
    return "auth", f"accepts the connection, but {refused}"


def _broken_off(heard: Heard, timeout: float) -> str:
    asked = _ASKED[heard.step]
    if heard.ended == "timeout":
        missing = "our own message does not come back"
        return f"{missing if heard.step == 'message' else f'{asked} is not answered'} within {timeout:g} s"
    if heard.ended == "closed":
        return f"closes it after {asked}"
    return f"answers {asked} with something else than MQTT: {heard.detail}"


def _speed(heard: Heard) -> str:
    took = heard.milliseconds
    words = {"connack": "CONNACK", "message": "our message came back"}
    return ", ".join(f"{said} after {took[step]:.0f} ms" for step, said in words.items() if step in took)
