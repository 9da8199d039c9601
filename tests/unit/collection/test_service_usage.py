"""service_usage: what is over its threshold, from the kernel's counters, the engine's events and the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _cgroup, _service_usage
from ansible_collections.saveit.remediation.plugins.module_utils._cgroup import Reading
from ansible_collections.saveit.remediation.plugins.module_utils._compose_resources import kills_since
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError
from ansible_collections.saveit.remediation.plugins.module_utils._usage import cpu_of, recent_kills

PARAMETERS: dict[str, Any] = {
    "platform": "compose",
    "project": "saveit",
    "service_names": {},
    "required": False,
    "docker_command": ["docker"],
    "service": "backend",
    **{key: spec["default"] for key, spec in _service_usage.ARGUMENTS.items() if "default" in spec},
}
READ = ["docker", "exec", "-i", "1", "timeout", "5", *_cgroup.COMMAND]
STATS = ["docker", "stats", "--no-stream", "--format={{json .}}", "1"]
EVENTS = ["docker", "events", "--since=60s", "--until=0s", "--filter=event=oom", "--filter=event=start"]
EVENTS += ["--filter=event=update", "--filter=container=1", "--format={{.Action}}"]
NOW = ["docker", "info", "--format={{.SystemTime}}"]
LOGS = ["docker", "logs", "--timestamps", "--tail=1000", "--since=60s", "1"]
MIB = 1 << 20


def look(conversation: Any, status: str = "running") -> None:
    container = {"Id": "1", "Name": "/saveit-backend", "State": {"Status": status, "FinishedAt": "T"}}
    conversation.expect_look({"1": "backend"}, json.dumps([container]), of="backend")


def memory(used: int, kills: int = 0, limit: str = str(1024 * MIB)) -> str:
    return (
        f"/sys/fs/cgroup/memory.current:{used * MIB}\n/sys/fs/cgroup/memory.max:{limit}\n"
        f"/sys/fs/cgroup/memory.events:oom_kill {kills}\n/proc/meminfo:MemTotal: 2097152 kB\n"
    )


def cpu(at: float, seconds: float, throttled: int, cap: str = "50000") -> str:
    return (
        f"/proc/uptime:{at} 1\n/sys/fs/cgroup/cpu.stat:usage_usec {seconds * 1e6:.0f}\n"
        f"/sys/fs/cgroup/cpu.stat:nr_throttled {throttled}\n/sys/fs/cgroup/cpu.max:{cap} 100000\n"
        "/sys/devices/system/cpu/online:0-1\n"
    )


def run(conversation: Any, resource: str, check_mode: bool = False, **more: Any) -> Any:
    given = {**PARAMETERS, "resource": resource, **more}
    return _service_usage.run(given, conversation.carrier(check_mode))


def values(result: Any) -> dict[str, Any]:
    return {each.name: each.value for each in result.evidence}


@pytest.mark.parametrize("check_mode", [False, True])
def test_memory_under_its_threshold_is_healthy(conversation: Any, check_mode: bool) -> None:
    look(conversation)
    conversation.expect(READ, memory(800), rc=2).expect(EVENTS)  # grep ends with 2: half of the files
    result = run(conversation, "memory", check_mode)
    assert (result.verdict, result.changed, list(result.findings)) == ("healthy", False, [])
    assert result.sentence == "backend: saveit-backend uses 800 MiB of its limit of 1024 MiB (78 %)"
    assert values(result) == {"backend.memory_percent": 78.1, "backend.oom_kills": 0}
    assert result.returned["usage"][0]["memory_limit_mb"] == 1024


@pytest.mark.parametrize(("used", "verdict"), [(869, "healthy"), (871, "memory-high"), (1024, "memory-high")])
def test_the_threshold_is_judged_against_the_containers_own_limit(
    conversation: Any, used: int, verdict: str
) -> None:
    look(conversation)
    conversation.expect(READ, memory(used)).expect(EVENTS)
    assert run(conversation, "memory").verdict == verdict


def test_without_a_limit_the_hosts_memory_is_the_whole(conversation: Any) -> None:
    look(conversation)
    conversation.expect(READ, memory(1900, limit="max")).expect(EVENTS)
    result = run(conversation, "memory")
    assert result.verdict == "memory-high"
    assert "has no limit (93 % of the host's memory)" in result.sentence


def test_kills_go_before_the_working_set_as_they_are_worse(conversation: Any) -> None:
    look(conversation)
    conversation.expect(READ, memory(1000, kills=9)).expect(EVENTS, "oom\noom\noom\n")
    result = run(conversation, "memory")
    assert [each.id for each in result.findings] == ["memory-oom", "memory-high"]
    assert result.sentence.startswith("backend: 3 OOM kills within 60 s; saveit-backend uses 1000 MiB")
    assert values(result)["backend.oom_kills"] == 3


def test_an_old_kill_that_the_counter_still_shows_is_none_of_the_window(conversation: Any) -> None:
    look(conversation)
    conversation.expect(READ, memory(500, kills=9)).expect(EVENTS)
    conversation.expect(LOGS, "T served\n").expect(NOW, "2026-11-23T02:48:00Z\n")
    assert run(conversation, "memory").verdict == "healthy"


@pytest.mark.parametrize(("now", "kills"), [("02:47:12", 2), ("02:47:19", 2), ("02:47:40", 0)])
def test_kills_that_the_engine_has_forgotten_are_in_the_log_while_they_go_on(
    conversation: Any, now: str, kills: int
) -> None:
    look(conversation)
    conversation.expect(READ, memory(500, kills=9)).expect(EVENTS)
    died = "2026-11-23T02:47:03Z Child process [9] died\n2026-11-23T02:47:11Z Child process [12] died\n"
    conversation.expect(LOGS, f"2026-11-23T02:47:10Z served\n{died}").expect(NOW, f"2026-11-23T{now}Z\n")
    assert values(run(conversation, "memory"))["backend.oom_kills"] == kills


@pytest.mark.parametrize(
    ("events", "restarts", "kills"),
    [
        ("", 0, None),
        ("oom oom", 0, 2),
        ("oom oom start", 0, 0),  # a person or a tool started it since
        ("oom start oom", 0, 1),
        ("oom oom update", 0, 0),  # its limit was raised
        ("oom update oom", 0, 1),  # and that was not enough
        ("oom start oom start", 2, 2),  # the engine starts again what was killed
        ("oom start oom start", 1, 1),
        ("start oom start oom start", 2, 2),
        ("oom start oom start update", 2, 0),
    ],
)
def test_a_kill_before_the_last_start_or_the_last_limit_does_not_go_on(
    events: str, restarts: int, kills: int | None
) -> None:
    assert kills_since(events.split(), restarts) == kills


def test_a_service_that_was_restarted_after_its_kills_is_healthy(conversation: Any) -> None:
    look(conversation)
    conversation.expect(READ, memory(500)).expect(EVENTS, "oom\noom\nstart\n")
    assert run(conversation, "memory").verdict == "healthy"


def test_what_cannot_be_read_inside_is_asked_of_the_engine(conversation: Any) -> None:
    look(conversation)
    conversation.expect(READ, stderr="OCI runtime exec failed: no such file: timeout", rc=127)
    conversation.expect(STATS, '{"MemUsage": "950MiB / 1GiB", "CPUPerc": "1.00%"}').expect(EVENTS, "oom\n")
    result = run(conversation, "memory")
    assert values(result) == {"backend.memory_percent": 92.8, "backend.oom_kills": 1}


@pytest.mark.parametrize("said", ["", "no json", "[]", '{"MemUsage": "-- / --", "CPUPerc": "--"}'])
def test_when_nobody_can_tell_it_is_unknown_and_never_healthy(conversation: Any, said: str) -> None:
    look(conversation)
    conversation.expect(READ, rc=126).expect(STATS, said).expect(EVENTS)
    result = run(conversation, "memory")
    assert result.verdict == "usage-unknown"
    assert values(result)["backend.memory_percent"] is None


@pytest.mark.parametrize("resource", ["memory", "cpu"])
def test_a_service_that_does_not_run_uses_nothing_that_is_known(conversation: Any, resource: str) -> None:
    look(conversation, "exited")
    result = run(conversation, resource)
    assert result.verdict == "usage-unknown"
    assert "nothing runs that could use" in result.sentence
    assert set(values(result).values()) == {None}


@pytest.mark.parametrize("resource", ["memory", "cpu"])
def test_a_diagnosis_that_needs_data_and_has_none_is_an_obstacle(conversation: Any, resource: str) -> None:
    look(conversation, "exited")
    with pytest.raises(ObstacleError, match=f"cannot judge {resource}: backend: nothing runs"):
        run(conversation, resource, required=True)


def test_a_quiet_cpu_is_healthy_after_one_window(conversation: Any) -> None:
    look(conversation)
    conversation.expect(READ, cpu(100.0, 10.0, 3)).expect(READ, cpu(101.0, 10.1, 3))
    result = run(conversation, "cpu")
    assert (result.verdict, conversation.clock.slept) == ("healthy", [1])
    assert values(result) == {"backend.cpu_percent": 20.0, "backend.throttled_percent": 0.0}


def test_one_busy_second_is_looked_at_for_longer_and_is_no_incident(conversation: Any) -> None:
    look(conversation)
    conversation.expect(READ, cpu(100.0, 10.0, 0)).expect(READ, cpu(101.0, 10.5, 10))
    conversation.expect(READ, cpu(110.0, 10.6, 10))
    result = run(conversation, "cpu", confirm_seconds=9)
    assert (result.verdict, conversation.clock.slept) == ("healthy", [1, 9])


def test_at_its_cap_it_is_throttled_and_high(conversation: Any) -> None:
    look(conversation)
    conversation.expect(READ, cpu(100.0, 10.0, 0)).expect(READ, cpu(101.0, 10.5, 9))
    conversation.expect(READ, cpu(104.0, 12.0, 39))
    result = run(conversation, "cpu")
    assert [each.id for each in result.findings] == ["cpu-throttled", "cpu-high"]
    assert result.sentence == (
        "backend: saveit-backend is throttled in 97.5 % of the time (the threshold is 25 %); "
        "saveit-backend uses 0.50 cores of its cap of 0.5 (100 %)"
    )


def test_without_a_cap_nothing_is_throttled_and_the_hosts_cores_are_the_whole(conversation: Any) -> None:
    look(conversation)
    conversation.expect(READ, cpu(100.0, 10.0, 5, "max")).expect(READ, cpu(101.0, 11.9, 9, "max"))
    conversation.expect(READ, cpu(104.0, 17.8, 40, "max"))
    result = run(conversation, "cpu")
    assert [each.id for each in result.findings] == ["cpu-high"]
    assert values(result) == {"backend.cpu_percent": 97.5, "backend.throttled_percent": None}


def test_the_cpu_that_cannot_be_read_is_asked_of_the_engine(conversation: Any) -> None:
    look(conversation)
    conversation.expect(READ, rc=126).expect(STATS, '{"MemUsage": "1MiB / 1GiB", "CPUPerc": "48.00%"}')
    inspect = ["docker", "inspect", "--type=container", "--format={{json .HostConfig}}", "1"]
    conversation.expect(inspect, '{"NanoCpus": 500000000}')
    result = run(conversation, "cpu")
    assert result.verdict == "cpu-high"
    assert values(result) == {"backend.cpu_percent": 96.0, "backend.throttled_percent": None}


def test_a_recorded_busy_loop_is_throttled(fixtures: Path) -> None:
    first, last = (
        _cgroup.parse((fixtures / f"cgroup-v1-linux-6.18/throttled_{number}.txt").read_text("utf-8"))
        for number in (1, 2)
    )
    usage = cpu_of(first, last)
    assert usage["cpu_cap"] == 0.15
    assert usage["throttled_percent"] >= 25
    assert usage["cpu_percent"] >= 60


def test_a_container_that_was_started_between_the_readings_counts_from_zero() -> None:
    first = Reading(at=10, cpu_seconds=50, throttled=9, period=0.1, cores=1)
    usage = cpu_of(first, Reading(at=11, cpu_seconds=0.5, throttled=0, period=0.1, cores=1))
    assert (usage["cpu_cores"], usage["throttled_percent"]) == (0, 0)


def test_a_clock_that_stands_still_is_no_data() -> None:
    same = Reading(at=10, cpu_seconds=50, throttled=9, period=0.1, cores=1)
    assert cpu_of(same, same)["cpu_percent"] is None


@pytest.mark.parametrize(
    ("counted", "told", "deaths", "kills"),
    [
        (0, None, 0, 0),
        (5, None, 0, 0),  # all of them long ago
        (5, 2, 0, 2),
        (5, 0, 3, 0),  # before the last start, or the last limit
        (5, None, 3, 3),  # the engine has forgotten
        (1, None, 3, 1),  # a process may die of something else
        (0, None, 3, 0),
        (None, 2, 3, 2),
        (None, None, 0, 0),
    ],
)
def test_kills_of_the_window_from_three_witnesses(
    counted: int | None, told: int | None, deaths: int, kills: int
) -> None:
    assert recent_kills(counted, told, deaths) == kills


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"memory_threshold_percent": 0}, "memory_threshold_percent is 0, wanted 0 to 100"),
        ({"cpu_threshold_percent": 101}, "cpu_threshold_percent is 101"),
        ({"throttled_threshold_percent": -1}, "throttled_threshold_percent is -1"),
        ({"window_seconds": 0}, "window_seconds is 0, wanted 0.2 to 60"),
        ({"confirm_seconds": -1}, "confirm_seconds is -1"),
        ({"oom_window_seconds": 4000}, "oom_window_seconds is 4000, wanted 1 to 3600"),
    ],
)
def test_a_number_that_is_none_is_said_before_anything_is_asked(
    conversation: Any, more: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(FailedError, match=sentence):
        run(conversation, "memory", **more)


def test_a_pattern_that_is_none_is_said_before_anything_is_asked(conversation: Any) -> None:
    with pytest.raises(FailedError, match="death_pattern '\\(' is no regular expression"):
        run(conversation, "memory", death_pattern="(")
