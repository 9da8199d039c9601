"""What the stand-in does on request: faults, restarts, expired tokens, many objects."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

if TYPE_CHECKING:
    from pathlib import Path

    from standin.played import StandIn

PODS = "/api/v1/namespaces/saveit/pods"


def ask(standin: StandIn, path: str = PODS, timeout: float = 5.0) -> tuple[int, Any, str]:
    """As a client that is not the test's own: status, headers, text."""
    context = ssl.create_default_context(cafile=str(standin.server.authority.ca_file))
    folder = standin.server.authority.folder
    context.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    try:
        url = f"{standin.server.url}{path}"
        with urllib.request.urlopen(url, context=context, timeout=timeout) as answer:  # noqa: S310
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


@pytest.mark.parametrize(
    ("kind", "status", "type_"),
    [
        ("429", 429, "text/plain; charset=utf-8"),
        ("500", 500, "application/json"),
        ("503", 503, "application/json"),
        ("html", 200, "text/html"),
    ],
)
def test_a_fault_meets_so_many_requests(standin: StandIn, kind: str, status: int, type_: str) -> None:
    standin.fault(kind, times=2, path="/pods")
    answers = [ask(standin) for _ in range(3)]
    assert [each[0] for each in answers] == [status, status, 200]
    assert answers[0][1]["Content-Type"] == type_
    assert (answers[0][1]["Retry-After"] is not None) == (kind in ("429", "503"))


@pytest.mark.parametrize(
    ("kind", "error"), [("half", http.client.IncompleteRead), ("reset", OSError), ("hang", TimeoutError)]
)
def test_a_connection_can_break(standin: StandIn, kind: str, error: type[Exception]) -> None:
    standin.fault(kind, path="/pods", seconds=2)
    with pytest.raises(error):
        ask(standin, timeout=0.3)
    assert ask(standin)[0] == 200


def test_what_was_stored_outlives_a_restart(standin: StandIn) -> None:
    standin.behave("frontend")
    standin.restart()
    assert len(json.loads(ask(standin)[2])["items"]) == 2


def test_a_server_that_is_down_refuses_connections(standin: StandIn) -> None:
    standin.stop()
    with pytest.raises(OSError, match="refused"):
        ask(standin)
    standin.server.start()


def test_an_expired_token_is_not_taken(standin: StandIn) -> None:
    from standin.client import Client

    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    kubeconfig: Path = standin.user("late", rule)
    user = Client(kubeconfig, "saveit")
    assert user.request("GET", PODS)[0] == 200
    standin.expire(kubeconfig)
    assert user.request("GET", PODS) == (401, {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "Unauthorized",
        "reason": "Unauthorized", "code": 401,
    })  # fmt: skip


def test_a_certificate_of_another_authority_is_not_trusted(standin: StandIn) -> None:
    with pytest.raises(urllib3.exceptions.SSLError):
        urllib3.PoolManager(retries=False).request("GET", standin.server.url)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/apis/batch/v1/namespaces/saveit/jobs"),
        ("GET", "/openapi/v2"),
        ("GET", f"{PODS}/x/proxy"),
        ("GET", f"{PODS}?unheard=of"),
        ("POST", "/apis/events.k8s.io/v1/namespaces/saveit/events"),
    ],
)
def test_what_it_has_not_been_told_it_rejects(standin: StandIn, method: str, path: str) -> None:
    status, answer = standin.client.request(method, path, {} if method == "POST" else None)
    assert status == 501
    assert answer["message"].startswith("the stand-in does not play ")


@pytest.mark.long
def test_a_namespace_with_many_pods_is_listed_in_pages(standin: StandIn) -> None:
    standin.behave("frontend")
    example = standin.pods("saveit-frontend")[0]
    for name in ("ownerReferences", "uid"):
        del example["metadata"][name]
    example |= {"kind": "Pod", "apiVersion": "v1"}
    labels = {"app.kubernetes.io/name": "many"}
    standin.load(*(_named(example, f"many-{at}", labels) for at in range(2000)))
    found, token = 0, ""
    while True:
        more = {"continue": token} if token else {}
        answer = standin.client.call(
            "GET", PODS, limit="500", labelSelector="app.kubernetes.io/name=many", **more
        )
        found, token = found + len(answer["items"]), answer["metadata"].get("continue", "")
        if not token:
            break
    assert found == 2000


def _named(example: dict[str, Any], name: str, labels: dict[str, str]) -> dict[str, Any]:
    return {**example, "metadata": {**example["metadata"], "name": name, "labels": labels}}
