"""redis-cli in a pod: a server that its own commands put into a state, with the words of a recorded one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from standin.world import Executed

RECORDED = Path(__file__).resolve().parents[2] / "fixtures" / "redis-cli-7.0"
WITH_VALUE = ("-h", "-p")  # options
LOADS = 3  # conversations in which it still loads
# What refuses which commands, and the recording that has its words.
STATES = {
    "NOAUTH": ("noauth.txt", ("TIME", "PING", "INFO", "SET", "GET", "DEL")),
    "LOADING": ("loading.txt", ("PING", "SET", "GET", "DEL")),
    "MISCONF": ("misconf_reads.txt", ("PING", "SET", "DEL")),
    "READONLY": ("readonly_writes.txt", ("SET", "DEL")),
    "OOM": ("oom_writes.txt", ("SET",)),
}
HEALTHY = "healthy_reads.txt"


def cli(state: dict[str, Any], behaviour: str, words: Sequence[str], stdin: str) -> Executed:
    """One conversation: the commands of the input, or that of the arguments."""
    arguments = list(words[1:])
    is_raw = "--no-raw" not in arguments
    while arguments and arguments[0].startswith("-"):
        arguments = arguments[2 if arguments[0] in WITH_VALUE else 1 :]
    if behaviour == "loading":
        state["loads"] = state.get("loads", LOADS) - 1
    said = ""
    for command in [arguments] if arguments else [shlex.split(line) for line in stdin.splitlines()]:
        if state.get("paused"):
            return Executed(0, said, stays=True)
        said += _shown(_reply(state, command), is_raw)
    return Executed(0, said)


def _reply(state: dict[str, Any], command: Sequence[str]) -> str:
    verb, rest = command[0].upper(), [each.lower() for each in command[1:]]
    code = _code(state)
    file, refused = STATES.get(code, (HEALTHY, ()))
    if verb in refused:
        line = re.search(rf"^(?:\(error\) )?({code} .*)$", (RECORDED / file).read_text(), re.MULTILINE)
        assert line, f"{file} has no {code}"
        return f"{'' if verb == 'INFO' else '(error) '}{line[1]}\n"
    if verb == "CONFIG" and rest[0] == "set":
        state[rest[1]] = rest[2]
    elif verb == "CLIENT" and rest[0] == "pause":
        state["paused"] = True
    elif verb == "REPLICAOF":
        state["primary"] = rest
    elif verb == "INFO":
        return _section(file, rest[0])
    elif verb not in ANSWERS:
        return f"(error) ERR unknown command '{command[0]}'\n"
    return ANSWERS.get(verb, "OK\n")


ANSWERS = {
    "TIME": '1) "1795426189"\n2) "379081"\n',
    "PING": "PONG\n",
    "SET": "OK\n",
    "GET": '"1"\n',
    "DEL": "(integer) 1\n",
}


def _code(state: dict[str, Any]) -> str:
    """What keeps it from serving."""
    if state.get("requirepass"):
        return "NOAUTH"
    if state.get("loads", 0) > 0:
        return "LOADING"
    if state.get("save") and state.get("dir") == "/proc":
        return "MISCONF"
    if state.get("primary"):
        return "READONLY"
    return "OOM" if state.get("maxmemory", "0") != "0" else ""


def _section(file: str, name: str) -> str:
    text = (RECORDED / file).read_text()
    if file == "noauth.txt":
        return ""
    found = re.search(rf"^# {name}\n(?:[a-z_0-9]+:.*\n)+", text, re.MULTILINE | re.IGNORECASE)
    return found[0] if found else ""


def _shown(reply: str, is_raw: bool) -> str:
    """As for a person, or bare: an error has an empty line after it then."""
    if not is_raw:
        return reply
    if reply.startswith("(error) "):
        return reply.removeprefix("(error) ") + "\n"
    return re.sub(r'^(?:\d+\) |\(integer\) )?"?([^"\n]*)"?$', r"\1", reply, flags=re.MULTILINE)
