"""service_limits: raise a limit for a time, and put it back; the whole conversation of each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _cgroup, _service_limits
from ansible_collections.saveit.remediation.plugins.module_utils._compose_resources import (
    Limits,
    cpu_options,
    memory_options,
    parse_stats,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

PARAMETERS: dict[str, Any] = {
    "platform": "compose",
    "project": "saveit",
    "service_names": {},
    "docker_command": ["docker"],
    "service": "backend",
    **{key: spec["default"] for key, spec in _service_limits.ARGUMENTS.items() if "default" in spec},
    "record": False,
}
INSPECT = ["docker", "inspect", "--type=container", "--format={{json .HostConfig}}", "1"]
READ = ["docker", "exec", "-i", "1", "timeout", "5", *_cgroup.COMMAND]
CORES = ["docker", "info", "--format={{.NCPU}}"]
MIB = 1 << 20
GIB = 1 << 30
RAISED = {"id": "1", "name": "saveit-backend", "resource": "memory", "before": 1024.0, "after": 1536.0}
BACK = f"docker update --memory={GIB} --memory-swap={2 * GIB} saveit-backend"


def look(conversation: Any, status: str = "running") -> None:
    container = {"Id": "1", "Name": "/saveit-backend", "State": {"Status": status, "FinishedAt": "T"}}
    conversation.expect_look({"1": "backend"}, json.dumps([container]), of="backend")


def limits(conversation: Any, memory: int = 0, swap: int = 0, cpus: float = 0, **more: int) -> None:
    host = {"Memory": memory * MIB, "MemorySwap": swap * MIB, "NanoCpus": round(cpus * 1e9), **more}
    conversation.expect(INSPECT, json.dumps(host))


def free(conversation: Any, available: int, used: int = 900) -> None:
    said = f"/proc/meminfo:MemAvailable: {available * 1024} kB\n/sys/fs/cgroup/memory.current:{used * MIB}\n"
    conversation.expect(READ, said, rc=2)


def run(conversation: Any, resource: str, check_mode: bool = False, **more: Any) -> Any:
    given = {**PARAMETERS, "resource": resource, **more}
    return _service_limits.run(given, conversation.carrier(check_mode))


def test_the_memory_limit_is_raised_for_a_time_and_the_way_back_is_told(conversation: Any) -> None:
    look(conversation)
    limits(conversation, 1024, 2048)
    free(conversation, 8000)
    limits(conversation, 1024, 2048)  # is it still what was decided on?
    conversation.expect(["docker", "update", f"--memory={1536 * MIB}", f"--memory-swap={2560 * MIB}", "1"])
    limits(conversation, 1536, 2560)
    result = run(conversation, "memory")
    assert (result.verdict, result.changed) == ("raised", True)
    assert result.sentence == (
        "raised the memory limit of backend: saveit-backend from 1024 to 1536 MiB; put it back with "
        f"`{BACK}`, before 1970-01-12T14:46:40+00:00 or when the cause is gone "
        "(a container made anew loses it)"
    )
    assert result.returned == {
        "limits": [{**RAISED, "put_back": BACK, "change_id": ""}],
        "ends_at": "1970-01-12T14:46:40+00:00",
        "over": False,
    }
    assert result.diff == {
        "before": "saveit-backend: memory limit 1024 MiB\n",
        "after": "saveit-backend: memory limit 1536 MiB\n",
    }


def test_the_cpu_cap_is_raised(conversation: Any) -> None:
    look(conversation)
    limits(conversation, cpus=0.5)
    conversation.expect(CORES, "4\n")
    limits(conversation, cpus=0.5)
    conversation.expect(["docker", "update", "--cpus=1.25", "1"])
    limits(conversation, cpus=1.25)
    result = run(conversation, "cpu", raise_percent=150)
    assert (
        "saveit-backend from 0.5 to 1.25 cores; put it back with `docker update --cpus=0.5 "
        in result.sentence
    )


def test_a_cap_that_was_given_as_a_quota_is_raised_as_one(conversation: Any) -> None:
    look(conversation)
    limits(conversation, CpuQuota=25000, CpuPeriod=50000)
    conversation.expect(CORES, "4")
    result = run(conversation, "cpu", check_mode=True, raise_percent=100)
    assert result.returned["limits"][0]["put_back"] == "docker update --cpu-quota=25000 saveit-backend"
    assert result.returned["limits"][0]["after"] == 1


@pytest.mark.parametrize("resource", ["memory", "cpu"])
def test_check_mode_looks_and_updates_nothing(conversation: Any, resource: str) -> None:
    look(conversation)
    limits(conversation, 1024, 2048, 1)
    if resource == "memory":
        free(conversation, 8000)
    else:
        conversation.expect(CORES, "4")
    result = run(conversation, resource, check_mode=True)
    assert (result.verdict, result.changed) == ("planned", True)
    assert result.sentence.startswith("would raise the ")
    assert "1024" in result.diff["before"] or "1 cores" in result.diff["before"]


@pytest.mark.parametrize(
    ("available", "maximum", "after"),
    [
        (8000, 0, 1536),
        (8000, 1200, 1200),  # the site's own maximum
        (600, 0, 1324),  # half of what the host has free
    ],
)
def test_the_host_and_the_site_bound_a_raise_of_memory(
    conversation: Any, available: int, maximum: float, after: int
) -> None:
    look(conversation)
    limits(conversation, 1024, 2048)
    free(conversation, available)
    result = run(conversation, "memory", check_mode=True, maximum=maximum)
    assert result.returned["limits"][0]["after"] == after


@pytest.mark.parametrize(
    ("said", "more", "reason"),
    [
        ("/proc/meminfo:MemAvailable: 102400 kB\n", {}, "the host has only 100 MiB free"),
        ("/proc/meminfo:MemAvailable: 8192000 kB\n", {"maximum": 1030}, "the maximum is 1030"),
        ("", {}, "nobody can tell how much memory the host has free"),
    ],
)
def test_where_no_raise_is_worth_it_the_reason_is_said(
    conversation: Any, said: str, more: dict[str, Any], reason: str
) -> None:
    look(conversation)
    limits(conversation, 1024, 2048)
    conversation.expect(READ, said)
    result = run(conversation, "memory", **more)
    assert (result.verdict, result.changed) == ("unchanged", False)
    assert result.sentence.endswith(reason)


def test_the_host_keeps_half_a_core(conversation: Any) -> None:
    look(conversation)
    limits(conversation, cpus=1.5)
    conversation.expect(CORES, "2")
    result = run(conversation, "cpu")
    assert result.sentence.endswith(
        "saveit-backend has 1.5 cores, and the host has 2 cores, of which it keeps 0.5"
    )


@pytest.mark.parametrize("resource", ["memory", "cpu"])
def test_what_has_no_limit_is_not_given_one(conversation: Any, resource: str) -> None:
    look(conversation)
    limits(conversation)
    result = run(conversation, resource)
    assert (result.verdict, "saveit-backend has no " in result.sentence) == ("unchanged", True)


def test_what_does_not_run_is_left_alone(conversation: Any) -> None:
    look(conversation, "exited")
    assert run(conversation, "memory").verdict == "unchanged"


def test_a_limit_that_is_not_what_was_assessed_is_left_alone(conversation: Any) -> None:
    look(conversation)
    limits(conversation, 2048, 4096)
    result = run(conversation, "memory", assessed=[{"name": "saveit-backend", "memory_limit_mb": 1024.0}])
    assert result.verdict == "unchanged"
    assert "its memory limit is 2048 MiB now, and 1024 when it was assessed" in result.sentence


def test_somebody_else_who_changes_it_meanwhile_is_seen(conversation: Any) -> None:
    look(conversation)
    limits(conversation, cpus=0.5)
    conversation.expect(CORES, "4")
    limits(conversation, cpus=2)
    with pytest.raises(FailedError, match="somebody else has just changed it to 2"):
        run(conversation, "cpu")


def test_an_engine_that_agrees_and_does_nothing_is_seen(conversation: Any) -> None:
    look(conversation)
    limits(conversation, cpus=0.5)
    conversation.expect(CORES, "4")
    limits(conversation, cpus=0.5)
    conversation.expect(["docker", "update", "--cpus=0.75", "1"])
    limits(conversation, cpus=0.5)
    with pytest.raises(FailedError, match=r"to 0\.75 cores: the engine agreed, and it is 0\.5"):
        run(conversation, "cpu")


def test_the_engine_that_refuses_is_quoted(conversation: Any) -> None:
    look(conversation)
    limits(conversation, cpus=0.5)
    conversation.expect(CORES, "4")
    limits(conversation, cpus=0.5)
    conversation.expect(["docker", "update", "--cpus=0.75", "1"], stderr="Error response: no", rc=1)
    with pytest.raises(FailedError, match=r"cannot set the CPU cap of saveit-backend .*: Error response: no"):
        run(conversation, "cpu")


def test_it_is_put_back(conversation: Any) -> None:
    look(conversation)
    limits(conversation, 1536, 2560)
    free(conversation, 8000, used=500)
    limits(conversation, 1536, 2560)
    conversation.expect(["docker", "update", f"--memory={GIB}", f"--memory-swap={2 * GIB}", "1"])
    limits(conversation, 1024, 2048)
    result = run(conversation, "memory", put_back=[RAISED])
    assert (result.verdict, result.returned["ends_at"]) == ("put-back", "")
    assert result.sentence == "put back the memory limit of backend: saveit-backend from 1536 to 1024 MiB"


@pytest.mark.parametrize(
    ("now", "put_back", "reason"),
    [
        (
            1024,
            {**RAISED, "id": "0"},
            "was made anew since the raise, which ended it: its memory limit is the",
        ),
        (0, {**RAISED, "id": "0"}, "was made anew since the raise, which ended it: it has no memory limit"),
        (1024, RAISED, "saveit-backend has its old memory limit of 1024 MiB again"),
        (3000, RAISED, "saveit-backend has 3000 MiB, not the 1536 that were set"),
        (1536, {**RAISED, "name": "other"}, "nothing was changed on saveit-backend"),
    ],
)
def test_what_is_no_longer_in_force_is_not_put_back_and_the_reason_is_said(
    conversation: Any, now: int, put_back: dict[str, Any], reason: str
) -> None:
    look(conversation)
    limits(conversation, now, 2 * now)
    result = run(conversation, "memory", put_back=[put_back])
    assert (result.verdict, result.changed) == ("unchanged", False)
    assert reason in result.sentence


def test_it_is_not_put_back_while_that_would_kill(conversation: Any) -> None:
    look(conversation)
    limits(conversation, 1536, 2560)
    free(conversation, 8000, used=1000)
    result = run(conversation, "memory", put_back=[RAISED])
    assert result.verdict == "unchanged"
    assert (
        "uses 1000 MiB now, and the old limit of 1024 MiB would have processes of it killed"
        in result.sentence
    )


@pytest.mark.parametrize(
    "more",
    [{"raise_percent": 0}, {"raise_percent": 401}, {"maximum": -1}, {"minutes": 0}],
)
def test_a_number_that_is_none_is_said_before_anything_is_asked(
    conversation: Any, more: dict[str, Any]
) -> None:
    with pytest.raises(FailedError, match="cannot raise backend: "):
        run(conversation, "memory", **more)


@pytest.mark.parametrize("put_back", [{"name": "saveit-backend"}, {**RAISED, "before": "x"}])
def test_what_is_no_change_cannot_be_put_back(conversation: Any, put_back: dict[str, Any]) -> None:
    look(conversation)
    limits(conversation, 1536, 2560)
    with pytest.raises(FailedError, match="cannot put back the limit of saveit-backend"):
        run(conversation, "memory", put_back=[put_back])


@pytest.mark.parametrize("said", ["", "null", "[]", '{"Memory": "much"}'])
def test_an_answer_of_the_engine_that_is_none_is_said(conversation: Any, said: str) -> None:
    look(conversation)
    conversation.expect(INSPECT, said)
    with pytest.raises(FailedError, match="cannot read the limits of saveit-backend"):
        run(conversation, "memory")


@pytest.mark.parametrize("said", ["", "0", "many"])
def test_a_host_without_cores_is_said(conversation: Any, said: str) -> None:
    look(conversation)
    limits(conversation, cpus=0.5)
    conversation.expect(CORES, said)
    with pytest.raises(FailedError, match="cannot ask the Docker engine how many cores its host has"):
        run(conversation, "cpu")


@pytest.mark.parametrize(
    ("before", "options"),
    [
        (Limits(memory=GIB, swap=2 * GIB), [f"--memory={3 * GIB}", f"--memory-swap={4 * GIB}"]),
        (Limits(memory=GIB, swap=GIB), [f"--memory={3 * GIB}", f"--memory-swap={3 * GIB}"]),  # no swap
        (Limits(memory=GIB, swap=-1), [f"--memory={3 * GIB}", "--memory-swap=-1"]),
    ],
)
def test_the_room_for_swap_stays_as_it_was(before: Limits, options: list[str]) -> None:
    assert memory_options(before, 3 * GIB) == options


def test_the_cap_is_set_as_it_was_given() -> None:
    assert cpu_options(Limits(nano_cpus=500_000_000), 1.5) == ["--cpus=1.5"]
    assert cpu_options(Limits(quota=50_000), 1.5) == ["--cpu-quota=150000"]


@pytest.mark.parametrize(
    ("used", "limit", "bytes_used", "bytes_limit"),
    [
        ("950MiB", "1GiB", 950 * MIB, GIB),
        ("0B", "0B", 0, 0),
        ("1.5kB", "2GB", None, 2e9),  # the engine never says kB of memory
    ],
)
def test_docker_stats_is_understood(
    used: str, limit: str, bytes_used: float | None, bytes_limit: float
) -> None:
    told = parse_stats(json.dumps({"MemUsage": f"{used} / {limit}", "CPUPerc": "12.50%"}))
    assert (told["working_set"], told["limit"], told["cores"]) == (bytes_used, bytes_limit, 0.12)
