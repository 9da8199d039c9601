"""What cert-manager's objects say, read from recordings of a 1.36 API server; no server, no network."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate as objects,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_certificate_look import (
    issuance_sentence,
)

Recorded = Callable[[str], dict[str, Any]]
NOW = datetime(2026, 11, 23, 6, 50, 15, tzinfo=UTC).timestamp()


@pytest.fixture
def recorded(fixtures: Path) -> Recorded:
    """The Certificate of a recorded state."""

    def recorded(state: str) -> dict[str, Any]:
        text = (fixtures / f"kubernetes-1.36/states/certificate-{state}.json").read_text("utf-8")
        certificate: dict[str, Any] = json.loads(text)["objects"]["certificate"]
        return certificate

    return recorded


@pytest.fixture
def conversation_of(fixtures: Path) -> Callable[[str], dict[str, Any]]:
    recordings = json.loads((fixtures / "kubernetes-1.36/http/conversations.json").read_text("utf-8"))
    return lambda name: next(each for each in recordings if each["name"] == name)


@pytest.mark.parametrize(
    ("state", "word", "is_ready", "revision", "attempts"),
    [
        ("ready", "ready", True, 1, 0),
        ("expired", "not-ready", False, 1, 0),
        ("issuing", "issuing", True, 1, 0),
        ("first-issuance", "issuing", False, None, 0),
        ("failed", "failed", True, 1, 2),
    ],
)
def test_a_certificate_is_read(
    recorded: Recorded, state: str, word: str, is_ready: bool, revision: int | None, attempts: int
) -> None:
    read = objects.read(recorded(state))
    assert (read.word, read.ready and read.ready.status) == (word, is_ready)
    assert (read.revision, read.attempts) == (revision, attempts)
    assert (read.name, read.secret_name) == (f"saveit-tls-{state}", f"saveit-tls-{state}")
    assert read.as_return()["issuer"] == "ClusterIssuer letsencrypt"


def test_a_certificate_that_nobody_has_looked_at_has_no_status() -> None:
    read = objects.read({"metadata": {"name": "new"}, "spec": {"secretName": "new"}})
    assert (read.word, read.backoff_ends, read.as_return()["ready"]) == ("not-ready", 0, None)
    assert issuance_sentence(read, "", NOW).endswith("cert-manager has not looked at it, does it run?")


@pytest.mark.parametrize(
    ("attempts", "hours"), [(None, 1), (1, 1), (2, 2), (3, 4), (5, 16), (6, 32), (7, 32), (10_000, 32)]
)
def test_the_back_off_doubles_from_one_hour_to_32(
    recorded: Recorded, attempts: int | None, hours: int
) -> None:
    certificate = recorded("failed")
    certificate["status"]["failedIssuanceAttempts"] = attempts
    read = objects.read(certificate)
    assert read.last_failure is not None
    assert read.backoff_ends - read.last_failure == hours * 3600


def test_a_failed_issuance_says_why_and_when_it_is_tried_again(recorded: Recorded) -> None:
    failed = objects.read(recorded("failed"))
    assert issuance_sentence(failed, "Order x is invalid: no DNS", NOW) == (
        "the last issuance of the Certificate saveit-tls-failed failed at 2026-11-23T05:50:15Z: "
        "Order x is invalid: no DNS; cert-manager tries again at 2026-11-23T07:50:15Z"
    )
    later = issuance_sentence(failed, "", NOW + 7200)
    assert "05:50:15Z: The certificate request has failed to complete and will be retried: Failed to" in later
    assert later.endswith("; cert-manager should have tried again at 2026-11-23T07:50:15Z")


@pytest.mark.parametrize(
    ("said", "after", "expected"),
    [
        ("", 30, "for 0 minutes (ManuallyTriggered)"),
        ("", 600, "(ManuallyTriggered); no CertificateRequest of it is seen, does cert-manager run?"),
        ("Order x is pending", 600, "for 10 minutes (ManuallyTriggered); Order x is pending"),
    ],
)
def test_an_issuance_under_way_says_for_how_long(
    recorded: Recorded, said: str, after: float, expected: str
) -> None:
    sentence = issuance_sentence(objects.read(recorded("issuing")), said, NOW + after)
    assert sentence.startswith("an issuance of the Certificate saveit-tls-issuing has been under way")
    assert sentence.endswith(expected)


@pytest.mark.parametrize("state", ["ready", "expired", "failed"])
def test_the_patch_keeps_the_other_conditions_and_names_the_version_it_was_decided_on(
    recorded: Recorded, state: str
) -> None:
    certificate = recorded(state)
    patch = objects.issue_patch(objects.read(certificate), NOW)
    assert patch["metadata"] == {"resourceVersion": certificate["metadata"]["resourceVersion"]}
    *others, issuing = patch["status"]["conditions"]
    assert others == [each for each in certificate["status"]["conditions"] if each["type"] != "Issuing"]
    assert (issuing["type"], issuing["status"], issuing["reason"]) == ("Issuing", "True", "ManuallyTriggered")
    assert (issuing["lastTransitionTime"], issuing["observedGeneration"]) == ("2026-11-23T06:50:15Z", 1)


def test_the_patch_has_the_shape_that_a_real_server_took_on_the_status_alone(
    recorded: Recorded, conversation_of: Callable[[str], dict[str, Any]]
) -> None:
    """On the main path the same body was answered with 200 and changed nothing."""
    taken, ignored = (
        conversation_of("certificate-status-patch"),
        conversation_of("certificate-main-patch-status-ignored"),
    )
    assert taken["body"] == ignored["body"]
    assert objects.read(taken["response"]).is_issuing
    assert not objects.read(ignored["response"]).is_issuing
    ours = objects.issue_patch(objects.read(recorded("ready")), NOW)["status"]["conditions"][-1]
    assert set(taken["body"]["status"]["conditions"][0]) <= set(ours)


def changed(certificate: dict[str, Any], **status: Any) -> objects.Issuance:
    return objects.read({**certificate, "status": {**certificate["status"], **status}})


def test_an_issuance_ends_when_issuing_is_gone_and_something_is_newer(recorded: Recorded) -> None:
    before, ready = objects.read(recorded("ready")), recorded("ready")
    assert objects.ended(before, objects.read(recorded("ready"))) == ""
    assert objects.ended(before, changed(ready, revision=2)) == "issued"
    assert objects.ended(before, changed(ready, notAfter="2027-02-21T06:50:15Z")) == "issued"
    assert objects.ended(before, changed(ready, notAfter="2026-12-01T06:50:15Z")) == ""
    not_ready = [{"type": "Ready", "status": "False", "reason": "x", "message": "x"}]
    assert objects.ended(before, changed(ready, revision=2, conditions=not_ready)) == ""
    assert objects.ended(before, changed(recorded("issuing"), revision=2)) == ""


def test_an_issuance_has_failed_as_soon_as_the_time_of_failure_moves(recorded: Recorded) -> None:
    before, failed = objects.read(recorded("failed")), recorded("failed")
    assert objects.ended(before, changed(failed, lastFailureTime="2026-11-23T06:51:00Z")) == "failed"
    assert objects.ended(objects.read(recorded("ready")), objects.read(failed)) == "failed"


def request(revision: int, reason: str = "Pending", message: str = "", **more: Any) -> dict[str, Any]:
    annotations = {
        "cert-manager.io/certificate-name": "saveit-tls",
        "cert-manager.io/certificate-revision": str(revision),
    }
    name, time = f"saveit-tls-{revision}", f"2026-11-23T0{revision}:00:00Z"
    metadata = {"name": name, "uid": name, "creationTimestamp": time, "annotations": annotations, **more}
    ready = {"type": "Ready", "status": "False", "reason": reason, "message": message}
    approved = {"type": "Approved", "status": "True", "reason": "cert-manager.io", "message": "approved"}
    return {"metadata": metadata, "status": {"conditions": [approved, ready]}}


def test_the_last_request_and_its_order_say_why() -> None:
    issuance = objects.read({"metadata": {"name": "saveit-tls", "uid": "u"}})
    requests = [request(2), request(3, "Failed", 'order is in "invalid" state'), request(1)]
    other = request(9, annotations={}, ownerReferences=[{"uid": "another"}])
    newest = objects.newest_request([*requests, other], issuance)
    assert newest is requests[1]
    assert objects.attempted_at(newest) == datetime(2026, 11, 23, 3, tzinfo=UTC).timestamp()
    orders = [
        {
            "metadata": {
                "name": f"saveit-tls-{number}-77",
                "ownerReferences": [{"uid": f"saveit-tls-{number}"}],
            },
            "status": {"state": "invalid", "reason": f"too many\ncertificates {number}"},
        }
        for number in (2, 3)
    ]
    order = objects.order_of(orders, newest)
    assert objects.told(newest, order) == (
        'CertificateRequest saveit-tls-3 says Failed: order is in "invalid" state; '
        "Order saveit-tls-3-77 is invalid: too many certificates 3"
    )
    assert objects.told(None, None) == ""
    assert objects.order_of(orders, request(1)) is None


def test_a_request_that_was_denied_says_so() -> None:
    denied = request(1)
    denied["status"]["conditions"] = [
        {"type": "Denied", "status": "True", "reason": "policy", "message": "not this name"}
    ]
    assert objects.told(denied, None) == "CertificateRequest saveit-tls-1 says policy: not this name"
