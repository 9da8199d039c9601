"""What the controllers do, here and on a real cluster: the same sentences must be true of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from standin.cluster import Cluster
    from standin.played import StandIn

BACKEND, HPA = "saveit-backend", "saveit-backend-hpa"


def condition(item: dict[str, Any], type_: str) -> dict[str, Any]:
    return next((each for each in item.get("status", {}).get("conditions", []) if each["type"] == type_), {})


def replicas(cluster: Cluster) -> int:
    return int(cluster.get("deployments", BACKEND)["spec"]["replicas"])


def test_an_autoscaler_undoes_a_scale_by_hand(cluster: Cluster) -> None:
    cluster.need("metrics")
    cluster.behave("backend")
    hpa = "horizontalpodautoscalers"
    cluster.wait(lambda: condition(cluster.get(hpa, HPA), "AbleToScale"), "the autoscaler has looked once")
    cluster.patch("deployments", BACKEND, {"spec": {"replicas": 5}}, subresource="scale")
    cluster.wait(
        lambda: replicas(cluster) == 2, "it is 2 again", seconds=cluster.patience + 360 * cluster.is_real
    )


def test_an_autoscaler_raises_to_its_new_minimum(cluster: Cluster) -> None:
    cluster.behave("backend")
    cluster.patch("horizontalpodautoscalers", HPA, {"spec": {"minReplicas": 3}})
    cluster.wait(lambda: replicas(cluster) == 3, "there are 3")
    reasons = [each for each in cluster.list("events") if each["reason"] == "SuccessfulRescale"]
    assert "New size: 3; reason: Current number of replicas below Spec.MinReplicas" in reasons[-1]["message"]


def test_an_eviction_takes_what_the_budget_allows(cluster: Cluster) -> None:
    cluster.behave("backend")
    budget = "poddisruptionbudgets"
    cluster.wait(
        lambda: cluster.get(budget, f"{BACKEND}-pdb")["status"].get("disruptionsAllowed") == 1, "one may go"
    )
    statuses = []
    for pod in cluster.pods(BACKEND):
        name = pod["metadata"]["name"]
        path = f"/api/v1/namespaces/{cluster.namespace}/pods/{name}/eviction"
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        statuses.append(cluster.client.request("POST", path, body)[0])
    assert statuses == [201, 429]
    cluster.wait(lambda: cluster.is_complete(cluster.get("deployments", BACKEND)), "there is another pod")


def test_a_paused_deployment_rolls_out_when_it_is_resumed(cluster: Cluster) -> None:
    cluster.behave("frontend")
    name = "saveit-frontend"
    template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}
    cluster.patch("deployments", name, {"spec": {"paused": True, "template": template}})
    cluster.wait(
        lambda: (
            condition(cluster.get("deployments", name), "Progressing").get("reason") == "DeploymentPaused"
        ),
        "it rests",
    )
    assert "updatedReplicas" not in cluster.get("deployments", name)["status"]
    cluster.patch("deployments", name, {"spec": {"paused": None}})
    cluster.wait(lambda: cluster.is_complete(cluster.get("deployments", name)), "it is rolled out")


def test_a_quota_keeps_pods_from_being_created(cluster: Cluster) -> None:
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "small"},
            "spec": {"hard": {"requests.cpu": "150m"}},
        }
    )
    cluster.apply(
        *(each for each in cluster.manifests("backend") if each["kind"] != "HorizontalPodAutoscaler")
    )
    failure = cluster.wait(
        lambda: condition(cluster.get("deployments", BACKEND), "ReplicaFailure"), "it says why"
    )
    assert failure["reason"] == "FailedCreate"
    assert (
        "exceeded quota: small, requested: requests.cpu=100m, used: requests.cpu=100m, limited: "
        "requests.cpu=150m" in failure["message"]
    )
    cluster.wait(
        lambda: cluster.get("resourcequotas", "small")["status"]["used"] == {"requests.cpu": "100m"},
        "it counts",
    )


def test_a_statefulset_is_replaced_from_the_highest_ordinal(cluster: Cluster) -> None:
    cluster.behave("redis")
    name = "redis-master"
    cluster.patch("statefulsets", name, {"spec": {"replicas": 2}})
    cluster.wait(lambda: cluster.is_complete(cluster.get("statefulsets", name)), "there are two")
    first = cluster.get("statefulsets", name)["status"]["currentRevision"]
    template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}
    cluster.patch("statefulsets", name, {"spec": {"template": template}})
    status = cluster.wait(lambda: _moved(cluster, name, first), "both are of the new revision")
    assert status["currentRevision"] == status["updateRevision"] != first
    assert sorted(each["revision"] for each in cluster.list("controllerrevisions")) == [1, 2]
    deleted = [each["message"] for each in cluster.list("events") if each["reason"] == "SuccessfulDelete"]
    assert [f"{name}-{at}" in said for at, said in zip((1, 0), deleted, strict=True)] == [True, True]


def _moved(cluster: Cluster, name: str, first: str) -> Any:
    found = cluster.get("statefulsets", name)
    return (
        found["status"]
        if cluster.is_complete(found) and found["status"]["currentRevision"] != first
        else None
    )


def test_a_daemonset_has_a_pod_on_each_node(cluster: Cluster) -> None:
    container = cluster.manifests("frontend")
    pod = next(each for each in container if each["kind"] == "Deployment")["spec"]
    body = {
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"},
        "spec": {"selector": pod["selector"], "template": pod["template"]},
    }  # fmt: skip
    cluster.apply(*(each for each in container if each["kind"] == "ConfigMap"), body)
    cluster.wait(
        lambda: cluster.get("daemonsets", "agent").get("status", {}).get("numberAvailable"), "it runs"
    )
    template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}
    cluster.patch("daemonsets", "agent", {"spec": {"template": template}})
    cluster.wait(lambda: cluster.is_complete(cluster.get("daemonsets", "agent")), "it is replaced")


def test_what_belongs_to_a_deployment_goes_with_it(cluster: Cluster) -> None:
    cluster.behave("frontend")
    path = f"/apis/apps/v1/namespaces/{cluster.namespace}/deployments/saveit-frontend"
    cluster.client.call(
        "DELETE", path, {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground"}
    )
    cluster.wait(lambda: not cluster.list("replicasets") and not cluster.list("pods"), "nothing is left")
    cluster.wait(lambda: cluster.find("deployments", "saveit-frontend") is None, "it is gone itself")


def test_a_user_may_do_what_the_rules_say(cluster: Cluster) -> None:
    from standin.client import Client

    cluster.behave("frontend")
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
    user = Client(cluster.user("few-rights", rule), cluster.namespace)
    assert user.list("pods")
    status, answer = user.request("GET", f"/apis/apps/v1/namespaces/{cluster.namespace}/deployments/no-such")
    assert (status, answer["reason"]) == (403, "Forbidden")
    review = {
        "spec": {"resourceAttributes": {"namespace": cluster.namespace, "verb": "list", "resource": "pods"}}
    }
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", **review}
    said = user.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
    assert said["status"]["allowed"]


def certificate(cluster: Cluster) -> None:
    """With an issuer that every cert-manager has."""
    cluster.apply(
        {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Issuer",
            "metadata": {"name": "own"},
            "spec": {"selfSigned": {}},
        },
        {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": {"name": "saveit-tls"},
            "spec": {
                "secretName": "saveit-tls",
                "dnsNames": ["saveit.example.org"],
                "issuerRef": {"name": "own", "kind": "Issuer"},
            },
        },
    )
    cluster.wait(
        lambda: condition(cluster.get("certificates", "saveit-tls"), "Ready").get("status") == "True",
        "it is ready",
    )


ISSUING = {
    "type": "Issuing",
    "status": "True",
    "reason": "ManuallyTriggered",
    "message": "Certificate re-issuance manually triggered",
}


def renew(cluster: Cluster) -> None:
    found = cluster.get("certificates", "saveit-tls")
    conditions = [*found["status"]["conditions"], {**ISSUING, "lastTransitionTime": "2026-01-01T00:00:00Z"}]
    cluster.patch("certificates", "saveit-tls", {"status": {"conditions": conditions}}, subresource="status")


def test_a_certificate_is_renewed_when_it_is_asked_for(cluster: Cluster) -> None:
    cluster.need("cert-manager")
    certificate(cluster)
    first = cluster.get("secrets", "saveit-tls")["data"]["tls.crt"]
    renew(cluster)
    cluster.wait(
        lambda: cluster.get("certificates", "saveit-tls")["status"]["revision"] == 2,
        "it has a second revision",
    )
    assert not condition(cluster.get("certificates", "saveit-tls"), "Issuing")
    assert cluster.get("secrets", "saveit-tls")["data"]["tls.crt"] != first


def test_an_issuer_that_refuses_is_told_of(cluster: Cluster) -> None:
    cluster.need("cert-manager", "issuance")
    certificate(cluster)
    cluster.issuance("fails")
    renew(cluster)
    found = cluster.wait(lambda: _failed(cluster), "the renewal fails")
    assert found["status"]["lastFailureTime"]
    assert condition(found, "Ready")["status"] == "True"
    assert condition(cluster.get("certificaterequests", "saveit-tls-2"), "Ready")["reason"] == "Failed"
    assert [each["status"]["state"] for each in cluster.list("orders")] == ["valid", "invalid"]


def _failed(cluster: Cluster) -> dict[str, Any] | None:
    found = cluster.get("certificates", "saveit-tls")
    return found if condition(found, "Issuing").get("status") == "False" else None


def test_a_secret_that_is_deleted_is_issued_again(cluster: Cluster) -> None:
    cluster.need("cert-manager")
    certificate(cluster)
    cluster.delete("secrets", "saveit-tls")
    cluster.wait(lambda: cluster.find("secrets", "saveit-tls"), "there is a secret again")


def test_a_node_that_is_lost_takes_its_pods_out_of_service(standin: StandIn) -> None:
    standin.behave("frontend")
    standin.lose_node()
    standin.wait(
        lambda: condition(standin.get("nodes", "node-1"), "Ready")["status"] == "Unknown", "the node is lost"
    )
    pods = standin.wait(
        lambda: [
            pod for pod in standin.pods("saveit-frontend") if condition(pod, "Ready")["status"] == "False"
        ],
        "so are its pods",
    )
    assert [pod["status"]["containerStatuses"][0]["ready"] for pod in pods] == [True, True]


@pytest.mark.parametrize("path", ["/tmp/saveit-not-ready"])  # noqa: S108
def test_a_pod_can_be_made_unready_from_inside(standin: StandIn, path: str) -> None:
    standin.behave("frontend")
    pod = standin.pods("saveit-frontend")[0]
    standin.world.files.setdefault(pod["metadata"]["uid"], set()).add(path)
    name = pod["metadata"]["name"]
    standin.wait(
        lambda: condition(standin.get("pods", name), "Ready")["status"] == "False", "it is not ready"
    )


def test_a_container_says_in_its_log_why_it_ends(cluster: Cluster) -> None:
    cluster.behave("backend", "crash-loop")
    name = cluster.pods(BACKEND)[0]["metadata"]["name"]
    path = f"/api/v1/namespaces/{cluster.namespace}/pods/{name}/log"
    text = cluster.client.call("GET", path, previous="true", container="backend")
    assert text == "RuntimeError: SECRET_KEY is not set: the application does not start without it\n"


def test_a_probe_that_fails_is_told_in_an_event(cluster: Cluster) -> None:
    cluster.behave("backend", "not-ready")
    said = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    cluster.wait(
        lambda: [each for each in cluster.list("events") if each["message"] == said], "there is an event"
    )
