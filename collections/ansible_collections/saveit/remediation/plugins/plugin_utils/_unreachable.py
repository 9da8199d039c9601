# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a host cannot be reached, in one sentence, from what ssh said and the options of the connection."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Mapping, NamedTuple


class Option(NamedTuple):
    """An option of the connection, and where it was said; both are empty when nobody said it."""

    value: str = ""
    origin: str = ""

    @property
    def said(self) -> str:
        """In parentheses, for the end of a clause."""
        return f" ({self.origin})" if self.origin else ""


@dataclass(frozen=True)
class Way:
    """How the host was to be reached: host, port, user, key and timeout."""

    options: Mapping[str, Option]
    key_is_locked: bool = False  # by a passphrase

    def __getitem__(self, name: str) -> Option:
        return self.options.get(name, Option())

    @property
    def words(self) -> str:
        """The attempt, as in `ssh to deploy@staging port 22`."""
        user = f"{self['user'].value}@" if self["user"].value else ""
        port = f" port {self['port'].value}" if self["port"].value else ""
        return f"ssh to {user}{self['host'].value}{port}"

    @property
    def command(self) -> str:
        """What a person types to try it."""
        port = f"-p {self['port'].value} " if self["port"].value else ""
        user = f"{self['user'].value}@" if self["user"].value else ""
        return f"ssh {port}{user}{self['host'].value}"


def explain(said: str, way: Way) -> str:
    """What was attempted, what happened, where the value came from, what to try."""
    for pattern, tell in _CAUSES:
        match = re.search(pattern, said)
        if match:
            return f"{way.words}: {tell(match, said, way)}"
    return f"{way.words}: {_last_line(said)}; try: {way.command}"


def no_command(said: str, rc: int, way: Way) -> str:
    """The host let us in, and its login shell did not run what we asked for."""
    words = f"said {_last_line(said)!r} and " if said.strip() else ""
    return (
        f"{way.words}: the login shell ran no command: it {words}ended with {rc}; "
        f"give the user{way['user'].said} a shell that runs commands, and try: {way.command} true"
    )


def no_answer(seconds: float, way: Way) -> str:
    """The host let us in, and nothing came back."""
    return (
        f"{way.words}: a command was not answered within {seconds:g} s; "
        f"does the login shell wait for something, or a file system hang? try: {way.command} true"
    )


def _changed_key(match: re.Match[str], said: str, way: Way) -> str:
    del match
    shown = re.search(r"fingerprint for the (\S+) key[^:]*?(SHA256:\S+[^.\s])", said, re.DOTALL)
    file = re.search(r"^Offending \S+ key in (.+?)\s*$", said, re.MULTILINE)
    remove = re.search(r"^\s*(ssh-keygen -f .+?)\s*$", said, re.MULTILINE)
    forget = remove[1] if remove else f"ssh-keygen -R {way['host'].value}"
    shows = f"it shows {shown[1]} {shown[2]}, and " if shown else ""
    return (
        f"its host key has changed: {shows}{file[1] if file else 'known_hosts'} has another one; the host "
        "was made anew, or something else answers in its place; compare with the fingerprint that its own "
        f"console shows, and only if it is right, forget the old one: {forget}"
    )


def _unknown_key(match: re.Match[str], said: str, way: Way) -> str:
    del match, said
    return (
        f"its host key is not known here{way['host'].said}, and nobody is asked to accept it; "
        f"compare the fingerprint with that on its own console, and accept it by hand once: {way.command}"
    )


def _refused_login(match: re.Match[str], said: str, way: Way) -> str:
    key, user = way["key"], way["user"]
    lost = re.search(r"no such identity: (.+?): No such file", said)
    open_ = re.search(r'Load key "(.+?)": bad permissions', said)
    if lost:
        return f"the key {lost[1]} does not exist{key.said}; name one that the host takes"
    if open_:
        return f"the key {open_[1]} is ignored{key.said}, as others may read it; try: chmod 600 {open_[1]}"
    if way.key_is_locked:
        return (
            f"the key {key.value} needs a passphrase{key.said}, and nobody is here to type it; "
            f"load it first: ssh-add {key.value}"
        )
    with_key = f"with the key {key.value}{key.said}" if key.value else "with the keys of this machine"
    prompt = ", and nobody is here to type one" if "password" in match[1] else ""
    return (
        f"the user {user.value or 'of this machine'} was refused{user.said} {with_key}; "
        f"the host takes {match[1].replace(',', ', ')}{prompt}; "
        "add the key to the user's authorized_keys there, or name another one (ansible_ssh_private_key_file)"
    )


def _unknown_name(match: re.Match[str], said: str, way: Way) -> str:
    del said
    return (
        f"no address is known for this name{way['host'].said}: {match[1].strip()}; "
        "is it spelled right, and does this machine's name service know it?"
    )


def _refused_connection(match: re.Match[str], said: str, way: Way) -> str:
    del match, said
    where = way["port"].said or way["host"].said
    return f"Connection refused{where}: nothing listens there; does sshd run, and is the port right?"


def _silence(match: re.Match[str], said: str, way: Way) -> str:
    del match, said
    limit = way["timeout"]
    return (
        f"no answer within {limit.value} s{limit.said or ' (ansible_timeout)'}; "
        f"is the host up, is the address right{way['host'].said}, and does a firewall let us through?"
    )


def _no_route(match: re.Match[str], said: str, way: Way) -> str:
    del said
    return f"{match[0]}; is the address right{way['host'].said}, and is this machine's network up?"


_CAUSES = (
    (r"REMOTE HOST IDENTIFICATION HAS CHANGED", _changed_key),
    (r"host key is known for|Host key verification failed", _unknown_key),
    (r"Permission denied \(([\w,-]+)\)", _refused_login),
    (r"Could not resolve hostname [^\n:]*:([^\n]*)", _unknown_name),
    (r"Connection refused", _refused_connection),
    (r"timed out", _silence),
    (r"No route to host|Network is unreachable", _no_route),
)


def _last_line(said: str) -> str:
    """What comes last is the reason; before it there may be a banner."""
    said = said.partition("via ssh:")[2] if "via ssh:" in said else said  # Ansible's own words
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "ssh said nothing"
