"""certificate_renewal on Kubernetes: cert-manager issues, or it is said why there is no new certificate."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._certificate import day
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_renewal import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    FailedError,
    ObstacleError,
    Result,
)

if TYPE_CHECKING:
    from tests.unit.collection.certificate.conftest import Issue, Issued
    from tests.unit.collection.certificate.kubernetes.conftest import Act, Cluster

TEMPORARY = "cert-manager.io/issue-temporary-certificate"
ASK = "patch certificates/status saveit-tls"
Renew = Callable[..., Result]
Condition = Callable[..., dict[str, Any]]
Succeed = Callable[..., "Act"]


@pytest.fixture
def renew(cluster: Cluster, ca_file: str, good: Issued, expired: Issued) -> Renew:
    def renew(check_mode: bool = False, **given: Any) -> Result:
        defaults = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
        asked = {"record": False, "ca_file": ca_file, "names": ["localhost"], "timeout_seconds": 2.0}
        parameters = {**defaults, "platform": "kubernetes", **asked, **given}
        try:
            result = run(parameters, cluster.carrier(check_mode))
        except FailedError as error:
            said = str(error)
            raise
        else:
            said = json.dumps(result.as_return())
        finally:
            for issued in (good, expired):
                assert not any(line in said for line in issued.key_pem.splitlines()[1:-1])
        return result

    return renew


@pytest.fixture
def before(cluster: Cluster, expired: Issued) -> None:
    """An expired certificate in the secret."""
    cluster.secret(expired)


@pytest.mark.usefixtures("before")
def test_an_expired_certificate_is_renewed_by_its_status(
    cluster: Cluster, succeed: Succeed, renew: Renew
) -> None:
    version = cluster.objects["certificates", "saveit-tls"]["metadata"]["resourceVersion"]
    cluster.manager = succeed()
    result = renew()
    assert (result.verdict, result.changed, cluster.writes) == ("renewed", True, [ASK])
    assert result.sentence == (
        "the secret saveit-tls holds a certificate good for 90.0 days (Certificate saveit-tls, revision 2)"
    )
    body = cluster.bodies[0]
    assert body["metadata"] == {"resourceVersion": version}
    assert [each["type"] for each in body["status"]["conditions"]] == ["Ready", "Issuing"]
    assert body["status"]["conditions"][1]["reason"] == "ManuallyTriggered"
    assert result.diff
    assert result.diff["before"] != result.diff["after"]
    assert result.returned["stored"]["days_left"] == 90.0


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("is_served", [True, False])
def test_it_looks_from_outside_whether_the_new_one_is_served(
    cluster: Cluster,
    good: Issued,
    expired: Issued,
    succeed: Succeed,
    serve: Callable[..., str],
    renew: Renew,
    is_served: bool,
) -> None:
    cluster.manager = succeed()
    endpoint = serve(good if is_served else expired)
    result = renew(endpoint=endpoint, server_name="localhost", serve_timeout_seconds=0.5)
    assert result.sentence.endswith(", and it is served" if is_served else "; it is not served yet")


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("method", ["client", "self_signed", "delete_secret"])
def test_check_mode_writes_nothing_and_shows_what_would_change(
    cluster: Cluster, renew: Renew, method: str
) -> None:
    result = renew(check_mode=True, method=method)
    assert (result.verdict, result.changed, cluster.writes) == ("planned", True, [])
    assert result.sentence.startswith("would ")
    assert result.diff
    assert "issuing: False" in result.diff["before"]
    assert "issuing: True" in result.diff["after"]


@pytest.mark.parametrize("method", ["client", "self_signed", "delete_secret"])
def test_a_good_certificate_is_left_alone(cluster: Cluster, good: Issued, renew: Renew, method: str) -> None:
    cluster.secret(good)
    result = renew(method=method)
    assert (result.verdict, result.changed, cluster.writes) == ("unchanged", False, [])
    assert result.sentence == "not renewed: the secret saveit-tls is good for 90.0 days, more than 30"


def test_a_good_certificate_is_renewed_by_force(
    cluster: Cluster, good: Issued, make: Issue, authority: Issued, succeed: Succeed, renew: Renew
) -> None:
    cluster.secret(good)
    cluster.manager = succeed(make("localhost", authority, ["localhost"], ends=99))
    assert renew(force=True).returned["stored"]["days_left"] == 99.0


@pytest.mark.usefixtures("before")
def test_without_cert_manager_nothing_is_renewed(cluster: Cluster, renew: Renew) -> None:
    cluster.unknown |= {"certificates", "certificaterequests"}
    result = renew()
    assert (result.verdict, cluster.writes) == ("unchanged", [])
    assert result.sentence == "not renewed: the cluster test (namespace saveit) has no cert-manager"


@pytest.mark.usefixtures("before")
def test_a_failed_issuance_ends_the_wait_at_once(cluster: Cluster, fail: Act, renew: Renew) -> None:
    cluster.manager = fail
    with pytest.raises(FailedError) as failed:
        renew()
    assert str(failed.value).startswith(
        "no new certificate: the last issuance of the Certificate saveit-tls failed"
    )
    assert "Order saveit-tls-2-1 is invalid: DNS problem" in str(failed.value)
    assert str(failed.value).endswith("; the secret saveit-tls was not touched")
    assert cluster.ahead == 0


@pytest.mark.usefixtures("before")
def test_within_the_back_off_it_is_not_asked_again_unless_forced(
    cluster: Cluster, fail: Act, succeed: Succeed, renew: Renew
) -> None:
    cluster.manager = fail
    with pytest.raises(FailedError):
        renew()
    cluster.manager, asked = succeed(), len(cluster.writes)
    result = renew()
    assert (result.verdict, len(cluster.writes)) == ("unchanged", asked)
    assert "cert-manager tries again at " in result.sentence
    assert result.sentence.endswith("; force asks at once, and issuers have rate limits")
    assert renew(method="delete_secret").verdict == "unchanged"
    assert renew(force=True).verdict == "renewed"


@pytest.mark.usefixtures("before")
def test_after_the_back_off_it_is_asked_again(
    cluster: Cluster, fail: Act, succeed: Succeed, renew: Renew
) -> None:
    cluster.manager = fail
    with pytest.raises(FailedError):
        renew()
    cluster.ahead += 3700
    cluster.manager = succeed()
    assert renew().verdict == "renewed"


@pytest.mark.usefixtures("before")
def test_an_issuance_under_way_is_waited_for_by_others(
    cluster: Cluster, condition: Condition, renew: Renew
) -> None:
    cluster.certificate(conditions=[condition("Issuing", True, "Renewing")])
    for method in ("client", "delete_secret", "self_signed"):
        result = renew(method=method, force=True)
        assert (result.verdict, cluster.writes) == ("unchanged", [])
        assert "has been under way for 0 minutes (Renewing)" in result.sentence


@pytest.mark.usefixtures("before")
def test_the_issuer_is_asked_once_an_hour_however_it_ended(cluster: Cluster, renew: Renew) -> None:
    owner = {"uid": cluster.objects["certificates", "saveit-tls"]["metadata"]["uid"]}
    metadata = {
        "name": "saveit-tls-1",
        "ownerReferences": [owner],
        "creationTimestamp": day(cluster.time - 60),
    }
    cluster.put("certificaterequests", {"metadata": metadata})
    result = renew()
    assert (result.verdict, cluster.writes) == ("unchanged", [])
    assert "(certificate_backoff_minutes)" in result.sentence
    assert renew(check_mode=True, backoff_minutes=0.5).verdict == "planned"


@pytest.mark.usefixtures("before")
def test_a_conflict_is_read_again_and_decided_again(
    cluster: Cluster, condition: Condition, succeed: Succeed, renew: Renew
) -> None:
    def annotate(it: Cluster) -> None:
        it.certificate(conditions=[condition("Ready", False, "Expired")])

    cluster.meanwhile = [annotate, annotate]
    cluster.manager = succeed()
    assert renew().verdict == "renewed"
    assert cluster.writes == [ASK] * 3


@pytest.mark.usefixtures("before")
def test_after_three_conflicts_it_gives_up(cluster: Cluster, condition: Condition, renew: Renew) -> None:
    cluster.meanwhile = [lambda it: it.certificate(conditions=[condition("Ready", False, "x")])] * 9  # type: ignore[list-item]
    with pytest.raises(FailedError, match="tried 3 times, and each time: 409 Conflict"):
        renew()
    assert cluster.writes == [ASK] * 3


@pytest.mark.usefixtures("before")
def test_who_was_slower_than_cert_manager_leaves_it_to_it(
    cluster: Cluster, condition: Condition, renew: Renew
) -> None:
    cluster.meanwhile = [lambda it: it.certificate(conditions=[condition("Issuing", True, "Renewing")])]  # type: ignore[list-item]
    result = renew()
    assert (result.verdict, cluster.writes) == ("unchanged", [ASK])
    assert "(Renewing)" in result.sentence


@pytest.mark.usefixtures("before")
def test_without_the_right_to_the_status_the_sentence_says_which(cluster: Cluster, renew: Renew) -> None:
    cluster.forbidden.add("patch certificates/status")
    with pytest.raises(ObstacleError, match="may not patch certificates/status: add this rule"):
        renew()


@pytest.mark.usefixtures("before")
def test_a_cert_manager_that_does_nothing_is_waited_for_only_so_long(cluster: Cluster, renew: Renew) -> None:
    with pytest.raises(FailedError) as failed:
        renew(command_timeout_seconds=90.0)
    assert str(failed.value).startswith(
        "no new certificate within 90 s: an issuance of the Certificate saveit-tls"
    )
    assert "no CertificateRequest of it is seen, does cert-manager run?" in str(failed.value)
    assert 89 < cluster.ahead < 92


@pytest.mark.usefixtures("before")
def test_an_api_server_that_restarts_meanwhile_is_asked_again(
    cluster: Cluster, succeed: Succeed, renew: Renew
) -> None:
    def away(it: Cluster) -> None:
        if it.is_issuing() and not it.ahead:
            it.down, it.manager = 3, succeed()

    cluster.manager = away
    assert renew().verdict == "renewed"
    assert cluster.ahead == 3


@pytest.mark.usefixtures("before")
def test_a_write_that_broke_off_is_looked_for_before_it_is_repeated(
    cluster: Cluster, succeed: Succeed, renew: Renew
) -> None:
    cluster.meanwhile = [lambda it: setattr(it, "down", 1)]
    cluster.manager = succeed()
    assert renew().verdict == "renewed"
    assert cluster.writes == [ASK, ASK]


@pytest.mark.usefixtures("before")
def test_a_write_whose_answer_is_lost_is_not_repeated(
    cluster: Cluster, succeed: Succeed, renew: Renew
) -> None:
    cluster.lost = 1
    cluster.manager = succeed()
    assert renew().verdict == "renewed"
    assert cluster.writes == [ASK]


@pytest.mark.usefixtures("before")
def test_a_certificate_that_goes_away_meanwhile_is_said_to(cluster: Cluster, renew: Renew) -> None:
    def remove(it: Cluster) -> None:
        if it.is_issuing():
            del it.objects["certificates", "saveit-tls"]
            it.manager = lambda _it: None

    cluster.manager = remove
    with pytest.raises(FailedError, match="the Certificate saveit-tls went away meanwhile"):
        renew()


def test_a_temporary_certificate_is_made_while_the_issuer_does_not_answer(
    cluster: Cluster, make: Issue, renew: Renew
) -> None:
    def temporary(it: Cluster) -> None:
        asked = it.objects["certificates", "saveit-tls"]["metadata"].get("annotations", {})
        if it.is_issuing() and asked.get(TEMPORARY) == "true":
            it.secret(make("localhost", None, ["localhost"], ends=89))

    cluster.manager = temporary
    result = renew(method="self_signed")
    assert (result.verdict, result.changed) == ("self-signed", True)
    assert cluster.writes == ["patch certificates saveit-tls", ASK]
    assert "holds a temporary certificate, of which browsers warn, good for 89.0 days" in result.sentence
    assert cluster.bodies[0]["metadata"]["annotations"] == {TEMPORARY: "true"}


def test_a_temporary_certificate_is_made_within_the_back_off_too(
    cluster: Cluster, make: Issue, fail: Act, renew: Renew
) -> None:
    cluster.manager = fail
    with pytest.raises(FailedError):
        renew(force=True)

    def temporary(it: Cluster) -> None:
        if it.is_issuing():
            it.secret(make("localhost", None, ["localhost"]))
            fail(it)

    cluster.ahead += 5
    cluster.manager = temporary
    assert renew(method="self_signed").verdict == "self-signed"


@pytest.mark.usefixtures("before")
def test_where_the_secret_holds_a_pair_no_temporary_one_is_made_and_it_says_so(
    cluster: Cluster, fail: Act, renew: Renew
) -> None:
    cluster.manager = fail
    with pytest.raises(FailedError) as failed:
        renew(method="self_signed")
    assert "DNS problem" in str(failed.value)
    assert "only where the secret holds no certificate with its key" in str(failed.value)


def test_a_temporary_certificate_is_no_remedy_while_a_better_one_is_served(
    cluster: Cluster, good: Issued, serve: Callable[..., str], renew: Renew
) -> None:
    result = renew(method="self_signed", endpoint=serve(good), server_name="localhost")
    assert (result.verdict, cluster.writes) == ("unchanged", [])
    assert "is neither expired nor for another name" in result.sentence


@pytest.mark.usefixtures("before")
def test_the_secret_is_saved_before_it_is_deleted_and_made_anew(
    cluster: Cluster, succeed: Succeed, renew: Renew
) -> None:
    old = cluster.objects["secrets", "saveit-tls"]
    cluster.manager = succeed()
    result = renew(method="delete_secret")
    saved = result.returned["kept"][0]
    assert cluster.writes == [f"create secrets {saved}", "delete secrets saveit-tls", ASK]
    copy = cluster.objects["secrets", saved]
    assert saved.startswith("saveit-tls-saved-")
    assert (copy["data"], copy["type"]) == (old["data"], "kubernetes.io/tls")
    assert copy["metadata"]["annotations"]["saveit-remediate/saved-from"] == "saveit-tls"
    assert cluster.bodies[1]["preconditions"] == {
        key: old["metadata"][key] for key in ("uid", "resourceVersion")
    }
    assert result.verdict == "renewed"
    assert f"create the secret saveit-tls with the type and the data of {saved}" in result.sentence


@pytest.mark.usefixtures("before")
def test_the_secret_is_put_back_when_no_new_one_comes(cluster: Cluster, fail: Act, renew: Renew) -> None:
    old = cluster.objects["secrets", "saveit-tls"]
    cluster.manager = fail
    with pytest.raises(
        FailedError, match=r"the secret saveit-tls was put back as it was \(saveit-tls-saved-.* is"
    ):
        renew(method="delete_secret")
    assert cluster.objects["secrets", "saveit-tls"]["data"] == old["data"]


@pytest.mark.usefixtures("before")
def test_a_secret_that_changes_while_it_is_saved_is_not_deleted(
    cluster: Cluster, good: Issued, renew: Renew
) -> None:
    cluster.meanwhile = [lambda _it: None, lambda it: it.secret(good)]  # type: ignore[list-item]
    result = renew(method="delete_secret")
    assert result.verdict == "unchanged"
    assert "changed while it was saved: somebody works on it, so it was not deleted" in result.sentence
    assert ("secrets", "saveit-tls") in cluster.objects


@pytest.mark.usefixtures("before")
def test_a_secret_that_may_not_be_deleted_stays_and_its_copy_is_named(cluster: Cluster, renew: Renew) -> None:
    cluster.forbidden.add("delete secrets")
    with pytest.raises(
        ObstacleError, match=r"may not delete secrets: add this rule; saveit-tls-saved-.* is a copy"
    ):
        renew(method="delete_secret")
    assert ("secrets", "saveit-tls") in cluster.objects


def test_a_secret_that_is_missing_is_not_deleted(cluster: Cluster, renew: Renew) -> None:
    result = renew(method="delete_secret")
    assert (result.verdict, cluster.writes) == ("unchanged", [])
    assert result.sentence == "not renewed: there is no secret saveit-tls to delete"
