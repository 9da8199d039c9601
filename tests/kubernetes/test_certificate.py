"""The certificate on Kubernetes: cert-manager renews; where it cannot, it says why and nothing is lost."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from certificate_site import NAME, Site, encoded, is_ready, not_ready
from standin import tls

if TYPE_CHECKING:
    from standin.cluster import Cluster
    from standin.command import Done

TEMPORARY = "cert-manager.io/issue-temporary-certificate"
HIGH = ("--approved-by", "tests")
AT_ONCE = ("-e", "certificate_backoff_minutes=0")  # the first certificate was issued a moment ago


def findings(done: Done) -> dict[str, str]:
    found = [each for each in done.report["findings"] if each["kind"] == "symptom" and each["present"]]
    return {each["id"]: each["sentence"] for each in found}


def actions(done: Done) -> Mapping[str, Mapping[str, Any]]:
    return {each["remedy"]: each for each in done.report["actions"]}


def test_a_certificate_that_is_served_as_it_was_issued_is_healthy(issued: Site) -> None:
    with issued.cluster.unchanged():
        done = issued.remediate()
    assert (done.code, done.report["outcome"], findings(done)) == (0, "healthy", {})


def test_another_certificate_than_that_of_the_secret_is_noticed(issued: Site) -> None:
    issued.edge.pinned = tls.issue("another", by=issued.authority, valid_days=-2)
    done = issued.diagnose()
    assert {"certificate-not-reloaded", "certificate-expired"} == set(findings(done))
    assert (
        f"does not serve the certificate in the secret {NAME}" in findings(done)["certificate-not-reloaded"]
    )


def pair(site: Site, days: float = 60) -> tls.Pair:
    return tls.issue("edge", by=site.authority, valid_days=days)


@pytest.mark.parametrize(
    ("finding", "put", "more"),
    [
        ("certificate-expiring", lambda it: it.put(pair(it, days=5)), ()),
        (
            "certificate-wrong-name",
            lambda it: it.put(pair(it)),
            ("-e", "certificate_server_name=saveit.test"),
        ),
        ("certificate-key-mismatch", lambda it: it.put(pair(it), key=pair(it)), ()),
    ],
)
@pytest.mark.long
def test_what_is_wrong_with_a_certificate_is_its_own_finding(
    site: Site, finding: str, put: Callable[[Site], None], more: tuple[str, ...]
) -> None:
    put(site)
    with site.cluster.unchanged():
        done = site.diagnose(*more)
    assert finding in findings(done), done.stdout


def account(site: Site, without: str = "") -> Path:
    """The kubeconfig of somebody who has the Role that `saveit-remediate rbac` prints, and nothing else."""
    from ansible_collections.saveit.remediation.plugins.module_utils._access import rights_of, role_rules
    from ansible_collections.saveit.remediation.plugins.plugin_utils._access_files import rules_for

    rights = [each for each in rights_of(rules_for("certificate")) if each.resource != without]
    rules = role_rules(each for each in rights if each.scope == "namespace")
    return site.cluster.user("remediator", *rules)


def test_an_expired_certificate_is_renewed_by_its_status_and_seen_from_outside(
    expired: Site, tmp_path: Path
) -> None:
    """With no more rights than needed; and no line of a private key is in what is told or recorded."""
    expired.cluster.variables |= {"kubernetes_kubeconfig": str(account(expired)), "kubernetes_context": ""}
    keys = [expired.key()]
    done = expired.remediate(*AT_ONCE)
    keys.append(expired.key())
    assert (done.code, done.report["outcome"]) == (0, "recovered"), done.stdout
    assert actions(done)["renew"]["result"] == "helped"
    assert is_ready(expired.certificate())
    assert expired.certificate()["status"]["revision"] == 2
    path = f"/apis/cert-manager.io/v1/namespaces/{expired.cluster.namespace}/certificates/{NAME}/status"
    assert [each for each in writes_of(expired.cluster) if "/leases" not in each[1]] == [("PATCH", path)]
    records = [path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()]
    said = b"\n".join([done.stdout.encode(), done.stderr.encode(), *records])
    assert records
    for key in keys:
        lines = [key, *base64.b64decode(key).decode().splitlines()[1:-1]]
        assert not [line for line in lines if line.encode() in said]


def writes_of(cluster: Cluster) -> list[tuple[str, str]]:
    return [(each.method, each.path) for each in cluster.requests if each.is_write]  # type: ignore[attr-defined]


def test_check_writes_nothing_and_shows_the_renewal(expired: Site) -> None:
    with expired.cluster.unchanged():
        done = expired.remediate("--check", *AT_ONCE, *HIGH)
    assert (done.code, done.report["outcome"]) == (0, "planned")
    planned = actions(done)["renew"]
    assert planned["sentence"].startswith(f"would set the condition Issuing of the Certificate {NAME}")
    assert "issuing: True" in json.dumps(planned["diff"])
    assert "delete it" in actions(done)["delete-secret"]["sentence"]


@pytest.mark.long
def test_a_failed_issuance_says_what_the_order_says_and_is_not_repeated(expired: Site) -> None:
    expired.cluster.need("issuance")
    expired.cluster.issuance("fails")
    done = expired.remediate(*AT_ONCE)
    assert done.report["outcome"] == "unresolved"
    failed = actions(done)["renew"]
    assert failed["result"] == "failed"
    assert "too many certificates" in failed["sentence"]
    assert f"the secret {NAME} was not touched" in failed["sentence"]
    assert "cert-manager tries again at" in findings(done)["certificate-issuance-failed"]
    with expired.cluster.unchanged():
        again = expired.remediate(*AT_ONCE, *HIGH)
    assert actions(again)["renew"]["result"] == "skipped"
    assert "cert-manager tries again at" in actions(again)["renew"]["sentence"]
    assert actions(again)["delete-secret"]["result"] == "skipped"


@pytest.fixture
def lesser(expired: Site) -> Path:
    """A kubeconfig of somebody who may do all that the runbook needs, but not change the status."""
    return account(expired, without="certificates/status")


def test_without_the_right_to_the_status_the_renewal_is_not_planned(expired: Site, lesser: Path) -> None:
    expired.cluster.variables |= {"kubernetes_kubeconfig": str(lesser), "kubernetes_context": ""}
    with expired.cluster.unchanged():
        done = expired.remediate(*AT_ONCE)
    assert done.code != 0
    assert "resources: [certificates/status], verbs: [patch]" in actions(done)["renew"]["forbidden"]


@pytest.mark.long
def test_a_temporary_certificate_stands_in_while_the_issuer_refuses(issued: Site) -> None:
    issued.cluster.need("issuance")
    issued.cluster.issuance("fails")
    issued.cluster.delete("secrets", NAME)
    issued.cluster.wait(
        lambda: "lastFailureTime" in issued.certificate()["status"], "the issuance has failed"
    )
    done = issued.remediate(*HIGH)
    assert "a temporary certificate, of which browsers warn" in actions(done)["self-signed"]["sentence"]
    assert issued.certificate()["metadata"]["annotations"][TEMPORARY] == "true"
    assert issued.cluster.find("secrets", NAME)


@pytest.mark.long
def test_a_secret_that_a_renewal_does_not_mend_is_saved_and_made_anew(issued: Site) -> None:
    """The issuer was asked a moment ago, so a renewal is too early."""
    issued.cluster.need("recorded-state")
    strange = tls.issue("edge", by=tls.issue("a stranger"), valid_days=60)
    issued.put(strange)
    done = issued.remediate(*HIGH)
    assert (done.code, done.report["outcome"]) == (0, "recovered"), done.stdout
    assert actions(done)["delete-secret"]["result"] == "helped"
    (saved,) = issued.saved()
    assert saved["data"]["tls.crt"] == encoded(strange.pem)
    assert saved["metadata"]["name"] in actions(done)["delete-secret"]["sentence"]


@pytest.mark.long
def test_the_secret_is_put_back_when_no_new_one_comes(issued: Site) -> None:
    issued.cluster.need("recorded-state", "issuance")
    strange = tls.issue("edge", by=tls.issue("a stranger"), valid_days=60)
    issued.put(strange)
    issued.cluster.issuance("fails")
    done = issued.remediate(*HIGH)
    assert done.report["outcome"] == "unresolved"
    assert f"the secret {NAME} was put back as it was" in actions(done)["delete-secret"]["sentence"]
    assert issued.cluster.get("secrets", NAME)["data"]["tls.crt"] == encoded(strange.pem)


def test_without_cert_manager_it_says_what_is_in_the_secret(site: Site) -> None:
    if not site.cluster.is_real:
        site.cluster.without("cert-manager")  # type: ignore[attr-defined]
    elif not site.cluster.lacks("cert-manager"):
        pytest.skip("this cluster has cert-manager")
    site.put(tls.issue("edge", by=site.authority, valid_days=-1))
    done = site.remediate()
    assert done.code != 0
    (told,) = [each for each in done.report["findings"] if each["id"] == "certificate-unmanaged"]
    assert "has no cert-manager; the secret saveit-tls holds CN=edge" in told["sentence"]
    assert actions(done)["renew"]["sentence"] == "would not help against certificate-unmanaged"


def test_a_secret_that_nobody_makes_is_missing(site: Site) -> None:
    site.cluster.need("cert-manager")
    done = site.diagnose()
    assert f"the secret {NAME}: there is no such secret" in findings(done)["certificate-secret-missing"]


@pytest.fixture
def in_process(expired: Site) -> Callable[..., Any]:
    """Runs the module in this process, with something that happens before each write."""
    from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
    from ansible_collections.saveit.remediation.plugins.module_utils._certificate_renewal import (
        ARGUMENTS,
        run,
    )
    from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import connect

    def go(meanwhile: Callable[[], None] = lambda: None, kubeconfig: Path | None = None) -> Any:
        given = {
            **{name: spec.get("default") for name, spec in ARGUMENTS.items()},
            "platform": "kubernetes", "namespace": expired.cluster.namespace, "backoff_minutes": 0.0,
            "kubeconfig": str(kubeconfig or expired.cluster.kubeconfig), "ca_file": str(expired.ca_file),
        }  # fmt: skip
        cluster = connect(given)
        patch = cluster.patch

        def slower(*arguments: Any, **named: Any) -> Any:
            meanwhile()
            return patch(*arguments, **named)

        cluster.patch = slower  # type: ignore[method-assign]
        try:
            return run(given, Carrier(no_command, time.time, time.sleep, cluster=lambda _given: cluster))
        finally:
            cluster.close()

    return go


def no_command(command: Any, _stdin: str) -> Any:
    pytest.fail(f"no command runs on Kubernetes: {command}")


def test_without_the_right_to_the_status_the_sentence_has_the_rule(
    lesser: Path, in_process: Callable[..., Any]
) -> None:
    from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError

    with pytest.raises(ObstacleError) as refused:
        in_process(kubeconfig=lesser)
    assert (refused.value.id, refused.value.outcome) == ("cluster-forbidden", "refused")
    assert "resources: [certificates/status], verbs: [patch]" in str(refused.value)


def test_who_was_slower_reads_again_and_decides_again(expired: Site, in_process: Callable[..., Any]) -> None:
    left = [1, 2]

    def annotate() -> None:
        if left:
            note = {"note": str(left.pop())}
            expired.cluster.patch("certificates", NAME, {"metadata": {"annotations": note}})

    assert in_process(annotate).verdict == "renewed"
    tried = [path for _method, path in writes_of(expired.cluster) if path.endswith(f"/{NAME}/status")]
    assert len(tried) == 3


def test_whose_renewal_was_asked_for_by_another_leaves_it_to_them(
    expired: Site, in_process: Callable[..., Any]
) -> None:
    expired.cluster.issuance("hangs")
    issuing = {**not_ready("Renewing"), "type": "Issuing", "status": "True"}
    result = in_process(lambda: expired.status(conditions=[not_ready("Expired"), issuing]))
    assert (result.verdict, result.changed) == ("unchanged", False)
    assert "(Renewing)" in result.sentence
