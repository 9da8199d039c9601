"""certificate_info on Kubernetes: what cert-manager, the secret and the endpoint say, where they differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._certificate_info import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError, Result

if TYPE_CHECKING:
    from tests.unit.collection.certificate.conftest import Issue, Issued
    from tests.unit.collection.certificate.kubernetes.conftest import Act, Cluster

Look = Callable[..., Result]
Condition = Callable[..., dict[str, Any]]


@pytest.fixture
def look(cluster: Cluster, ca_file: str) -> Look:
    def look(**given: Any) -> Result:
        defaults = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
        asked = {"ca_file": ca_file, "server_name": "localhost", "timeout_seconds": 2.0}
        result = run({**defaults, "platform": "kubernetes", **asked, **given}, cluster.carrier())
        assert not cluster.writes, "it only looks"
        return result

    return look


def ids(result: Result) -> list[str]:
    return [each.id for each in result.findings]


def evidence(result: Result) -> dict[str, Any]:
    return {each.name.removeprefix("nginx."): each.value for each in result.evidence}


def test_a_good_certificate_gets_no_finding(
    cluster: Cluster, good: Issued, serve: Callable[..., str], look: Look
) -> None:
    cluster.secret(good)
    result = look(endpoint=serve(good))
    assert (result.verdict, ids(result)) == ("healthy", [])
    assert evidence(result) == {
        "certificate": "healthy", "trusted": True, "name_matches": True, "days_left": 90.0,
        "file": "healthy", "key_matches": True, "serves_file": True, "issuance": "ready",
    }  # fmt: skip
    assert result.returned["secret"] == "saveit-tls"
    assert result.returned["issuance"]["revision"] == 1


def test_the_private_key_is_compared_and_never_returned(cluster: Cluster, good: Issued, look: Look) -> None:
    cluster.secret(good)
    result = look()
    said = json.dumps(result.as_return())
    lines = [line for line in good.key_pem.splitlines() if "PRIVATE KEY" not in line]
    assert lines
    assert not any(line in said for line in lines)
    assert cluster.objects["secrets", "saveit-tls"]["data"]["tls.key"] not in said
    assert evidence(result)["key_matches"] is True


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"ends": -1, "begins": -9}, ["certificate-expired"]),
        ({"ends": 10}, ["certificate-expiring"]),
        ({"names": ["other.lab"]}, ["certificate-wrong-name"]),
        ({"by": None}, ["certificate-untrusted"]),
    ],
)
def test_what_the_secret_holds_is_judged(
    cluster: Cluster, make: Issue, authority: Issued, look: Look, given: dict[str, Any], found: list[str]
) -> None:
    cluster.secret(make("localhost", **{"by": authority, "names": ["localhost"], **given}))
    result = look(server_name="", names=["localhost"])
    assert ids(result) == found
    assert result.sentence.startswith("the secret saveit-tls: it ")
    assert result.findings[0].subject == "the secret saveit-tls"


def test_a_key_of_another_certificate_is_told(
    cluster: Cluster, good: Issued, expired: Issued, look: Look
) -> None:
    cluster.secret(good, key=expired)
    assert ids(look()) == ["certificate-key-mismatch"]


@pytest.mark.parametrize(
    ("data", "finding", "sentence"),
    [
        ({}, "certificate-unreadable", "it holds no certificate (tls.crt)"),
        (None, "certificate-unreadable", "it holds no certificate (tls.crt)"),
        ({"tls.crt": "%%%"}, "certificate-unreadable", "tls.crt is not in base64"),
        (
            {"tls.crt": "/w=="},
            "certificate-unreadable",
            "tls.crt of the secret saveit-tls holds no certificate",
        ),
        ({"tls.key": None}, "certificate-key-mismatch", "its key cannot be used: there is none (tls.key)"),
        ({"tls.key": "%%%"}, "certificate-key-mismatch", "its key cannot be used: tls.key is not in base64"),
        (
            {"tls.key": "/w=="},
            "certificate-key-mismatch",
            "its key cannot be used: tls.key is not a key in PEM",
        ),
    ],
)
def test_a_damaged_secret_is_a_finding(
    cluster: Cluster, good: Issued, look: Look, data: dict[str, str] | None, finding: str, sentence: str
) -> None:
    secret = cluster.secret(good)
    changed = {**secret["data"], **data} if data and "tls.key" in data else data
    cluster.put("secrets", {**secret, "data": changed})
    result = look()
    assert ids(result) == [finding]
    assert sentence in result.sentence


def test_another_certificate_than_that_of_the_secret_is_said_to_be_served(
    cluster: Cluster, good: Issued, expired: Issued, serve: Callable[..., str], look: Look
) -> None:
    cluster.secret(good)
    result = look(endpoint=serve(expired))
    assert ids(result) == ["certificate-not-reloaded", "certificate-expired"]
    assert (
        "does not serve the certificate in the secret saveit-tls, which is good for 90.0 days: its Ingress"
        in (result.sentence)
    )
    assert evidence(result)["serves_file"] is False


def test_the_secret_is_the_one_that_the_certificate_names_unless_one_is_given(
    cluster: Cluster, good: Issued, expired: Issued, look: Look
) -> None:
    cluster.certificate(spec={"secretName": "edge"})
    cluster.secret(good, name="edge")
    cluster.secret(expired, name="other")
    assert (look().verdict, look().returned["secret"]) == ("healthy", "edge")
    assert (look(secret_name="other").verdict, look(secret_name="other").returned["secret"]) == (
        "expired",
        "other",
    )


def test_without_cert_manager_it_says_what_is_in_the_secret(
    cluster: Cluster, good: Issued, look: Look
) -> None:
    cluster.unknown |= {"certificates", "certificaterequests", "orders"}
    cluster.secret(good)
    result = look()
    assert result.verdict == "healthy"
    assert result.sentence.endswith(
        "the cluster test (namespace saveit) has no cert-manager; the secret saveit-tls holds CN=localhost, "
        "by CN=Root, good for 90.0 days"
    )
    assert ids(result) == ["certificate-unmanaged"]
    assert evidence(result)["issuance"] is None
    assert result.returned["issuance"] is None


def test_without_a_certificate_of_the_name_it_says_which_one_was_looked_for(
    cluster: Cluster, good: Issued, look: Look
) -> None:
    cluster.secret(good, name="web")
    result = look(certificate_name="web")
    assert "has no Certificate web (certificate_resource_name, in the inventory); the secret web holds" in (
        result.sentence
    )


def test_a_secret_that_is_missing_is_a_finding_with_or_without_cert_manager(
    cluster: Cluster, condition: Condition, look: Look
) -> None:
    cluster.certificate(
        conditions=[condition("Ready", False, "DoesNotExist"), condition("Issuing", True, "DoesNotExist")]
    )
    assert ids(look()) == ["certificate-secret-missing", "certificate-issuing"]
    cluster.unknown.add("certificates")
    assert ids(look()) == ["certificate-secret-missing", "certificate-unmanaged"]


def test_a_renewal_under_way_is_no_fault_while_the_certificate_is_good(
    cluster: Cluster, good: Issued, expired: Issued, condition: Condition, look: Look
) -> None:
    cluster.certificate(conditions=[condition("Issuing", True, "Renewing")])
    cluster.secret(good)
    assert ids(look()) == []
    cluster.secret(expired)
    assert ids(look()) == ["certificate-expired", "certificate-issuing"]


def test_a_failed_issuance_says_what_the_request_and_the_order_say(
    cluster: Cluster, expired: Issued, fail: Act, condition: Condition, look: Look
) -> None:
    cluster.secret(expired)
    cluster.certificate(conditions=[condition("Issuing", True, "Renewing")])
    fail(cluster)
    result = look()
    assert ids(result) == ["certificate-expired", "certificate-issuance-failed"]
    assert (
        "Z: CertificateRequest saveit-tls-2 says Failed: the order is "
        "invalid; Order saveit-tls-2-1 is invalid: DNS problem; cert-manager tries again at "
    ) in result.sentence
    assert result.returned["issuance"]["state"] == "failed"
    cluster.forbidden |= {"list certificaterequests", "list orders"}
    assert "The certificate request has failed; cert-manager tries again at " in look().sentence


def test_a_certificate_that_is_not_ready_though_the_secret_is_good_is_told(
    cluster: Cluster, good: Issued, condition: Condition, look: Look
) -> None:
    cluster.certificate(conditions=[condition("Ready", False, "IncorrectIssuer", "of another issuer")])
    cluster.secret(good)
    result = look()
    assert ids(result) == ["certificate-not-ready"]
    assert "is not ready (IncorrectIssuer): of another issuer" in result.sentence


def test_who_may_not_read_secrets_sees_what_is_served(
    cluster: Cluster, good: Issued, serve: Callable[..., str], look: Look
) -> None:
    cluster.secret(good)
    cluster.forbidden.add("get secrets")
    result = look(endpoint=serve(good))
    assert (result.verdict, evidence(result)["file"], evidence(result)["serves_file"]) == (
        "healthy",
        None,
        None,
    )
    assert [each.sentence for each in result.evidence if each.name == "nginx.file"] == [
        "may not get secrets: add this rule"
    ]
    with pytest.raises(ObstacleError, match="may not get secrets"):
        look()


def test_who_may_not_read_certificates_sees_the_secret(cluster: Cluster, good: Issued, look: Look) -> None:
    cluster.secret(good)
    cluster.forbidden.add("get certificates")
    assert "may not get certificates: add this rule; the secret saveit-tls holds" in look().sentence


def test_a_cluster_that_does_not_answer_is_an_obstacle(cluster: Cluster, look: Look) -> None:
    cluster.down = 1
    with pytest.raises(ObstacleError, match="does not answer"):
        look()
