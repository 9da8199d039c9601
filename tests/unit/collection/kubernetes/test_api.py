"""Requests to a cluster: what the server answers is what a real one did, where there is a recording."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import (
    JSON_PATCH,
    ApiError,
    Cluster,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError

DEPLOYMENTS = "/apis/apps/v1/namespaces/rec/deployments"
POD = "saveit-backend-77d79f9db4-gt7qb"
EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "x"}}
SCALE = {"spec": {"replicas": 1}}

# recording, call, obstacle or status, words of the sentence
REFUSED: list[tuple[str, Callable[[Cluster], Any], Any, list[str]]] = [
    (
        "viewer-list-deployments-forbidden",
        lambda cluster: cluster.list("deployments"),
        ("cluster-forbidden", "refused"),
        [
            "system:serviceaccount:rec:saveit-viewer may not list deployments.apps in the namespace rec",
            "the cluster staging (namespace rec)",
            "to a Role that",
            "{apiGroups: [apps], resources: [deployments], verbs: [list]}",
        ],
    ),
    (
        "viewer-patch-scale-forbidden",
        lambda cluster: cluster.patch("deployments", "saveit-backend", SCALE, subresource="scale"),
        ("cluster-forbidden", "refused"),
        ["{apiGroups: [apps], resources: [deployments/scale], verbs: [patch]}"],
    ),
    (
        "viewer-list-nodes-forbidden",
        lambda cluster: cluster.list("nodes"),
        ("cluster-forbidden", "refused"),
        ["of the whole cluster", "ClusterRole", '{apiGroups: [""], resources: [nodes], verbs: [list]}'],
    ),
    (
        "viewer-pod-log-forbidden",
        lambda cluster: cluster.log(POD),
        ("cluster-forbidden", "refused"),
        ['{apiGroups: [""], resources: [pods/log], verbs: [get]}'],
    ),
    (
        "viewer-eviction-forbidden",
        lambda cluster: cluster.create("pods", EVICTION, POD, "eviction"),
        ("cluster-forbidden", "refused"),
        ['{apiGroups: [""], resources: [pods/eviction], verbs: [create]}'],
    ),
    (
        "viewer-custom-resource-forbidden",
        lambda cluster: cluster.list("certificates"),
        ("cluster-forbidden", "refused"),
        ["{apiGroups: [cert-manager.io], resources: [certificates], verbs: [list]}"],
    ),
    (
        "bad-token",
        lambda cluster: cluster.get("deployments", "saveit-backend"),
        ("cluster-credentials", "unreachable"),
        ["401", "the user sre", "kubernetes_kubeconfig, in the inventory", "log in"],
    ),
    (
        "anonymous-get",
        lambda cluster: cluster.get("deployments", "saveit-backend"),
        ("cluster-forbidden", "refused"),
        ["nobody is logged in", "the user sre", "has no credentials"],
    ),
    ("get-deployment-missing", lambda cluster: cluster.get("deployments", "no-such"), 404, ["not found"]),
    (
        "patch-stale-resourceversion",
        lambda cluster: cluster.patch("deployments", "saveit-backend", SCALE),
        409,
        ["cannot change deployments/saveit-backend", "somebody else changed it"],
    ),
    (
        "json-patch-test-fails",
        lambda cluster: cluster.patch("deployments", "saveit-backend", [], JSON_PATCH),
        422,
        ["422"],
    ),
    (
        "eviction-blocked-by-pdb",
        lambda cluster: cluster.create("pods", EVICTION, "saveit-backend-6fd8f8fb99-t7mn7", "eviction"),
        429,
        ["disruption budget"],
    ),
    (
        "eviction-two-pdbs",
        lambda cluster: cluster.create("pods", EVICTION, "saveit-backend-77d79f9db4-s8mgh", "eviction"),
        500,
        ["more than one PodDisruptionBudget"],
    ),
    (
        "create-in-terminating-namespace",
        lambda cluster: cluster.create("configmaps", {"metadata": {"name": "late"}}),
        403,
        ["cannot create configmaps/late", "is being terminated"],
    ),
    (
        "create-in-absent-namespace",
        lambda cluster: cluster.create("configmaps", {"metadata": {"name": "x"}}),
        404,
        ['namespaces "no-such-ns" not found'],
    ),
    (
        "log-of-container-never-started",
        lambda cluster: cluster.log("saveit-backend-56bbcddb95-cmrjn"),
        400,
        ["cannot read the log of pods/saveit-backend-56bbcddb95-cmrjn", "image can't be pulled"],
    ),
    (
        "lease-update-stale",
        lambda cluster: cluster.replace("leases", "saveit-restart", {}),
        409,
        ["cannot replace leases/saveit-restart"],
    ),
    (
        "deployment-delete-stale-precondition",
        lambda cluster: cluster.delete("deployments", "saveit-backend", {"preconditions": {}}),
        409,
        ["cannot delete deployments/saveit-backend"],
    ),
]


@pytest.mark.parametrize(("name", "call", "wanted", "words"), REFUSED, ids=[each[0] for each in REFUSED])
def test_a_refusal_becomes_a_sentence(
    name: str,
    call: Callable[[Cluster], Any],
    wanted: Any,
    words: list[str],
    api_server: Any,
    cluster: Cluster,
    replay: Any,
    recorded: Any,
) -> None:
    api_server.reply(replay(name))
    with pytest.raises((ApiError, ObstacleError)) as caught:
        call(cluster)
    error = caught.value
    said = (error.id, error.outcome) if isinstance(error, ObstacleError) else getattr(error, "status", 0)
    assert said == wanted
    for each in words:
        assert each in str(error)
    asked, told = api_server.asked[0], recorded(name)
    where = told["path"].replace("no-such-ns", "rec")
    assert (asked.method, asked.path) == (told["method"], where), "the request is the recorded one"
    assert cluster.calls == 1, "and nothing is tried again"


def test_the_details_of_a_refusal_are_kept(api_server: Any, cluster: Cluster, replay: Any) -> None:
    api_server.reply(replay("invalid-two-causes"), replay("eviction-pdb-still-processed"))
    with pytest.raises(ApiError) as invalid:
        cluster.patch("deployments", "saveit-backend", {"spec": {"replicas": -1}})
    assert invalid.value.reason == "Invalid"
    assert [each["field"] for each in invalid.value.causes] == ["spec.replicas", "spec.minReadySeconds"]
    assert invalid.value.message.startswith('Deployment.apps "saveit-backend" is invalid')
    with pytest.raises(ApiError) as blocked:
        cluster.create("pods", EVICTION, POD, "eviction")
    assert blocked.value.retry_after == 10
    assert blocked.value.causes[0]["reason"] == "DisruptionBudget"


def test_a_group_that_is_not_there_is_no_object_that_is_not_there(
    api_server: Any, cluster: Cluster, replay: Any
) -> None:
    api_server.reply(replay("unknown-group"))
    with pytest.raises(ApiError, match=r"cannot list certificates: .* has no such API") as caught:
        cluster.list("certificates")
    assert caught.value.status == 404


def test_a_list_is_read_page_by_page_and_each_item_says_what_it_is(
    api_server: Any, cluster: Cluster, replay: Any
) -> None:
    api_server.reply(replay("list-pods-page-1"), replay("list-pods-page-2"))
    pods = cluster.list("pods", label_selector="a in (b,c)", field_selector="status.phase=Running")
    assert len(pods) == 3
    assert {(each["kind"], each["apiVersion"]) for each in pods} == {("Pod", "v1")}
    first, second = (each.query for each in api_server.asked)
    assert first["limit"] == second["limit"] == ["500"]
    assert first["labelSelector"] == second["labelSelector"] == ["a in (b,c)"]
    assert "continue" not in first
    assert second["continue"] == [replay("list-pods-page-1").body["metadata"]["continue"]]


def test_a_list_that_is_too_old_to_go_on_begins_again_once(
    api_server: Any, cluster: Cluster, replay: Any
) -> None:
    first, expired, last = (replay(f"list-pods-{each}") for each in ("page-1", "continue-expired", "page-2"))
    api_server.reply(first, expired, first, last)
    assert len(cluster.list("pods")) == 3
    assert ["continue" in each.query for each in api_server.asked] == [False, True, False, True]


def test_a_list_that_is_too_old_twice_is_given_up(api_server: Any, cluster: Cluster, replay: Any) -> None:
    api_server.reply(replay("list-pods-page-1"), replay("list-pods-continue-expired"))
    with pytest.raises(ApiError, match="410 Expired"):
        cluster.list("pods")
    assert cluster.calls == 3


def test_a_custom_resource_keeps_the_kind_that_the_server_says(
    api_server: Any, cluster: Cluster, replay: Any
) -> None:
    api_server.reply(replay("list-metrics-pods"))
    assert {each["kind"] for each in cluster.list("podmetrics")} == {"PodMetrics"}
    assert api_server.asked[0].path == "/apis/metrics.k8s.io/v1beta1/namespaces/rec/pods"


def test_a_log_is_text_and_asks_only_for_what_was_said(
    api_server: Any, cluster: Cluster, replay: Any
) -> None:
    api_server.reply(replay("log-tail"))
    assert cluster.log("a", tail=5, since_seconds=0.2, container="backend").startswith("level=info")
    cluster.log("a", timestamps=False, previous=True, limit_bytes=20)
    assert api_server.asked[0].query == {
        "container": ["backend"],
        "tailLines": ["5"],
        "sinceSeconds": ["1"],
        "timestamps": ["true"],
    }
    assert api_server.asked[1].query == {"previous": ["true"], "limitBytes": ["20"]}


def test_writes_say_what_they_are(api_server: Any, cluster: Cluster, reply: Any) -> None:
    api_server.reply(reply({"kind": "Deployment"}))
    cluster.patch("deployments", "a/b", {"spec": {}}, dry_run=True)
    cluster.patch("deployments", "a", [{"op": "test"}], JSON_PATCH)
    cluster.create("leases", {"metadata": {"name": "x"}})
    patched, json_patched, created = api_server.asked
    assert patched.path == f"{DEPLOYMENTS}/a%2Fb", "a name is one part of the path"
    assert patched.query == {"dryRun": ["All"]}
    assert patched.headers["content-type"] == "application/merge-patch+json"
    assert json_patched.headers["content-type"] == "application/json-patch+json"
    assert created.path == "/apis/coordination.k8s.io/v1/namespaces/rec/leases"
    assert patched.headers["user-agent"] == "saveit-remediate"
    assert patched.headers["authorization"] == "Bearer secret"


@pytest.mark.parametrize(("name", "allowed"), [("ssar-allowed", True), ("ssar-denied", False)])
def test_may_asks_the_server(
    name: str, allowed: bool, api_server: Any, cluster: Cluster, replay: Any
) -> None:
    api_server.reply(replay(name))
    assert cluster.may("patch", "deployments", "scale", "saveit-backend")[0] is allowed
    assert api_server.asked[0].body["spec"]["resourceAttributes"] == {
        "namespace": "rec",
        "verb": "patch",
        "group": "apps",
        "resource": "deployments",
        "subresource": "scale",
        "name": "saveit-backend",
    }


def test_may_of_a_kind_of_the_whole_cluster_has_no_namespace(
    api_server: Any, cluster: Cluster, replay: Any
) -> None:
    api_server.reply(replay("ssar-allowed"))
    assert cluster.may("list", "nodes")[0]
    assert api_server.asked[0].body["spec"]["resourceAttributes"] == {"verb": "list", "resource": "nodes"}


def test_a_read_is_tried_again_when_the_server_says_it_is_busy(
    api_server: Any, cluster: Cluster, reply: Any, clock: Any
) -> None:
    busy = {"kind": "Status", "message": "too many", "reason": "TooManyRequests"}
    api_server.reply(
        reply(busy, 429, headers={"Retry-After": "2"}),
        reply("upstream is gone", 503, "text/plain"),
        reply({"items": [{"metadata": {"name": "a"}}]}),
    )
    assert len(cluster.list("pods")) == 1
    assert clock.slept == [2, 3]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_three_tries_are_enough(
    status: int, api_server: Any, cluster: Cluster, reply: Any, clock: Any
) -> None:
    api_server.reply(reply({"kind": "Status", "message": "etcd has no leader", "reason": "Why"}, status))
    with pytest.raises(
        ObstacleError, match=rf"cannot list pods: .*answers {status} Why: etcd has no leader"
    ) as caught:
        cluster.list("pods")
    assert (caught.value.id, caught.value.outcome) == ("cluster-unreachable", "unreachable")
    assert (len(api_server.asked), clock.slept) == (3, [1, 3])


def test_a_wait_that_is_longer_than_the_time_left_is_not_begun(
    api_server: Any, cluster: Cluster, reply: Any, clock: Any
) -> None:
    api_server.reply(reply({"kind": "Status", "message": "later"}, 429, headers={"Retry-After": "60"}))
    with pytest.raises(ObstacleError, match="429"):
        cluster.list("pods")
    assert (cluster.calls, clock.slept) == (1, [])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_write_is_never_repeated(
    status: int, api_server: Any, cluster: Cluster, reply: Any, clock: Any
) -> None:
    api_server.reply(reply({"kind": "Status", "message": "no", "details": {"retryAfterSeconds": 1}}, status))
    with pytest.raises(ApiError) as caught:
        cluster.patch("deployments", "a", {})
    assert (caught.value.status, caught.value.retry_after) == (status, 1)
    assert (cluster.calls, clock.slept) == (1, [])


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        ("<html><style>x</style><h1>Sign in</h1></html>", "text/html", "text/html instead of JSON: Sign in"),
        ('{"items": [', "application/json", "half of its JSON"),
        ("[1]", "application/json", "instead of JSON"),
        ("hello", "text/plain", "instead of JSON: hello"),
    ],
)
def test_what_is_no_api_server_is_named(
    body: str, content_type: str, words: str, api_server: Any, cluster: Cluster, reply: Any
) -> None:
    api_server.reply(reply(body, 200, content_type))
    with pytest.raises(ObstacleError) as caught:
        cluster.list("pods")
    assert caught.value.id == "cluster-unreachable"
    for each in (words, api_server.url, "cluster eu-1", "the context staging"):
        assert each in str(caught.value)


def test_nobody_is_followed_to_another_address(api_server: Any, cluster: Cluster, reply: Any) -> None:
    api_server.reply(reply("", 302, "text/html", {"Location": "https://login.example/"}))
    with pytest.raises(ObstacleError, match=r"sends us on to https://login.example/ \(302\)"):
        cluster.list("pods")
    assert cluster.calls == 1


def test_a_page_of_a_gateway_is_told_in_one_line(api_server: Any, cluster: Cluster, reply: Any) -> None:
    page = "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>nginx</body></html>"
    api_server.reply(reply(page, 502, "text/html"))
    with pytest.raises(ObstacleError, match="answers 502: 502 Bad Gateway nginx"):
        cluster.list("pods")


def test_answers_are_json_whatever_the_parameters_of_the_content_type(
    api_server: Any, cluster: Cluster, reply: Any
) -> None:
    api_server.reply(reply(json.dumps({"items": []}), content_type="application/json; charset=utf-8"))
    assert cluster.list("pods") == []
