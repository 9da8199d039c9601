"""What the kernel counts: recordings of version 1, and version 2 as the kernel's documentation has it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._cgroup import COMMAND, Reading, parse

GIB = 1 << 30
HOST = """\
/sys/devices/system/cpu/online:0-3,6
/proc/uptime:1000.50 3000.00
/proc/meminfo:MemTotal:        8388608 kB
/proc/meminfo:MemAvailable:    4194304 kB
"""
# https://docs.kernel.org/admin-guide/cgroup-v2.html
VERSION_2 = f"""\
/sys/fs/cgroup/memory.current:900000000
/sys/fs/cgroup/memory.max:1073741824
/sys/fs/cgroup/memory.stat:anon 700000000
/sys/fs/cgroup/memory.stat:inactive_file 100000000
/sys/fs/cgroup/memory.events:low 0
/sys/fs/cgroup/memory.events:high 0
/sys/fs/cgroup/memory.events:max 93
/sys/fs/cgroup/memory.events:oom 7
/sys/fs/cgroup/memory.events:oom_kill 5
/sys/fs/cgroup/memory.events:oom_group_kill 0
/sys/fs/cgroup/cpu.stat:usage_usec 12500000
/sys/fs/cgroup/cpu.stat:user_usec 12000000
/sys/fs/cgroup/cpu.stat:nr_periods 300
/sys/fs/cgroup/cpu.stat:nr_throttled 42
/sys/fs/cgroup/cpu.max:50000 100000
{HOST}"""


def test_version_2_is_read() -> None:
    assert parse(VERSION_2) == Reading(
        at=1000.5,
        used=900_000_000,
        inactive_file=100_000_000,
        limit=GIB,
        oom_kills=5,
        cpu_seconds=12.5,
        throttled=42,
        period=0.1,
        cores=0.5,
        host_cores=5,
        host_memory=8 * GIB,
        host_available=4 * GIB,
    )


def test_version_1_is_read(fixtures: Path) -> None:
    reading = parse((fixtures / "cgroup-v1-linux-6.18/rest.txt").read_text("utf-8"))
    assert reading == Reading(
        at=12507.89,
        used=47169536,
        inactive_file=12288,
        limit=GIB,
        oom_kills=0,
        cpu_seconds=1.273228339,
        throttled=0,
        period=0.1,
        cores=1.0,
        host_cores=2,
        host_memory=24684096 * 1024,
        host_available=21398784 * 1024,
    )


def test_kills_of_worker_processes_are_counted(fixtures: Path) -> None:
    assert (parse((fixtures / "cgroup-v1-linux-6.18/oom.txt").read_text("utf-8")).oom_kills or 0) > 3


def test_the_working_set_is_without_what_the_kernel_takes_back() -> None:
    assert parse(VERSION_2).working_set == 800_000_000
    assert Reading(used=10, inactive_file=20).working_set == 0
    assert Reading(used=10).working_set == 10
    assert Reading(inactive_file=10).working_set is None


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (VERSION_2.replace("memory.max:1073741824", "memory.max:max"), "limit"),
        (VERSION_2.replace("cpu.max:50000", "cpu.max:max"), "cores"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes:9223372036854771712\n", "limit"),
        (
            "/sys/fs/cgroup/cpu/cpu.cfs_quota_us:-1\n/sys/fs/cgroup/cpu/cpu.cfs_period_us:100000\n",
            "cores",
        ),
    ],
)
def test_no_limit_is_zero_and_not_no_data(text: str, field: str) -> None:
    assert getattr(parse(text), field) == 0


@pytest.mark.parametrize("text", ["", "grep: not found", "a: b\n\n:::\n", "/proc/uptime:\n/proc/meminfo:x\n"])
def test_what_is_not_there_is_no_data(text: str) -> None:
    assert parse(text) == Reading()


@pytest.mark.parametrize("line", VERSION_2.splitlines())
def test_a_line_that_is_cut_off_costs_no_more_than_its_own_field(line: str) -> None:
    whole, cut = parse(VERSION_2), parse(VERSION_2.replace(line, line.partition(":")[0] + ":?"))
    changed = [each.name for each in fields(Reading) if getattr(whole, each.name) != getattr(cut, each.name)]
    assert len(changed) <= 2, changed  # the period of the scheduler is in two
    assert all(getattr(cut, name) is None for name in changed)


def test_one_command_reads_all_and_writes_nothing() -> None:
    assert COMMAND[:3] == ("grep", "-sH", "")
    assert all(file.startswith(("/sys/", "/proc/")) for file in COMMAND[3:])
