# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Redis server's answers mean: parsing and verdicts, without a connection.

One conversation, two carriers: `redis-cli` inside the container, or a direct connection. Both give the same
list of replies, in which an error keeps its code, as in `(error) LOADING Redis is loading the dataset in
memory`.
The error codes are those of https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Mapping, Sequence

ERROR = "(error) "
INFO_FIELD = re.compile(r"^[a-zA-Z0-9_.-]+:")
BARE_ERROR = re.compile(r"^[A-Z]+ ")  # redis-cli prints what answers INFO as it is, and so also an error
VERDICTS = ("healthy", "refused", "timeout", "loading", "misconf", "oom", "readonly", "auth", "slow", "error")
_BY_CODE = {
    "LOADING": "loading",
    "MISCONF": "misconf",
    "OOM": "oom",
    "READONLY": "readonly",
    "NOAUTH": "auth",
    "WRONGPASS": "auth",
    "NOPERM": "auth",
}


@dataclass(frozen=True)
class Answers:
    """What one conversation brought: replies by the name of the command, and how it ended.

    `ended` is "" when every command was answered, else "refused", "timeout" or "error", and `detail` the
    words for it.
    """

    replies: Mapping[str, str] = field(default_factory=dict)
    ended: str = ""
    detail: str = ""


def conversation(key: str, writes: bool, username: str, password: str) -> list[list[str]]:
    """The commands, in order. TIME before and after the reads tells the server's own view of the latency."""
    auth = [["AUTH", *([username] if username else []), password]] if password else []
    reads = [["TIME"], ["PING"], ["INFO", "memory"], ["INFO", "persistence"], ["INFO", "replication"]]
    roundtrip = [["SET", key, "1", "EX", "60"], ["GET", key], ["DEL", key]] if writes else []
    return [*auth, *reads, *roundtrip, ["TIME"]]


def names(commands: Sequence[Sequence[str]]) -> list[str]:
    """A name for each command's reply; the second TIME is "TIME 2"."""
    seen: list[str] = []
    for command in commands:
        name = " ".join(command[:2]) if command[0] == "INFO" else command[0]
        seen.append(f"{name} 2" if name in seen else name)
    return seen


def parse_cli(commands: Sequence[Sequence[str]], output: str) -> dict[str, str]:
    """The replies in what `redis-cli --no-raw` printed; only those that came.

    An INFO reply is a heading and its bare fields, any other one line, but for TIME, which is two.
    """
    lines = output.replace("\r", "").split("\n")
    replies: dict[str, str] = {}
    for name in names(commands):
        while lines and not lines[0].strip():
            lines.pop(0)
        if not lines:
            break
        taken = [lines.pop(0)]
        if not taken[0].startswith(ERROR):
            if name.startswith("INFO"):
                while lines and INFO_FIELD.match(lines[0]):
                    taken.append(lines.pop(0))
                if BARE_ERROR.match(taken[0]):
                    taken[0] = ERROR + taken[0]
            elif name.startswith("TIME") and lines:
                taken.append(lines.pop(0))
        replies[name] = "\n".join(taken)
    return replies


def parse_info(replies: Mapping[str, str]) -> dict[str, str]:
    """All fields of the INFO replies."""
    text = "\n".join(reply for name, reply in replies.items() if name.startswith("INFO"))
    return dict(
        line.split(":", 1) for line in text.split("\n") if ":" in line and not line.startswith((ERROR, "#"))
    )


def server_milliseconds(replies: Mapping[str, str]) -> float | None:
    """Mean time between two answers, by the server's clock; None when it did not tell."""
    stamps = [_microseconds(replies.get(name, "")) for name in ("TIME", "TIME 2")]
    between = list(replies)[list(replies).index("TIME") + 1 :] if "TIME" in replies else []
    if stamps[0] is None or stamps[1] is None or not between:
        return None
    return round((stamps[1] - stamps[0]) / 1000 / len(between), 3)


def _microseconds(reply: str) -> int | None:
    numbers = re.findall(r'"(\d+)"', reply)
    return int(numbers[0]) * 1_000_000 + int(numbers[1]) if len(numbers) == 2 else None


def verdict(answers: Answers, slow_milliseconds: float) -> tuple[str, str]:
    """One of VERDICTS, and the sentence why (it begins in the middle: "redis …")."""
    if answers.ended == "refused":
        return "refused", f"refuses connections: {answers.detail}"
    if answers.ended == "timeout":
        return "timeout", f"does not answer: {answers.detail}"
    if answers.ended:
        return "error", f"cannot be understood: {answers.detail}"
    for name, reply in answers.replies.items():
        if reply.startswith(ERROR):
            code = reply[len(ERROR) :].split(" ", 1)[0]
            word = _BY_CODE.get(code, "auth" if name == "AUTH" else "error")
            return word, f"answers {name} with {reply[len(ERROR) :]}"
    return _verdict_of_info(parse_info(answers.replies)) or _verdict_of_speed(
        answers.replies, slow_milliseconds
    )


def _verdict_of_info(info: Mapping[str, str]) -> tuple[str, str] | None:
    """What INFO gives away without a write: a replica, a full memory.

    (A failed save shows in PING itself.)
    """
    if info.get("role") == "slave" and info.get("slave_read_only", "1") == "1":
        primary = f"{info.get('master_host', '?')}:{info.get('master_port', '?')}"
        link = info.get("master_link_status", "unknown")
        return (
            "readonly",
            f"is a read-only replica of {primary} (link {link}): writes are refused with READONLY",
        )
    limit, used = _number(info, "maxmemory"), _number(info, "used_memory")
    counted = used - _number(info, "mem_not_counted_for_evict")
    if limit and counted >= limit and info.get("maxmemory_policy") == "noeviction":
        return (
            "oom",
            f"is out of memory: {counted} bytes used of maxmemory {limit}, policy noeviction; "
            "writes fail with OOM",
        )
    return None


def _number(info: Mapping[str, str], name: str) -> int:
    text = info.get(name, "")
    return int(text) if text.isdigit() else 0


def _verdict_of_speed(replies: Mapping[str, str], slow_milliseconds: float) -> tuple[str, str]:
    took = server_milliseconds(replies)
    speed = "" if took is None else f", {took:g} ms a command"
    if took is not None and took > slow_milliseconds:
        return "slow", f"answers slowly{speed} (more than {slow_milliseconds:g} ms)"
    return "healthy", f"answers{speed}"


def roundtrip(replies: Mapping[str, str]) -> bool | None:
    """Did a key of our own go in and come back? None when it was not tried."""
    if "SET" not in replies:
        return None
    return replies["SET"] == "OK" and replies.get("GET") == '"1"' and replies.get("DEL") == "(integer) 1"
