"""service_usage, service_limits and service_status on Kubernetes: metrics, kills, throttling, and no data."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _cgroup,
    _service_limits,
    _service_status,
    _service_usage,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import (
    Access,
    ApiError,
    ApiObstacleError,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

TARGET = {"platform": "kubernetes", "service_names": {"backend": "saveit-backend"}, "service": "backend"}
HPA = "horizontalpodautoscalers"
MIB = 1 << 20


def defaults(arguments: Any, **more: Any) -> dict[str, Any]:
    return {
        **{key: each["default"] for key, each in arguments.items() if "default" in each},
        **TARGET,
        **more,
    }


@dataclass
class Played:
    """A cluster that is only looked at; a kind may be an error instead of its objects."""

    objects: dict[str, Any]
    inside: list[str | FailedError] = field(default_factory=list)  # what the container's files say, in turn
    name: str = "the cluster staging (namespace saveit)"
    namespace: str = "saveit"
    access: Access = field(default_factory=lambda: Access("the cluster staging (namespace saveit)"))

    def list(self, kind: str, keep: Any = None, **_selectors: str) -> Any:
        found = self.objects.get(kind, [])
        if isinstance(found, Exception):
            raise found
        return [keep(copy.deepcopy(each)) if keep else copy.deepcopy(each) for each in found]

    def get(self, _kind: str, _name: str) -> Any:
        return {}

    def execute(
        self, pod: str, container: str, command: Sequence[str], stdin: str = "", timeout: float = 10
    ) -> Completed:
        del pod, stdin
        assert (container, tuple(command), timeout <= 5) == ("backend", _cgroup.COMMAND, True)
        told = self.inside.pop(0)
        if isinstance(told, FailedError):
            raise told
        return Completed(2 if told else 1, told, "")


@pytest.fixture
def cluster(fixtures: Path) -> Played:
    """Two recorded pods, limited to 1 core and 64 MiB, and their samples."""
    healthy = json.loads((fixtures / "kubernetes-1.36" / "states" / "healthy.json").read_text())["objects"]
    for pod in healthy["pods"]:
        pod["spec"]["containers"][0]["resources"]["limits"] = {"cpu": "1", "memory": "64Mi"}
    names = [pod["metadata"]["name"] for pod in healthy["pods"]]
    metrics = [sample(names[0], "100m", "20Mi"), sample(names[1], "250000000n", "32768Ki")]
    return Played({"deployments": [healthy["deployment"]], "pods": healthy["pods"], "podmetrics": metrics})


def sample(pod: str, cpu: str, memory: str) -> dict[str, Any]:
    return {
        "metadata": {"name": pod},
        "containers": [{"name": "backend", "usage": {"cpu": cpu, "memory": memory}}],
    }


def carrier(cluster: Played, clock: Any) -> Carrier:
    return Carrier(
        lambda *_: pytest.fail("nothing runs on a host"), clock.now, clock.sleep,
        cluster=lambda _parameters: cluster,  # type: ignore[arg-type,return-value]
    )  # fmt: skip


def run(cluster: Played, clock: Any, resource: str, **more: Any) -> Any:
    return _service_usage.run(
        defaults(_service_usage.ARGUMENTS, resource=resource, **more), carrier(cluster, clock)
    )


def values(result: Any) -> dict[str, Any]:
    return {each.name.partition(".")[2]: each.value for each in result.evidence}


def cgroup(at: float, seconds: float, throttled: int, used: int = 60) -> str:
    return (
        f"/proc/uptime:{at} 1\n/sys/fs/cgroup/cpu.stat:usage_usec {seconds * 1e6:.0f}\n"
        f"/sys/fs/cgroup/cpu.stat:nr_throttled {throttled}\n/sys/fs/cgroup/cpu.max:100000 100000\n"
        f"/sys/fs/cgroup/memory.current:{used * MIB}\n/sys/fs/cgroup/memory.max:{64 * MIB}\n"
    )


def absent(status: int, sentence: str = "metrics-server is not installed there") -> Exception:
    return (
        ApiError(sentence, status, {})
        if status == 404
        else ApiObstacleError("x", sentence, "refused", status)
    )


def test_memory_is_the_working_set_against_the_containers_limit(cluster: Played, clock: Any) -> None:
    result = run(cluster, clock, "memory")
    assert (result.verdict, values(result)) == ("healthy", {"memory_percent": 50.0, "oom_kills": 0})
    assert "uses 32 MiB of its limit of 64 MiB (50 %)" in result.sentence


def test_cpu_is_cores_against_the_containers_limit(cluster: Played, clock: Any) -> None:
    result = run(cluster, clock, "cpu")
    assert (result.verdict, values(result)) == ("healthy", {"cpu_percent": 25.0, "throttled_percent": None})
    assert not clock.slept, "what is far from its limit is not read inside"


def test_the_threshold_is_the_runbooks(cluster: Played, clock: Any) -> None:
    result = run(cluster, clock, "memory", memory_threshold_percent=40)
    assert [each.id for each in result.findings] == ["memory-high"]


def test_a_busy_container_is_read_inside_for_its_throttling(cluster: Played, clock: Any) -> None:
    cluster.objects["podmetrics"][1] = sample(cluster.objects["pods"][1]["metadata"]["name"], "980m", "20Mi")
    cluster.inside = [cgroup(10, 1, 0), cgroup(11, 2, 8), cgroup(14, 5, 36)]
    result = run(cluster, clock, "cpu")
    assert [each.id for each in result.findings] == ["cpu-throttled", "cpu-high"]
    assert values(result) == {"cpu_percent": 98.0, "throttled_percent": 90.0}
    assert clock.slept == [1, 3]


@pytest.mark.parametrize(
    "told",
    [
        "",
        ApiObstacleError("cluster-forbidden", "ops may not create pods/exec; add this rule", "refused", 403),
    ],
)
def test_without_a_look_inside_the_throttling_is_unknown_and_not_zero(
    cluster: Played, clock: Any, told: Any
) -> None:
    cluster.objects["podmetrics"][1] = sample(cluster.objects["pods"][1]["metadata"]["name"], "980m", "20Mi")
    cluster.inside = [told]
    result = run(cluster, clock, "cpu")
    assert [each.id for each in result.findings] == ["cpu-high"]
    assert values(result)["throttled_percent"] is None
    why = [each["why_unknown"] for each in result.returned["usage"] if each["why_unknown"]]
    assert len(why) == 1
    assert why[0].startswith("throttling: ")


@pytest.mark.parametrize("status", [404, 403, 503])
@pytest.mark.parametrize("resource", ["memory", "cpu"])
def test_without_metrics_and_a_look_inside_nothing_is_known_and_it_says_why(
    cluster: Played, clock: Any, status: int, resource: str
) -> None:
    cluster.objects["podmetrics"] = absent(status)
    cluster.inside = [""]
    result = run(cluster, clock, resource)
    assert result.verdict == "usage-unknown"
    assert set(values(result).values()) <= {None, 0}
    assert values(result)[f"{resource}_percent"] is None
    assert "no metrics: " in result.sentence
    cluster.inside = [""]
    with pytest.raises(ObstacleError, match=f"cannot judge {resource}: backend: .*no metrics: "):
        run(cluster, clock, resource, required=True)


def test_without_metrics_the_counters_inside_do(cluster: Played, clock: Any) -> None:
    cluster.objects["podmetrics"] = absent(404)
    cluster.inside = [cgroup(10, 1, 0, used=60), cgroup(10, 1, 0, used=10)]
    assert values(run(cluster, clock, "memory"))["memory_percent"] == 93.8
    cluster.inside = [cgroup(10, 1, 0), cgroup(10, 1, 0), cgroup(11, 1.2, 0), cgroup(11, 1.5, 1)]
    assert values(run(cluster, clock, "cpu")) == {"cpu_percent": 50.0, "throttled_percent": 10.0}


def test_a_new_pod_has_no_sample_and_that_is_not_zero(cluster: Played, clock: Any) -> None:
    del cluster.objects["podmetrics"][1]
    cluster.inside = [""]
    result = run(cluster, clock, "memory")
    assert (result.verdict, values(result)["memory_percent"]) == ("healthy", 31.2)
    new = result.returned["usage"][1]
    assert (new["working_set_mb"], new["memory_percent"]) == (None, None)
    assert new["why_unknown"].startswith("no metrics yet: a new pod has no sample for a minute or more")
    assert result.returned["known_by"] == parse_time(started(cluster.objects["pods"][1])) + 120


def started(pod: dict[str, Any]) -> str:
    return str(pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"])


def killed(fixtures: Path) -> Played:
    """The recorded OOM kills, at 06:51:21."""
    text = (fixtures / "kubernetes-1.36" / "states" / "oom-killed.json").read_text()
    objects = json.loads(text)["objects"]
    return Played({"deployments": [objects["deployment"]], "pods": objects["pods"]})


@pytest.mark.parametrize(("later", "kills"), [(5, 2), (59, 2), (300, 0)])
def test_kills_count_within_their_window(fixtures: Path, clock: Any, later: float, kills: int) -> None:
    clock.time = 1795416681.0 + later
    result = run(killed(fixtures), clock, "memory")
    assert values(result)["oom_kills"] == kills
    assert ("memory-oom" in [each.id for each in result.findings]) is bool(kills)


def test_a_kill_is_known_where_the_working_set_is_not(fixtures: Path, clock: Any) -> None:
    clock.time = 1795416681.0 + 5
    result = run(killed(fixtures), clock, "memory", required=True)
    assert result.verdict == "memory-oom"
    assert "2 OOM kills within 60 s" in result.sentence
    assert values(result)["memory_percent"] is None


def autoscaler(fixtures: Path, state: str) -> dict[str, Any]:
    text = (fixtures / "kubernetes-1.36" / "states" / f"{state}.json").read_text()
    hpa: dict[str, Any] = json.loads(text)["objects"]["hpa"]
    hpa["spec"]["scaleTargetRef"]["name"] = "saveit-backend"
    return hpa


def test_an_autoscaler_that_works_is_evidence(cluster: Played, clock: Any, fixtures: Path) -> None:
    cluster.objects[HPA] = [autoscaler(fixtures, "hpa-active")]
    result = run(cluster, clock, "cpu")
    assert result.verdict == "healthy"
    assert (values(result)["autoscaler_wants"], values(result)["autoscaler_maximum"]) == (2, 5)


def test_a_blind_autoscaler_is_a_finding_only_beside_another(
    cluster: Played, clock: Any, fixtures: Path
) -> None:
    cluster.objects[HPA] = [autoscaler(fixtures, "hpa-metric-missing")]
    assert run(cluster, clock, "cpu").verdict == "healthy"
    found = run(cluster, clock, "cpu", cpu_threshold_percent=20).findings
    assert [each.id for each in found] == ["cpu-high", "autoscaler-no-metrics"]


def test_autoscalers_that_may_not_be_seen_keep_nobody_from_looking(cluster: Played, clock: Any) -> None:
    cluster.objects[HPA] = absent(403)
    assert run(cluster, clock, "cpu").verdict == "healthy"


def test_without_a_limit_the_node_is_the_whole_where_it_may_be_seen(
    cluster: Played, clock: Any, fixtures: Path
) -> None:
    for pod in cluster.objects["pods"]:
        pod["spec"]["containers"][0]["resources"].pop("limits")
    text = (fixtures / "kubernetes-1.36" / "states" / "node-ready.json").read_text()
    cluster.objects["nodes"] = [json.loads(text)["objects"]["node"]]
    assert values(run(cluster, clock, "cpu"))["cpu_percent"] == 12.5
    cluster.objects["nodes"] = absent(403)
    result = run(cluster, clock, "cpu")
    assert values(result)["cpu_percent"] is None
    assert "has no cap (no data of the host's cores)" in result.sentence


def test_of_many_pods_those_that_take_most_are_named(cluster: Played, clock: Any) -> None:
    pod, metrics = cluster.objects["pods"][0], []
    cluster.objects["pods"] = []
    for number in range(200):
        more = copy.deepcopy(pod)
        more["metadata"].update(name=f"pod-{number}", uid=str(number))
        cluster.objects["pods"].append(more)
        metrics.append(sample(f"pod-{number}", "1m", f"{number + 1}00Ki"))
    cluster.objects["podmetrics"] = metrics
    sentence = run(cluster, clock, "memory").sentence
    assert sentence.startswith("backend: pod-199 uses")
    assert sentence.endswith("; and 197 more")


@pytest.mark.parametrize("resource", ["memory", "cpu"])
def test_a_limit_is_not_raised_as_that_would_replace_every_pod(
    cluster: Played, clock: Any, resource: str
) -> None:
    parameters = defaults(_service_limits.ARGUMENTS, resource=resource)
    result = _service_limits.run(parameters, carrier(cluster, clock))
    assert (result.verdict, result.changed) == ("unchanged", False)
    assert "changing it replaces every pod of Deployment saveit-backend" in result.sentence
    assert f"set resources.limits.{resource} there with a release" in result.sentence


def test_the_table_of_services_has_what_pods_take(cluster: Played, clock: Any) -> None:
    result = _service_status.run(defaults(_service_status.ARGUMENTS), carrier(cluster, clock))
    rows = result.returned["tables"][0]["rows"]
    assert [row[5:] for row in rows] == [[0.1, 20, 64], [0.25, 32, 64]]


def test_the_table_of_services_says_that_there_are_no_metrics(cluster: Played, clock: Any) -> None:
    cluster.objects["podmetrics"] = absent(404)
    result = _service_status.run(defaults(_service_status.ARGUMENTS), carrier(cluster, clock))
    assert [row[5:] for row in result.returned["tables"][0]["rows"]] == [[None, None, 64], [None, None, 64]]
    assert "; no metrics: " in result.sentence
