"""What commands in containers do: the programs of the real images, as far as tests need them.

A shell runs only scripts of harmless words, because it runs on the machine of the tests.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from standin.kinds import Json
from standin.world import Executed

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
HARMLESS = ("cat", "echo", "exit", "false", "id", "printf", "sleep", "true")
LONGEST = 20  # seconds
DEBUG = "debug"  # the container of `saveit-remediate debug`, whose checks of the network harm nothing


def play(pod: Json, command: Sequence[str], stdin: str) -> Executed | None:
    """None: the container has no such program."""
    words = _bare(list(command))
    name = os.path.basename(words[0]) if words else ""
    container = pod["spec"]["containers"][0]["name"]
    if name == "sh" and container == DEBUG and words[1:] == ["-s"]:
        return _real(["/bin/sh", "-s"], stdin, os.environ.get("PATH", ""))
    if name == "sh":
        return _shell(words, stdin)
    if name in HARMLESS and name != "exit":
        return _real(words, stdin)
    program = PROGRAMS.get((container, name))
    if program is not None:
        return program(words, stdin)
    if len(words) < len(command):  # `timeout` and `env` say it themselves
        return Executed(127, "", f"{command[0]}: failed to run command '{name}': No such file or directory\n")
    return None


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


def _redis_cli(words: Sequence[str], stdin: str) -> Executed:
    """Line by line, from what a real one said."""
    recorded = (FIXTURES / "redis-cli-7.0" / "healthy_reads.txt").read_text()
    sections = {
        found[1].lower(): found[0]
        for found in re.finditer(r"^# (\w+)\n(?:[a-z_0-9]+:.*\n)+", recorded, re.MULTILINE)
    }
    after = [each for each in words[1:] if each.isupper()]
    said = []
    for line in stdin.splitlines() or [" ".join(after)]:
        verb, _, rest = line.partition(" ")
        reply = {
            "TIME": '1) "1795426189"\n2) "379081"\n',
            "PING": "PONG\n",
            "SET": "OK\n",
            "GET": '"1"\n',
            "DEL": "(integer) 1\n",
            "INFO": sections.get(rest.strip().lower(), ""),
        }.get(verb.upper())
        said.append(f"(error) ERR unknown command '{verb}'\n" if reply is None else reply)
    return Executed(0, "".join(said))


def _mosquitto_client(words: Sequence[str], _stdin: str) -> Executed:
    """A message of one's own that comes back, or a subscription alone."""
    return Executed(0, "1\n" if words[0] == "mosquitto_rr" else "")


def _psql(_words: Sequence[str], stdin: str) -> Executed:
    if "pg_stat_activity" in stdin and "'about'" in stdin:
        return Executed(0, (FIXTURES / "postgresql-15.18" / "healthy.json").read_text())
    if stdin.strip().rstrip(";").lower() == "select 1":
        return Executed(0, "1\n")
    return Executed(3, "", "ERROR:  the stand-in does not play this statement\n")


def _python(words: Sequence[str], _stdin: str) -> Executed:
    if "app.core.database" in " ".join(words):
        return Executed(0, "<sqlalchemy.engine.base.Connection object at 0x7f0000000000>\n")
    return Executed(1, "", "the stand-in does not play this program\n")


PROGRAMS: dict[tuple[str, str], Callable[[Sequence[str], str], Executed]] = {
    ("redis", "redis-cli"): _redis_cli,
    ("postgres", "psql"): _psql,
    ("mosquitto", "mosquitto_rr"): _mosquitto_client,
    ("mosquitto", "mosquitto_sub"): _mosquitto_client,
    ("backend", "python"): _python,
    ("backend", "python3"): _python,
}
