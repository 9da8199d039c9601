# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the network from inside a pod: which ones, the command that makes them, and what it said. Pure.

The image need have no more than a POSIX shell and python3, or else a tool for each kind of check; what it has
is tried there.
"""

from __future__ import annotations

import shlex
from typing import Any, Mapping, NamedTuple, Sequence
from urllib.parse import urlsplit

COLUMNS = ("check", "target", "answer", "took (ms)", "what was seen")
OK, FAILED, NO_TOOL = "ok", "failed", "no tool"

# Each check is one word: KIND|ARGUMENT…; each answer a line: number, answer, milliseconds, words, with tabs.
_PYTHON = r"""
import os, socket, sys, threading, time, urllib.error, urllib.request
limit = float(sys.argv[1])

def dns(name):
    found = socket.getaddrinfo(name, None, proto=socket.IPPROTO_TCP)
    return " ".join(sorted({each[4][0] for each in found}))

def tcp(host, port):
    with socket.create_connection((host, int(port)), limit):
        return "connected"

def http(url):
    try:
        with urllib.request.build_opener().open(url, timeout=limit) as answer:
            return "HTTP %d" % answer.status
    except urllib.error.HTTPError as error:
        raise OSError("HTTP %d" % error.code)

def check(number, word):
    kind, *arguments = word.split("|")
    began = time.monotonic()
    try:
        answer, words = "ok", {"dns": dns, "tcp": tcp, "http": http}[kind](*arguments)
    except (OSError, ValueError) as error:
        answer, words = "failed", str(getattr(error, "reason", "") or error)
    took = (time.monotonic() - began) * 1000
    sys.stdout.write("%d\t%s\t%.1f\t%s\n" % (number, answer, took, " ".join(words.split())))
    sys.stdout.flush()

threads = [threading.Thread(target=check, args=each, daemon=True) for each in enumerate(sys.argv[2:])]
for each in threads:
    each.start()
ends = time.monotonic() + 2 * limit
for each in threads:
    each.join(max(0, ends - time.monotonic()))
os._exit(0)
"""
_SHELL = r"""
has() { command -v "$1" >/dev/null 2>&1; }
dns() {
  if has getent; then getent hosts "$1" | cut -d' ' -f1
  elif has nslookup; then nslookup "$1" 2>&1 | tail -n 3
  else return 99; fi
}
tcp() {
  if has nc; then nc -z -w "$limit" "$1" "$2" 2>&1 && echo connected
  elif has bash && has timeout; then timeout "$limit" bash -c ": </dev/tcp/$1/$2" 2>&1 && echo connected
  else return 99; fi
}
http() {
  if has curl; then curl -sS -f -m "$limit" -o /dev/null -w 'HTTP %{http_code}' "$1" 2>&1
  elif has wget; then wget -q -T "$limit" -O /dev/null "$1" 2>&1 && echo 'HTTP 200'
  else return 99; fi
}
check() {
  number=$1 kind=${2%%|*} words=${2#*|}
  case $kind in tcp) said=$(tcp "${words%|*}" "${words##*|}") ;; *) said=$($kind "$words") ;; esac
  case $? in 0) answer=ok ;; 99) answer='no tool' ;; *) answer=failed ;; esac
  [ "$kind" != dns ] || [ "$answer" != ok ] || [ -n "$said" ] || answer=failed
  [ "$kind" != dns ] || [ -n "$said" ] || said='no such name'
  printf '%s\t%s\t-\t%s\n' "$number" "$answer" "$(printf %s "$said" | tr '\n\t' '  ')"
}
all() {
  for tool in python3 python; do
    if "$tool" -c 'import sys; sys.exit(sys.version_info < (3,))' 2>/dev/null; then
      exec "$tool" -c "$python" "$limit" "$@" </dev/null
    fi
  done
  number=0
  for each; do check "$number" "$each" </dev/null & number=$((number + 1)); done
  wait
  exit 0 # standard input may stay open
}
"""


class Check(NamedTuple):
    """One check: dns, tcp or http."""

    kind: str
    target: str

    @property
    def word(self) -> str:
        """As the script takes it."""
        host, _colon, port = self.target.rpartition(":")
        return f"tcp|{host.strip('[]')}|{port}" if self.kind == "tcp" else f"{self.kind}|{self.target}"


def checks_of(
    services: Sequence[Mapping[str, Any]],
    service_names: Mapping[str, str],
    paths: Mapping[str, str],
    addresses: Sequence[str],
) -> list[Check]:
    """The name and each TCP port of every Service, the health endpoint where there is one, and addresses.

    paths has the path of a health endpoint by the runbooks' name of a service; an address is HOST, HOST:PORT
    or a URL.
    """
    found: list[Check] = []
    for each in sorted(services, key=lambda one: str(one["metadata"]["name"])):
        found += _of_service(each, service_names, paths)
    for address in addresses:
        found += _of_address(address)
    return list(dict.fromkeys(found))


def _of_service(
    service: Mapping[str, Any], service_names: Mapping[str, str], paths: Mapping[str, str]
) -> list[Check]:
    name = service["metadata"]["name"]
    ports = [each for each in service["spec"].get("ports") or [] if each.get("protocol", "TCP") == "TCP"]
    checks = [Check("dns", name), *(Check("tcp", f"{name}:{each['port']}") for each in ports)]
    labelled = (service["metadata"].get("labels") or {}).get("app.kubernetes.io/name")
    for known, path in paths.items():
        workload = str(service_names.get(known, known)).rpartition("/")[2]
        if ports and workload in (name, labelled):
            port = next((each for each in ports if each.get("name") == "http"), ports[0])["port"]
            checks.append(Check("http", f"http://{name}:{port}{path}"))
    return checks


def _of_address(address: str) -> list[Check]:
    if "://" in address:
        parts = urlsplit(address)
        host = parts.hostname or ""
        known = parts.port or (443 if parts.scheme == "https" else 80)
        return [*_names(host), Check("tcp", f"{host}:{known}"), Check("http", address)]
    host, _colon, port = address.rpartition(":")
    if not host or not port.isdigit():
        return _names(address)
    return [*_names(host.strip("[]")), Check("tcp", address)]


def _names(host: str) -> list[Check]:
    """A name is asked for; an address is none."""
    return [] if ":" in host or host.replace(".", "").isdigit() else [Check("dns", host)]


def script_of(checks: Sequence[Check], limit: float) -> str:
    """What a shell in the pod reads from its standard input: all at once, `limit` seconds for each.

    Not as an argument: arguments of an exec are part of a URL, and a proxy may cut a long one.
    """
    words = shlex.join(each.word for each in checks)
    return f"python={shlex.quote(_PYTHON)}\nlimit={limit:g}\n{_SHELL}\nall {words}\n"


def rows_of(checks: Sequence[Check], stdout: str, limit: float) -> list[list[Any]]:
    """A row for each check; one that said nothing had no answer in time."""
    said: dict[int, list[str]] = {}
    for line in stdout.splitlines():
        place, _tab, rest = line.partition("\t")
        if place.isdigit():
            said[int(place)] = rest.split("\t", 2)
    rows: list[list[Any]] = []
    for number, check in enumerate(checks):
        answer, took, words = (*said.get(number, [FAILED, "-", f"no answer within {limit:g} s"]), "", "")[:3]
        rows.append([check.kind, check.target, answer, _number(took), words or None])
    return rows


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
