"""One look lists each kind once, for all tasks of a run; and what is kept of what was listed."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import connect
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_prune import prune
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_shared import shared_log
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_snapshot import (
    Missing,
    snapshot,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError

ROOT = Path(__file__).resolve().parents[4]
PODS = "/api/v1/namespaces/rec/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/rec/deployments"
METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/rec/pods"
NAMESPACE = "/api/v1/namespaces/rec"


def never(*_arguments: Any) -> Any:
    raise AssertionError("no command is run on a host")


@pytest.fixture
def task(clock: Any, tmp_path: Path, kubeconfig: Any, target: Any, api_server: Any) -> Callable[..., Any]:
    """A task of the run that takes a snapshot, over a connection of its own."""

    def run(*kinds: str, not_before: float = 0, shared: bool = True, **more: Any) -> Any:
        folder = tmp_path if shared else None
        clusters = []

        def connected(parameters: Any) -> Any:
            clusters.append(connect(parameters, now=clock.now, sleep=clock.sleep))
            return clusters[-1]

        carrier = Carrier(never, clock.now, clock.sleep, cluster=connected, shared=folder)
        target_more = {key: more.pop(key) for key in ("context", "namespace") if key in more}
        parameters = target(kubeconfig(api_server.url), not_before=not_before, **target_more)
        try:
            return snapshot(parameters, carrier, kinds, **more)
        finally:
            for each in clusters:
                each.close()

    return run


@pytest.fixture
def lists(api_server: Any, replay: Any) -> Any:
    api_server.by_path = {
        PODS: replay("list-pods-selector-matching"),
        DEPLOYMENTS: replay("list-deployments"),
        METRICS: replay("list-metrics-pods"),
        NAMESPACE: replay("get-namespace"),
    }
    return api_server


def paths(api_server: Any) -> list[str]:
    return [each.path for each in api_server.asked]


def test_the_tasks_of_one_look_list_each_kind_once(lists: Any, task: Any, clock: Any) -> None:
    began = clock.now()
    clock.sleep(1)
    first = task("pods", "deployments", not_before=began)
    clock.sleep(1)
    assert task("pods", "deployments", not_before=began) == first
    assert task("pods", "podmetrics", not_before=began)["pods"] == first["pods"]
    assert len(first["pods"]) == 2
    assert paths(lists) == [PODS, DEPLOYMENTS, METRICS]


def test_a_look_that_begins_later_lists_anew(lists: Any, task: Any, clock: Any) -> None:
    task("pods", not_before=clock.now())
    clock.sleep(1)
    task("pods", not_before=clock.now())
    assert paths(lists) == [PODS, PODS]


@pytest.mark.parametrize("how", [{"not_before": 0}, {"not_before": 5, "shared": False}])
def test_nothing_is_shared_unless_it_is_said_since_when_and_where(how: Any, lists: Any, task: Any) -> None:
    task("pods", **how)
    task("pods", **how)
    assert paths(lists) == [PODS, PODS]


def test_another_namespace_shares_nothing(lists: Any, task: Any, clock: Any) -> None:
    lists.by_path["/api/v1/namespaces/other/pods"] = lists.by_path[PODS]
    task("pods", not_before=clock.now())
    task("pods", not_before=clock.now(), namespace="other")
    assert paths(lists) == [PODS, "/api/v1/namespaces/other/pods"]


def test_secrets_are_never_written_to_a_file(
    lists: Any, task: Any, clock: Any, tmp_path: Path, reply: Any
) -> None:
    secrets = "/api/v1/namespaces/rec/secrets"
    lists.by_path[secrets] = reply({"items": [{"metadata": {"name": "x"}, "data": {"tls.key": "aHVzaA=="}}]})
    for _look in range(2):
        assert task("secrets", not_before=clock.now())["secrets"][0]["data"]
    assert paths(lists) == [secrets, secrets]
    assert not [each for each in tmp_path.rglob("*.json") if "aHVzaA" in each.read_text("utf-8")]


def test_the_shared_files_are_private(lists: Any, task: Any, clock: Any, tmp_path: Path) -> None:
    task("pods", not_before=clock.now())
    folder = next(tmp_path.glob("kubernetes-*"))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "pods.json").stat().st_mode & 0o777 == 0o600


def test_a_kind_that_must_not_be_listed_stops_only_who_needs_it(
    lists: Any, task: Any, clock: Any, replay: Any
) -> None:
    lists.by_path[DEPLOYMENTS] = replay("viewer-list-deployments-forbidden")
    for _task in range(2):
        seen = task("pods", "deployments", not_before=clock.now(), required=["pods"])
        missing = seen["deployments"]
        assert isinstance(missing, Missing)
        assert (list(missing), missing.kind, missing.status) == ([], "deployments", 403)
        assert "{apiGroups: [apps], resources: [deployments], verbs: [list]}" in missing.sentence
    with pytest.raises(ObstacleError, match="may not list deployments") as caught:
        task("pods", "deployments", not_before=clock.now())
    assert (caught.value.id, caught.value.outcome) == ("cluster-forbidden", "refused")
    assert paths(lists) == [PODS, DEPLOYMENTS]


@pytest.mark.parametrize(
    ("kind", "recording", "words"),
    [
        (
            "certificates",
            "unknown-group",
            "has no Certificate (cert-manager.io/v1): cert-manager is not installed",
        ),
        (
            "podmetrics",
            "unknown-version",
            "has no PodMetrics (metrics.k8s.io/v1beta1): metrics-server is not",
        ),
    ],
)
def test_a_kind_that_the_cluster_does_not_have(
    kind: str, recording: str, words: str, lists: Any, task: Any, replay: Any
) -> None:
    lists.by_path.pop(METRICS)
    lists.reply(replay(recording))
    missing = task("pods", kind, required=["pods"])[kind]
    assert missing.status == 404
    assert words in missing.sentence
    with pytest.raises(ObstacleError) as caught:
        task(kind)
    assert (caught.value.id, caught.value.outcome) == ("no-such-kind", "refused")


def test_an_add_on_that_is_down_is_missing_and_the_cluster_is_not(lists: Any, task: Any, reply: Any) -> None:
    down = {"kind": "Status", "message": "the server is currently unable to handle the request"}
    lists.by_path[METRICS] = reply(down, 503)
    seen = task("pods", "podmetrics", required=["pods"])
    assert (seen["podmetrics"].status, len(seen["pods"])) == (503, 2)
    lists.by_path[PODS] = reply(down, 503)
    with pytest.raises(ObstacleError) as caught:
        task("pods", "podmetrics", required=[])
    assert caught.value.outcome == "unreachable"


def test_an_absent_namespace_is_told_from_an_empty_one(
    lists: Any, task: Any, clock: Any, replay: Any
) -> None:
    lists.by_path[PODS] = replay("list-pods-absent-namespace")
    assert task("pods", not_before=clock.now())["pods"] == []
    assert paths(lists) == [PODS, NAMESPACE]
    clock.sleep(1)
    lists.by_path[NAMESPACE] = replay("get-namespace-missing")
    with pytest.raises(ObstacleError, match=r"it has no namespace rec \(kubernetes_namespace") as caught:
        task("pods", not_before=clock.now())
    assert (caught.value.id, caught.value.outcome) == ("no-namespace", "refused")
    with pytest.raises(ObstacleError, match="it has no namespace rec"):
        task("pods", not_before=clock.now())
    assert paths(lists) == [PODS, NAMESPACE] * 2, "and this too is asked once in a look"


def test_who_may_not_ask_for_the_namespace_does_without(lists: Any, task: Any, replay: Any) -> None:
    lists.by_path[PODS] = replay("list-pods-absent-namespace")
    lists.by_path[NAMESPACE] = replay("viewer-list-nodes-forbidden")
    assert task("pods")["pods"] == []


def test_the_namespace_is_not_asked_for_while_there_is_something_in_it(
    lists: Any, task: Any, replay: Any
) -> None:
    lists.by_path[DEPLOYMENTS] = replay("list-pods-absent-namespace")
    task("deployments", "pods")
    assert paths(lists) == [DEPLOYMENTS, PODS]


def test_silence_is_waited_for_once_in_a_look(lists: Any, task: Any, clock: Any, replay: Any) -> None:
    lists.by_path[PODS] = lists.by_path[DEPLOYMENTS] = replay("bad-token")
    began = clock.now()
    for kind in ("pods", "deployments", "podmetrics"):
        with pytest.raises(ObstacleError, match="does not take our credentials") as caught:
            task(kind, not_before=began)
        assert (caught.value.id, caught.value.outcome) == ("cluster-credentials", "unreachable")
    assert paths(lists) == [PODS]
    clock.sleep(1)
    with pytest.raises(ObstacleError, match="does not take our credentials"):
        task("deployments", not_before=clock.now())
    assert paths(lists) == [PODS, DEPLOYMENTS]


def test_a_file_that_a_killed_task_left_half_written_is_no_list(
    lists: Any, task: Any, clock: Any, tmp_path: Path
) -> None:
    began = clock.now()
    seen = task("pods", not_before=began)
    written = next(tmp_path.glob("kubernetes-*")) / "pods.json"
    whole = written.read_text("utf-8")
    written.write_text(whole[: len(whole) // 2], "utf-8")
    assert task("pods", not_before=began) == seen
    assert paths(lists) == [PODS, PODS]
    assert written.read_text("utf-8") == whole


def test_a_lock_that_somebody_keeps_is_waited_for_and_then_done_without(
    lists: Any, task: Any, clock: Any, tmp_path: Path
) -> None:
    task("pods", not_before=clock.now())
    clock.sleep(1)
    began = clock.now()
    with (next(tmp_path.glob("kubernetes-*")) / "pods.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert len(task("pods", not_before=began)["pods"]) == 2
    assert 59 < clock.now() - began < 62


def test_a_log_is_read_once_in_a_look_and_each_takes_its_lines(
    clock: Any, tmp_path: Path, target: Any
) -> None:
    carrier = Carrier(never, clock.now, clock.sleep, shared=tmp_path)
    parameters = target("", not_before=clock.now())
    asked: list[int] = []

    def read(lines: int) -> str:
        asked.append(lines)
        return "a\nb\nc\n"

    assert [shared_log(parameters, carrier, "pod/a 60", lines, read) for lines in (2, 1, 500)] == [
        "b\nc\n",
        "c\n",
        "a\nb\nc\n",
    ]
    assert shared_log({**parameters, "not_before": 0}, carrier, "pod/a 60", 2, read)
    assert shared_log(parameters, carrier, "pod/b 60", 2000, read)
    assert asked == [1000, 2, 2000]


def test_what_one_may_not_read_keeps_nobody_from_the_rest(clock: Any, tmp_path: Path, target: Any) -> None:
    carrier = Carrier(never, clock.now, clock.sleep, shared=tmp_path)
    parameters = target("", not_before=clock.now())

    def denied(_lines: int) -> str:
        raise ObstacleError("cluster-forbidden", "may not get pods/log", "refused")

    with pytest.raises(ObstacleError, match="may not get pods/log"):
        shared_log(parameters, carrier, "a", 5, denied)
    assert shared_log(parameters, carrier, "b", 5, lambda _lines: "read") == "read"


def test_what_a_diagnosis_reads_is_kept(fixtures: Path) -> None:
    state = json.loads((fixtures / "kubernetes-1.36/states/crash-loop.json").read_text("utf-8"))["objects"]
    assert state["pods"]
    for pod in state["pods"]:
        kept = prune(pod)
        assert "volumes" in pod["spec"]
        assert "volumes" not in kept["spec"]
        assert kept["metadata"] == pod["metadata"]
        assert kept["status"]["conditions"] == pod["status"]["conditions"]
        for mine, whole in zip(kept["spec"]["containers"], pod["spec"]["containers"], strict=True):
            assert {"name", "image", "resources", "livenessProbe"} <= set(mine)
            assert all(whole[key] == value for key, value in mine.items())
        names = ("name", "state", "lastState", "restartCount", "ready")
        for mine, whole in zip(
            kept["status"]["containerStatuses"], pod["status"]["containerStatuses"], strict=True
        ):
            assert [mine[each] for each in names] == [whole[each] for each in names]
    for event in state["events"]:
        kept = prune(event)
        assert all(
            kept[key] == value for key, value in event.items() if key not in ("metadata", "involvedObject")
        )
        assert kept["involvedObject"]["name"] == event["involvedObject"]["name"]


def test_what_kubectl_has_noted_is_not_kept_and_the_rest_is_whole() -> None:
    last = {"kubectl.kubernetes.io/last-applied-configuration": "{…}", "mine": "kept"}
    whole: dict[str, Any] = {
        "kind": "Deployment",
        "metadata": {"annotations": last, "managedFields": [1]},
        "spec": {"a": 1},
    }
    assert prune(whole) == {
        "kind": "Deployment",
        "metadata": {"annotations": {"mine": "kept"}},
        "spec": {"a": 1},
    }
    assert whole["metadata"]["managedFields"] == [1], "the object itself is left as it is"


BIG = """
import resource, sys, tempfile, time
from pathlib import Path
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, ConnectOnce
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_snapshot import snapshot

with tempfile.TemporaryDirectory() as shared:
    for _task in range(2):
        connection = ConnectOnce(Path(shared))
        carrier = Carrier(None, time.time, time.sleep, cluster=connection, shared=Path(shared))
        parameters = {"kubeconfig": sys.argv[1], "namespace": "rec", "not_before": 1}
        seen = snapshot(parameters, carrier, ["pods"])
        print(len(seen["pods"]), getattr(connection._cluster, "calls", 0))
        connection.close()
        seen = None
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print([name for name in sys.modules if name.startswith("kubernetes.client.api.")])
print([name for name in sys.modules if name.startswith("kubernetes.client.models.")])
"""


@pytest.mark.long
def test_five_thousand_pods_fit_into_memory_and_no_typed_class_is_imported(
    api_server: Any, kubeconfig: Any, replay: Any, reply: Any
) -> None:
    pod = replay("list-pods-selector-matching").body["items"][0]
    fields = [{"manager": "kubelet", "fieldsV1": {f"f:{number}": {} for number in range(60)}}]
    pages = []
    for page in range(10):
        items = []
        for number in range(500):
            name = f"saveit-backend-{page:03}-{number:03}"
            items.append({**pod, "metadata": {**pod["metadata"], "name": name, "managedFields": fields}})
        token = {"continue": f"page-{page + 1}"} if page < 9 else {}
        pages.append(reply({"kind": "PodList", "metadata": token, "items": items}))
    api_server.reply(*pages)
    done = subprocess.run(
        [sys.executable, "-c", BIG, kubeconfig(api_server.url)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "collections")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second, kilobytes, apis, models = done.stdout.splitlines()
    assert (first, second) == ("5000 10", "5000 0")
    assert int(kilobytes) < 200 * 1024
    assert apis == "[]"
    assert models == "[]"
