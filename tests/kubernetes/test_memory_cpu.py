"""Memory and CPU on Kubernetes: whose number is raised for more pods, and what is said where none can be."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._quantity import quantity

if TYPE_CHECKING:
    from standin.cluster import Cluster
    from standin.command import Done
    from standin.kinds import Json
    from standin.played import StandIn
    from standin.world import Executed

HPA, DEPLOYMENT, NAME = "saveit-backend-hpa", "saveit-backend", "saveit-backend"
HPAS = "horizontalpodautoscalers"
MIB = 1 << 20


def busy(cluster: Cluster) -> None:
    """Pods at their limit of one core, which is ten times what they request."""
    cluster.behave("backend", "busy")
    _used(cluster, "cpu", 0.97)


def leak(cluster: Cluster) -> None:
    """Pods at 200 MiB of 256."""
    cluster.behave("backend", "leak")
    _used(cluster, "memory", 200 * MIB)


def _used(cluster: Cluster, resource: str, amount: float) -> None:
    """Until the metrics show it: on the stand-in they are told, on a real cluster they take a minute."""
    cluster.need("metrics")
    if not cluster.is_real:
        cluster.use(NAME, **{resource: amount})  # type: ignore[attr-defined]

    def shown() -> bool:
        pods = {pod["metadata"]["name"] for pod in cluster.pods(DEPLOYMENT)}
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{cluster.namespace}/pods"
        samples = {each["metadata"]["name"]: each for each in cluster.client.call("GET", path)["items"]}
        used = [samples[pod]["containers"][0]["usage"][resource] for pod in pods if pod in samples]
        return len(used) == len(pods) and all((quantity(each) or 0) >= 0.96 * amount for each in used)

    cluster.wait(shown, f"the metrics show what every pod takes of its {resource}", seconds=180)


def autoscaler(cluster: Cluster, target: int, **spec: int) -> None:
    """A target in percent of what pods request, which is above or below what they use."""
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": _utilization(target)}}
    cluster.patch(HPAS, HPA, {"spec": {**spec, "metrics": [metric]}})


def _utilization(percent: int) -> Json:
    return {"type": "Utilization", "averageUtilization": percent}


def scale_only(cluster: Cluster, incident: str, *more: str) -> Done:
    """The runbook with its remedies of low risk, and no time for the metrics to get better, as they won't."""
    quick = [f"{incident}_metrics_seconds=1", "ladder_max_risk=low"]
    options = [option for each in quick for option in ("-e", each)]
    return cluster.command("--incident", incident, "--yes", "--json", *options, *more)


def action(done: Done, remedy: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in done.report["actions"] if each["remedy"] == remedy)
    return found


def found(done: Done) -> list[str]:
    return [each["id"] for each in done.report["findings"] if each["kind"] == "symptom"]


def writes(cluster: Cluster) -> list[str]:
    """On the stand-in, the writes beside our lease, with the end of their path; a real one tells nobody."""
    if cluster.is_real:
        return []
    told: Sequence[str] = cluster.writes  # type: ignore[attr-defined]
    told = [each for each in told if "/leases" not in each]
    return [f"{each.partition(' ')[0]} {each.rpartition('saveit/')[2]}" for each in told]


def recorded(cluster: Cluster) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cluster.command("changes", "--json").report["changes"]
    return found


@pytest.mark.long
def test_with_an_autoscaler_its_minimum_is_raised_and_it_undoes_nothing(cluster: Cluster) -> None:
    busy(cluster)
    autoscaler(cluster, target=2000)
    done = scale_only(cluster, "cpu")
    assert done.report["outcome"] == "unresolved", "the loop goes on in every pod"
    assert "cpu-high" in found(done)
    assert "changing it replaces every pod of Deployment saveit-backend" in action(done, "raise")["sentence"]
    scaled = action(done, "scale")
    (kept,) = recorded(cluster)
    back = f"put it back with `saveit-remediate revert {kept['id']}`"
    assert scaled["sentence"].startswith(f"scaled backend from 2 to 3 instances; {back}")
    assert writes(cluster) in ([], [f"PATCH {HPAS}/{HPA}"]), "spec.replicas is left to the autoscaler"
    hpa = cluster.get(HPAS, HPA)
    assert (hpa["spec"]["minReplicas"], hpa["spec"]["maxReplicas"]) == (3, 10)
    assert cluster.get("deployments", DEPLOYMENT)["spec"]["replicas"] == 3, "and it has followed"
    assert [
        (each["target"], each["what"], each["before"], each["after"]) for each in done.report["changes"]
    ] == [("cluster", f"minReplicas of {HPAS}/{HPA}", "2", "3")]
    with cluster.unchanged():
        planned = cluster.command("revert", kept["id"], "--check")
        early = cluster.command("revert", "--expired")
    assert (planned.code, early.code) == (0, 0)
    assert "would put back backend: minReplicas" in planned.stdout
    assert "the first of 1 changes expires" in early.stdout
    put_back = cluster.command("revert", kept["id"])
    assert (put_back.code, recorded(cluster)) == (0, []), put_back.stdout
    assert cluster.get(HPAS, HPA)["spec"]["minReplicas"] == 2
    shown = cluster.command("show", "last")
    assert "put-back: " in shown.stdout
    assert "still changed: " not in shown.stdout


@pytest.mark.long
def test_what_somebody_else_has_set_since_is_left_alone_until_it_is_ours_again(
    cluster: Cluster, ansible_playbook: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """At last by plain Ansible."""
    busy(cluster)
    autoscaler(cluster, target=2000)
    scale_only(cluster, "cpu")
    (kept,) = recorded(cluster)
    cluster.patch(HPAS, HPA, {"spec": {"minReplicas": 4}})
    left = cluster.command("revert", kept["id"])
    assert left.code == 4
    assert (
        f"{HPAS}/{HPA} has minReplicas 4, not the 3 that was set, so it is somebody else's now" in left.stdout
    )
    assert " (set by " in left.stdout
    assert cluster.get(HPAS, HPA)["spec"]["minReplicas"] == 4
    wrong = cluster.command("revert", "beef")
    assert (wrong.code, wrong.stderr.count("\n")) == (2, 1)
    assert (
        f"has the change beef; there are: {kept['id']} (minReplicas of {HPAS}/{HPA} on cluster)"
        in wrong.stderr
    )
    cluster.patch(HPAS, HPA, {"spec": {"minReplicas": 3}})
    plain = ansible_playbook("revert", f"changes_ids={kept['id']}")
    assert plain.returncode == 0, plain.stdout
    assert cluster.get(HPAS, HPA)["spec"]["minReplicas"] == 2
    assert recorded(cluster) == []


@pytest.mark.long
def test_an_autoscaler_at_its_maximum_gets_a_higher_one(cluster: Cluster) -> None:
    busy(cluster)
    autoscaler(cluster, target=70, maxReplicas=2)
    cluster.wait(lambda: _is_limited(cluster), "the autoscaler wants more than it may", seconds=180)
    done = scale_only(cluster, "cpu", "-e", "cpu_hpa_max_replicas=4")
    assert {"cpu-high", "autoscaler-at-maximum"} <= set(found(done))
    hpa = cluster.get(HPAS, HPA)["spec"]
    assert (hpa["minReplicas"], hpa["maxReplicas"]) == (3, 4)
    assert cluster.get("deployments", DEPLOYMENT)["spec"]["replicas"] in (3, 4)


def _is_limited(cluster: Cluster) -> bool:
    conditions = cluster.get(HPAS, HPA)["status"].get("conditions") or ()
    return any(each["reason"] == "TooManyReplicas" for each in conditions)


@pytest.mark.long
def test_without_an_autoscaler_the_replicas_are_set(cluster: Cluster) -> None:
    busy(cluster)
    cluster.delete(HPAS, HPA)
    done = scale_only(cluster, "cpu", "-e", "cpu_instances=4")
    assert action(done, "scale")["sentence"].startswith("scaled backend from 2 to 4 instances")
    assert writes(cluster) in ([], [f"PATCH deployments/{DEPLOYMENT}/scale"])
    assert cluster.get("deployments", DEPLOYMENT)["status"]["readyReplicas"] == 4


def test_a_quota_in_the_way_is_said_and_nothing_is_tried(cluster: Cluster) -> None:
    busy(cluster)
    autoscaler(cluster, target=2000)
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "team"},
        "spec": {"hard": {"pods": "2"}},
    }
    cluster.apply(quota)
    cluster.wait(lambda: _counted(cluster), "the quota is counted")
    with cluster.unchanged():
        done = scale_only(cluster, "cpu")
    scale = action(done, "scale")
    assert scale["result"] == "skipped"
    assert (
        "the quota team allows 2 pods of pods, 2 pods are used, and 1 more would take 1 pods"
        in scale["sentence"]
    )


def _counted(cluster: Cluster) -> bool:
    used = cluster.get("resourcequotas", "team").get("status", {}).get("used", {})
    return bool(used.get("pods") == "2")


@pytest.mark.long
def test_a_check_plans_it_and_only_reads(cluster: Cluster) -> None:
    busy(cluster)
    autoscaler(cluster, target=2000)
    with cluster.unchanged():
        done = cluster.command("--incident", "cpu", "--yes", "--json", "--check")
    scale = action(done, "scale")
    assert (done.report["outcome"], scale["result"]) == ("planned", "planned")
    assert scale["sentence"] == "would scale backend from 2 to 3 instances"
    assert f"{HPAS}/{HPA}: 3 minReplicas" in scale["diff"][0]["after"]


def test_memory_is_judged_against_the_limit_of_the_container(cluster: Cluster) -> None:
    leak(cluster)
    done = cluster.command("--incident", "memory", "--json", "-e", "memory_threshold_percent=70")
    assert "memory-high" in found(done)
    high = next(each for each in done.report["findings"] if each["id"] == "memory-high")
    assert re.search(
        r"uses \d+ MiB of its limit of 256 MiB \(\d\d %\), the threshold is 70 %", high["sentence"]
    )


def test_a_container_that_is_killed_for_its_memory_is_found(cluster: Cluster) -> None:
    cluster.behave("backend", "oom")
    done = cluster.command("--incident", "memory", "--json")
    assert "memory-oom" in found(done)


def test_where_nobody_knows_it_says_no_metrics_and_not_zero(standin: StandIn) -> None:
    """Without metrics and with nothing to be read inside: a real cluster has both, or neither on request."""
    standin.behave("backend")
    standin.without("metrics")
    with standin.unchanged():
        done = standin.command("--incident", "cpu", "--yes", "--json")
    assert done.report["outcome"] == "refused"
    sentence = done.report["findings"][0]["sentence"]
    assert "no metrics: " in sentence
    assert "metrics-server is not installed there" in sentence


@pytest.mark.long
def test_what_the_kernel_counts_inside_does_where_there_are_no_metrics(standin: StandIn) -> None:
    standin.behave("backend")
    standin.without("metrics")
    standin.executes(_counters())
    done = standin.command("--incident", "cpu", "--json")
    assert found(done) == ["cpu-throttled", "cpu-high"]


def _counters() -> Callable[[Json, Sequence[str], str], Executed | None]:
    """A container that takes all of its core, and waits in every period, by the files of its cgroup."""
    from standin.world import Executed

    reads = {"number": 0}

    def play(_pod: Json, command: Sequence[str], _stdin: str) -> Executed | None:
        if command[0] != "grep":
            return None
        reads["number"] += 1
        now = reads["number"]
        files = {
            "/proc/uptime": f"{now} 1",
            "/sys/fs/cgroup/cpu.max": "100000 100000",
            "/sys/fs/cgroup/memory.current": f"{100 * MIB}",
        }
        stat = [
            f"/sys/fs/cgroup/cpu.stat:usage_usec {now * 1000000}",
            f"/sys/fs/cgroup/cpu.stat:nr_throttled {now * 10}",
        ]
        return Executed(2, "\n".join([*(f"{name}:{text}" for name, text in files.items()), *stat]) + "\n")

    return play


@pytest.mark.long
def test_what_somebody_else_changes_meanwhile_is_read_again(standin: StandIn) -> None:
    busy(standin)
    autoscaler(standin, target=2000)
    meddle(standin, [1])
    done = scale_only(standin, "cpu")
    assert action(done, "scale")["sentence"].startswith("scaled backend from 2 to 3 instances")
    assert writes(standin) == [f"PATCH {HPAS}/{HPA}"] * 2, "the first was refused"
    assert [each["before"] for each in recorded(standin)] == ["1"], "the intent that lost is not recorded"


@pytest.mark.long
def test_a_number_that_changes_all_the_time_is_left_alone(standin: StandIn) -> None:
    busy(standin)
    autoscaler(standin, target=2000)
    meddle(standin, [1, 2, 1])
    done = scale_only(standin, "cpu")
    assert action(done, "scale")["result"] == "failed"
    assert "is something else scaling it?" in action(done, "scale")["sentence"]
    assert standin.get(HPAS, HPA)["spec"]["minReplicas"] == 1


def meddle(standin: StandIn, numbers: list[int]) -> None:
    """Somebody sets minReplicas to these, in turn, each time just before the product's own write arrives."""
    from standin.faults import AGENT

    take = standin.server.faults.take

    def before(request: Any) -> Any:
        is_ours = request.method == "PATCH" and request.headers.get("user-agent") != AGENT
        if is_ours and request.path.endswith(f"/{HPA}") and numbers:
            hpa = standin.world.store.get(f"{HPAS}.autoscaling", standin.namespace, HPA)
            assert hpa is not None
            hpa["spec"]["minReplicas"] = numbers.pop(0)
            standin.world.store.put(f"{HPAS}.autoscaling", hpa)
        return take(request)

    standin.server.faults.take = before  # type: ignore[method-assign]
