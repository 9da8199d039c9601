"""What commands in containers do: the programs of the real images, as far as tests need them.

A shell runs only scripts of harmless words, because it runs on the machine of the tests.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

import breaking
from standin import postgres, redis
from standin.kinds import Json
from standin.states import behaviour_of
from standin.world import Executed, World

HARMLESS = ("cat", "echo", "exit", "false", "id", "printf", "sleep", "true")
LONGEST = 20  # seconds
TIMED_OUT = 124  # of timeout(1)
DEBUG = "debug"  # the container of `saveit-remediate debug`, whose checks of the network harm nothing


def play(world: World, pod: Json, command: Sequence[str], stdin: str) -> Executed | None:
    """None: the container has no such program."""
    words = _bare(list(command))
    name = os.path.basename(words[0]) if words else ""
    container = pod["spec"]["containers"][0]["name"]
    program = PROGRAMS.get((container, name))
    done = program(world, pod, words, stdin) if program is not None else None
    if done is None and name == "sh" and container == DEBUG and words[1:] == ["-s"]:
        return _real(["/bin/sh", "-s"], stdin, os.environ.get("PATH", ""))
    if done is None and name == "sh":
        return _shell(words, stdin)
    if done is None and name in HARMLESS and name != "exit":
        done = _real(words, stdin)
    if done is None and len(words) < len(command):  # `timeout` and `env` say it themselves
        said = f"{command[0]}: failed to run command '{name}': No such file or directory\n"
        return Executed(127, "", said)
    if done is not None and done.stays and command[0] == "timeout":
        return Executed(TIMED_OUT, done.stdout, done.stderr)
    return done


def _bare(words: list[str]) -> list[str]:
    """Without `timeout N` and `env A=B` before it."""
    if words[:1] == ["timeout"]:
        words = words[2:]
    if words[:1] == ["env"]:
        words = words[1:]
        while words and "=" in words[0]:
            words = words[1:]
    return words


def _shell(words: Sequence[str], stdin: str) -> Executed:
    if len(words) < 3 or words[1] != "-c":
        return Executed(2, "", "the stand-in plays only sh -c\n")
    for part in re.split(r"[;\n]|&&|\|\|", words[2]):
        first = part.split()[0] if part.split() else "true"
        if first not in HARMLESS or re.search(r"[`$|<]|>(?!&2)|&(?!2)", part):
            return Executed(127, "", f"sh: 1: {first}: not found\n")
    return _real(["/bin/sh", *words[1:]], stdin)


def _real(words: Sequence[str], stdin: str, path: str = "/usr/bin:/bin") -> Executed:
    try:
        done = subprocess.run(
            list(words),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
            env={"PATH": path},
        )
    except subprocess.TimeoutExpired:
        return Executed(stays=True)
    return Executed(done.returncode, done.stdout, done.stderr)


def _state(world: World, pod: Json) -> dict[str, Any]:
    """Of what runs in the pod's first container now: a new start has a new one."""
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    run = (pod["metadata"]["uid"], statuses[0].get("restartCount", 0))
    return world.inside.setdefault(run, {})


def _redis_cli(world: World, pod: Json, words: Sequence[str], stdin: str) -> Executed:
    return redis.cli(_state(world, pod), behaviour_of(pod), words, stdin)


def _psql(world: World, pod: Json, _words: Sequence[str], stdin: str) -> Executed:
    return postgres.psql(_state(world, pod), stdin)


def _shell_of_postgres(world: World, pod: Json, words: Sequence[str], _stdin: str) -> Executed | None:
    return postgres.shell(_state(world, pod), words)


def _shell_of_backend(world: World, pod: Json, words: Sequence[str], _stdin: str) -> Executed | None:
    """A line that is written to the output of its first process."""
    if words[1:] != ["-c", breaking.LEAK_POOL]:
        return None
    container = pod["spec"]["containers"][0]["name"]
    line = words[2].partition("echo ")[2].partition(" >")[0].replace("'", "")
    world.runs[pod["metadata"]["uid"], container][-1].say(line)
    return Executed()


def _mosquitto_client(world: World, pod: Json, words: Sequence[str], _stdin: str) -> Executed:
    """A message of one's own that comes back, or a subscription alone."""
    settings = world.store.get("configmaps", pod["metadata"]["namespace"], "saveit-mosquitto")
    name = os.path.basename(words[0])
    if settings and "allow_anonymous false" in settings["data"]["mosquitto.conf"]:
        refused = {"mosquitto_rr": (135, "Not authorized")}
        code, why = refused.get(name, (5, "Connection Refused: not authorised."))
        return Executed(code, "", f"Connection error: {why}\n")
    return Executed(0, "1\n" if name == "mosquitto_rr" else "")


def _python(_world: World, _pod: Json, words: Sequence[str], stdin: str) -> Executed:
    if "REDIS_URL" in words:  # of a managed one, which is well
        return redis.cli({}, "", ["redis-cli", "--no-raw"], stdin)
    if "app.core.database" in " ".join(words):
        return Executed(0, "<sqlalchemy.engine.base.Connection object at 0x7f0000000000>\n")
    if "NOT_SET" in words:
        return Executed(9)
    return Executed(1, "", "the stand-in does not play this program\n")


Program = Callable[[World, Json, Sequence[str], str], "Executed | None"]
PROGRAMS: dict[tuple[str, str], Program] = {
    ("redis", "redis-cli"): _redis_cli,
    ("postgres", "psql"): _psql,
    ("postgres", "sh"): _shell_of_postgres,
    ("mosquitto", "mosquitto_rr"): _mosquitto_client,
    ("mosquitto", "mosquitto_sub"): _mosquitto_client,
    ("backend", "python"): _python,
    ("backend", "python3"): _python,
    ("backend", "sh"): _shell_of_backend,
}
