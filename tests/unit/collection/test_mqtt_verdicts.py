"""What a broker's behaviour means: verdicts, and what is refused before anything is asked."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _mqtt, _mqtt_check
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._mqtt import Heard
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result

ALL = {"connect": 0.5, "connack": 1.4, "subscribe": 0.6, "message": 3.6}
ACCEPTED = {"connect": 0.5, "connack": 1.4}
SUBSCRIBED = {**ACCEPTED, "subscribe": 0.6}
WELL = Heard(milliseconds=ALL)
HUNG = Heard("timeout", "connack")

VERDICTS = [
    (WELL, "healthy", "answers, CONNACK after 1 ms, our message came back after 4 ms"),
    (Heard(milliseconds=ACCEPTED), "healthy", "answers, CONNACK after 1 ms"),
    (Heard("unreachable", "connect", detail="no route"), "unreachable", "cannot be reached: no route"),
    (Heard("refused", "connect", detail="no"), "refused", "refuses connections: no"),
    (Heard("closed", "connack"), "closed", "closes it without an answer: no broker listens behind the port"),
    (HUNG, "timeout", "takes the TCP connection and does not answer CONNECT within 3 s"),
    (Heard("timeout", "connect"), "timeout", "does not answer the TLS handshake within 3 s"),
    (Heard("tls", "connect", detail="expired"), "tls", "fails the TLS handshake: expired"),
    (Heard("garbage", "connack", detail="HTTP"), "protocol", "does not speak MQTT: HTTP"),
    (Heard("code", "connack", 5), "auth", "refuses CONNECT: not authorized (135)"),
    (Heard("code", "connack", 134), "auth", "refuses CONNECT: bad user name or password (134)"),
    (Heard("code", "connack", 1), "protocol", "refuses CONNECT: unsupported protocol version (132)"),
    (Heard("code", "connack", 3), "unavailable", "refuses CONNECT: server unavailable (136)"),
    (Heard("code", "connack", 151), "unavailable", "refuses CONNECT: quota exceeded (151)"),
    (Heard("code", "connack", 250), "unavailable", "a reason that is not in the standard (250)"),
    (
        Heard("code", "subscribe", 135, "a/b", ACCEPTED),
        "auth",
        "accepts the connection, but refuses SUBSCRIBE of a/b: not authorized (135)",
    ),
    (Heard("code", "message", 135, "a/b", SUBSCRIBED), "auth", "but refuses PUBLISH of a/b: not authorized"),
    (Heard("timeout", "message", 0, "", SUBSCRIBED), "silent", "our own message does not come back"),
    (Heard("timeout", "subscribe", 0, "", ACCEPTED), "silent", "SUBSCRIBE is not answered within 3 s"),
    (Heard("closed", "message", 0, "", SUBSCRIBED), "silent", "but closes it after PUBLISH"),
    (Heard("garbage", "subscribe", 0, "x", ACCEPTED), "silent", "with something else than MQTT: x"),
]  # fmt: skip


@pytest.mark.parametrize(("heard", "word", "says"), VERDICTS)
def test_each_way_to_fail_has_its_word_and_its_sentence(heard: Heard, word: str, says: str) -> None:
    found, why = _mqtt.verdict(heard, 3)
    assert (found, says in why) == (word, True), why
    assert word in _mqtt.VERDICTS


@pytest.mark.parametrize(
    ("beginning", "code"),
    [
        (b"\x20\x02\x00\x00", 0),
        (b"\x20\x02\x00\x05", 135),
        (b"\x20\x03\x00\x87\x00", 135),
        (b"\x20\x02\x00", None),
        (b"", None),
        (b"HTTP/1.1", None),
        (b"\x20\xff\xff\xff", None),
    ],
)
def test_the_code_is_read_out_of_the_first_bytes(beginning: bytes, code: int | None) -> None:
    assert _mqtt.connack_code(beginning) == code


def parameters(**more: Any) -> dict[str, Any]:
    defaults = {name: spec.get("default") for name, spec in _mqtt_check.ARGUMENTS.items()}
    return {**defaults, "host": "broker", **more}


def judge(*heard: Heard, roundtrip: bool = True, **more: Any) -> Result:
    return _mqtt_check.judge(parameters(**more), list(heard), roundtrip)


def values(result: Result) -> dict[str, Any]:
    return {each.name: each.value for each in result.evidence}


def test_a_healthy_broker_gets_no_finding_and_the_slowest_time_counts() -> None:
    slow = Heard(milliseconds={**ALL, "message": 40.0})
    result = judge(WELL, slow, WELL)
    assert (result.verdict, result.findings, result.changed) == ("healthy", [], False)
    assert values(result) == {
        "mqtt.answer": "healthy",
        "mqtt.roundtrip": True,
        "mqtt.connect_milliseconds": 0.5,
        "mqtt.connack_milliseconds": 1.4,
        "mqtt.subscribe_milliseconds": 0.6,
        "mqtt.message_milliseconds": 40.0,
    }


def test_one_conversation_that_fails_is_a_finding_with_its_share() -> None:
    result = judge(WELL, HUNG, WELL)
    assert [each.id for each in result.findings] == ["mqtt-timeout"]
    assert result.sentence.endswith("(1 of 3 conversations)")
    assert values(result)["mqtt.roundtrip"] is False


def test_the_most_frequent_fault_is_the_one_that_is_told() -> None:
    closed = Heard("closed", "connack")
    assert judge(HUNG, closed, closed, WELL).sentence.endswith("(2 of 4 conversations)")
    assert judge(HUNG, closed, closed, WELL).verdict == "closed"


def test_what_was_not_tried_is_no_data() -> None:
    result = judge(Heard(milliseconds=ACCEPTED), roundtrip=False)
    assert (result.verdict, values(result)["mqtt.roundtrip"]) == ("healthy", None)
    assert values(result)["mqtt.message_milliseconds"] is None


def test_a_probe_has_evidence_of_its_own_and_says_that_it_used_tls() -> None:
    result = judge(HUNG, probe="tls", tls=True, port=8883, down_finding="mqtt-tls-down")
    assert values(result)["mqtt.tls.answer"] == "timeout"
    assert result.sentence.startswith("mqtt (broker:8883 with TLS) ")


NAMES = [
    # how it ended, in which service it runs, what it is called
    ("closed", None, "mqtt-closed"),
    ("closed", "mosquitto", "mqtt-closed"),
    ("timeout", "mosquitto", "mqtt-timeout"),
    ("closed", "backend", "mqtt-embedded-dead"),
    ("refused", "backend", "mqtt-embedded-dead"),
    ("timeout", "backend", "mqtt-embedded-hung"),
    ("timeout", "", "mqtt-elsewhere-down"),
    ("unreachable", "backend", "mqtt-unreachable"),
    ("tls", "backend", "mqtt-tls"),
    ("garbage", "", "mqtt-protocol"),
]


@pytest.mark.parametrize(("ended", "runs_in", "name"), NAMES)
def test_a_broker_that_is_down_is_called_after_the_service_that_would_be_restarted(
    ended: str, runs_in: str | None, name: str
) -> None:
    result = judge(Heard(ended, "connack", detail="x"), runs_in=runs_in)
    assert [each.id for each in result.findings] == [name]
    assert ("there is no service mosquitto, so" in result.sentence) == ("embedded" in name)


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        (Heard("refused", "connect"), "mqtt-tls-down"),
        (Heard("closed", "connect"), "mqtt-tls-down"),
        (Heard("timeout", "connect"), "mqtt-tls-down"),
        (Heard("unreachable", "connect"), "mqtt-tls-down"),
        (Heard("tls", "connect"), "mqtt-tls"),
        (Heard("code", "connack", 5), "mqtt-auth"),
    ],
)
def test_a_second_port_is_down_only_when_nothing_serves_there(heard: Heard, name: str) -> None:
    assert [each.id for each in judge(heard, down_finding="mqtt-tls-down").findings] == [name]


def test_the_brokers_reason_is_returned_in_words() -> None:
    assert judge(Heard("code", "connack", 4)).returned["reason"] == "bad user name or password (134)"
    assert judge(WELL).returned["reason"] == ""


NONSENSE = [
    ({"host": " "}, "the host is empty"),
    ({"port": 0}, "a port is a number from 1 to 65535"),
    ({"port": 65536}, "a port is a number from 1 to 65535"),
    ({"timeout_seconds": 0}, "timeout_seconds must be more than 0"),
    ({"timeout_seconds": float("nan")}, "timeout_seconds must be more than 0"),
    ({"timeout_seconds": float("inf")}, "timeout_seconds must be more than 0"),
    ({"samples": 0}, "samples must be 1 to 50"),
    ({"samples": 51}, "samples must be 1 to 50"),
    ({"topic_prefix": "/"}, "topic_prefix is empty"),
    ({"topic_prefix": "a/#"}, "has a wildcard"),
    ({"topic_prefix": "+/a"}, "has a wildcard"),
]


@pytest.mark.parametrize(("given", "says"), NONSENSE)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], says: str) -> None:
    nothing: Any = None
    with pytest.raises(FailedError, match=f"^cannot check MQTT at .*{says}"):
        _mqtt_check.run(parameters(**given), Carrier(nothing, nothing, nothing))
