"""The annotation for a temporary certificate and a deleted secret, put back: what is written, and left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._certificate_renewal import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_certificate_secret import (
    SAVED_FROM,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

if TYPE_CHECKING:
    from tests.unit.collection.certificate.conftest import Issued
    from tests.unit.collection.certificate.kubernetes.conftest import Cluster

TEMPORARY = "cert-manager.io/issue-temporary-certificate"
SAVED = "saveit-tls-saved-20261126t023000z"
PutBack = Callable[..., Any]


@pytest.fixture
def put_back(cluster: Cluster, ca_file: str) -> PutBack:
    def put_back(check_mode: bool = False, **entry: str) -> Any:
        usual = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
        site = {"platform": "kubernetes", "ca_file": ca_file, "names": ["localhost"]}
        return run({**usual, **site, "put_back": [entry]}, cluster.carrier(check_mode))

    return put_back


@pytest.fixture
def saved(cluster: Cluster, expired: Issued) -> None:
    """The copy of a secret that was deleted."""
    copy = cluster.secret(expired, name=SAVED)
    copy["metadata"]["annotations"] = {SAVED_FROM: "saveit-tls"}
    cluster.put("secrets", copy)


def annotate(cluster: Cluster, value: str) -> None:
    certificate = cluster.objects["certificates", "saveit-tls"]
    certificate["metadata"]["annotations"] = {TEMPORARY: value}


def test_the_annotation_is_taken_away(cluster: Cluster, put_back: PutBack) -> None:
    annotate(cluster, "true")
    assert put_back(check_mode=True, certificate="saveit-tls").verdict == "planned"
    assert cluster.writes == []
    result = put_back(certificate="saveit-tls")
    assert (result.verdict, result.returned["over"]) == ("put-back", True)
    assert cluster.bodies[0]["metadata"]["annotations"] == {TEMPORARY: None}


@pytest.mark.parametrize("name", ["saveit-tls", "gone"])
def test_a_certificate_that_asks_for_none_or_has_gone_is_left_alone(
    cluster: Cluster, put_back: PutBack, name: str
) -> None:
    annotate(cluster, "false")
    result = put_back(certificate=name)
    assert (result.verdict, result.returned["over"], cluster.writes) == ("unchanged", True, [])


@pytest.mark.usefixtures("saved")
def test_a_secret_that_is_missing_is_created_from_its_copy(cluster: Cluster, put_back: PutBack) -> None:
    data = cluster.objects["secrets", SAVED]["data"]
    assert put_back(check_mode=True, secret="saveit-tls", saved=SAVED).verdict == "planned"
    assert cluster.writes == []
    result = put_back(secret="saveit-tls", saved=SAVED)
    assert (result.verdict, result.returned["over"]) == ("put-back", True)
    assert cluster.writes == ["create secrets saveit-tls", f"delete secrets {SAVED}"]
    assert cluster.objects["secrets", "saveit-tls"]["data"] == data


@pytest.mark.usefixtures("saved")
def test_where_a_good_one_was_issued_the_copy_is_removed(
    cluster: Cluster, put_back: PutBack, good: Issued
) -> None:
    cluster.secret(good)
    result = put_back(secret="saveit-tls", saved=SAVED)
    assert (result.returned["over"], cluster.writes) == (True, [f"delete secrets {SAVED}"])


@pytest.mark.usefixtures("saved")
def test_a_secret_of_somebody_else_that_is_no_good_is_left_with_the_copy(
    cluster: Cluster, put_back: PutBack, make: Callable[..., Issued]
) -> None:
    cluster.secret(make("elsewhere", names=["elsewhere"]))
    result = put_back(secret="saveit-tls", saved=SAVED)
    assert (result.verdict, result.returned["over"], cluster.writes) == ("unchanged", False, [])
    assert "somebody else's" in result.sentence


def test_a_secret_that_is_no_copy_of_ours_is_never_removed(
    cluster: Cluster, put_back: PutBack, good: Issued
) -> None:
    cluster.secret(good)
    cluster.secret(good, name="database-password")
    result = put_back(secret="saveit-tls", saved="database-password")
    assert (result.verdict, cluster.writes) == ("unchanged", [])
    assert "is no copy of the secret saveit-tls that we made" in result.sentence


def test_where_the_copy_has_gone_nothing_is_left_to_put_back(cluster: Cluster, put_back: PutBack) -> None:
    result = put_back(secret="saveit-tls", saved=SAVED)
    assert (result.returned["over"], cluster.writes) == (True, [])


def test_what_no_renewal_returned_is_an_error(put_back: PutBack) -> None:
    with pytest.raises(FailedError, match="put_back is not what a renewal returned"):
        put_back(path="/etc/shadow")
