# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a PostgreSQL server's answers mean: words for its refusals, counts of its sessions. No connection
here.

Servers refuse before a session exists, so libpq gives the refusal as text and without its SQLSTATE. Texts of
PostgreSQL 12 to 17: https://www.postgresql.org/docs/current/errcodes-appendix.html and
src/backend/postmaster.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

VERDICTS = ("healthy", "refused", "timeout", "starting", "auth", "slots", "readonly", "slow", "error")
IDLE_IN_TRANSACTION = ("idle in transaction", "idle in transaction (aborted)")
SHOWN_QUERY = 120

# The first that fits. "shutting down" is a server that soon refuses; "recovery mode" is one after a crash.
_REFUSALS = (
    ("slots", r"too many clients|connection slots are reserved|too many connections for"),
    ("starting", r"is starting up|in recovery mode|not yet accepting connections|consistent recovery state"),
    ("auth", r"password authentication failed|no password supplied|password supplied|pg_hba\.conf"),
    (
        "auth",
        r"(peer|ident|gssapi|certificate|ldap|pam|radius) authentication failed|not permitted to log in",
    ),
    ("auth", r"role \"[^\"]*\" does not exist|permission denied for database"),
    (
        "refused",
        r"connection refused|no such file or directory|is shutting down|could not translate host name",
    ),
    ("refused", r"no route to host|network is unreachable|name or service not known|failed to resolve"),
    ("timeout", r"timeout expired|connection timeout|timed out|statement timeout|no answer within"),
)
_BY_SQLSTATE = {
    "53300": "slots",
    "57P03": "starting",
    "28P01": "auth",
    "28000": "auth",
    "57014": "timeout",
    "57P01": "refused",
}
# Of libpq, after its complaint.
_ADVICE = (
    "Is the server running",
    "Multiple connection attempts failed",
    "This probably means the server terminated",
    "before or while processing the request",
)
_POOL = re.compile(r"QueuePool limit|pool exhausted|PoolTimeout|couldn't get a connection", re.IGNORECASE)
_LITERAL = re.compile(r"'(?:[^']|'')*'?|\$(\w*)\$.*?(?:\$\1\$|$)|\b\d+(?:\.\d+)?\b", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """The document that a statement brought, or how it ended: one of VERDICTS, and the words for it."""

    document: Mapping[str, Any] | None = None
    ended: str = ""
    detail: str = ""


def read_document(text: str) -> Answer:
    """The JSON document in what a carrier brought."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict) or "about" not in value or "sessions" not in value:
        return Answer(ended="error", detail=f"it answered with something else: {text[:80]!r}")
    return Answer(value)


def refusal(text: str, sqlstate: str = "") -> str:
    """One of VERDICTS for what a server or libpq said."""
    if sqlstate in _BY_SQLSTATE:
        return _BY_SQLSTATE[sqlstate]
    for word, pattern in _REFUSALS:
        if re.search(pattern, text, re.IGNORECASE):
            return word
    return "error"


def complaint(line: str) -> str:
    """What a client's log line tells about its database: pool, slots, auth, …, or "" when nothing known."""
    if _POOL.search(line):
        return "pool"
    word = refusal(line)
    return "" if word == "error" else word


def last_words(text: str) -> str:
    """The server's own sentence in what psql or libpq said, which puts the connection in front of it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(_ADVICE)] or lines
    said = [line for line in lines if re.search(r"\b(FATAL|ERROR|PANIC):", line)] or lines
    return re.sub(r"^.*?\b(FATAL|ERROR|PANIC):\s+", r"\1: ", said[-1]) if said else "no word"


@dataclass(frozen=True)
class Slots:
    """How full the server is. `reserved` are the slots that ordinary roles do not get."""

    used: int
    maximum: int
    reserved: int

    @property
    def percent(self) -> float:
        """Used of all slots."""
        return round(100 * self.used / self.maximum, 1) if self.maximum else 0.0

    @property
    def exhausted(self) -> bool:
        """Would an ordinary client be refused?"""
        return self.used >= self.maximum - self.reserved

    def word(self, limit_percent: float) -> str:
        """free, high or exhausted."""
        return "exhausted" if self.exhausted else "high" if self.percent > limit_percent else "free"

    def __str__(self) -> str:
        return f"{self.used} of {self.maximum} slots used ({self.percent:g} %, {self.reserved} reserved)"


def slots(document: Mapping[str, Any]) -> Slots:
    """Counted without our own session. `reserved_connections` came with PostgreSQL 16 and is 0 before."""
    about = document["about"]
    reserved = int(about["superuser_reserved"]) + int(about["reserved"])
    return Slots(len(document["sessions"]), int(about["max_connections"]), reserved)


def counts(sessions: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """How many sessions of each state, user and application, the most first."""

    def by(key: str, nothing: str) -> dict[str, int]:
        return dict(Counter(str(each[key] or nothing) for each in sessions).most_common())

    return {
        "by_state": by("state", "(hidden)"),
        "by_user": by("user", "(none)"),
        "by_application": by("application", "(none)"),
    }


def connections(document: Mapping[str, Any]) -> dict[str, Any]:
    """The counts of all sessions, and how full the server is."""
    full = slots(document)
    return {
        "used": full.used,
        "maximum": full.maximum,
        "reserved": full.reserved,
        "used_percent": full.percent,
        **counts(document["sessions"]),
    }


def longest_query(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The active query that runs longest, without its literals: they may be anybody's data."""
    active = [each for each in document["sessions"] if each["state"] == "active"]
    if not active:
        return None
    longest = max(active, key=lambda each: float(each["query_seconds"] or 0))
    return {**shown(longest), "seconds": longest["query_seconds"], "query": shown_query(longest["query"])}


def shown_query(query: str | None) -> str:
    """One line of a query, its literals taken out."""
    text = " ".join(_LITERAL.sub("?", query or "").split())
    return text if len(text) <= SHOWN_QUERY else f"{text[: SHOWN_QUERY - 1]}…"


def shown(session: Mapping[str, Any]) -> dict[str, Any]:
    """A session as it is returned."""
    keys = ("pid", "database", "user", "application", "client", "state", "seconds")
    return {key: session[key] for key in keys}


def describe(session: Mapping[str, Any]) -> str:
    """A session in words, for a sentence or a diff."""
    application = f" ({session['application']})" if session["application"] else ""
    since = "" if session["seconds"] is None else f" for {duration(float(session['seconds']))}"
    who = f"{session['user']}{application} from {session['client']}"
    return f"session {session['pid']} of {who}, {session['state']}{since}"


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def waiting(document: Mapping[str, Any], longer_than_seconds: float) -> list[Mapping[str, Any]]:
    """Sessions that have waited for a lock for so long."""
    return [
        each
        for each in document["sessions"]
        if each["waiting"] and float(each["query_seconds"] or 0) >= longer_than_seconds
    ]


def blockers(document: Mapping[str, Any], waiters: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The sessions that these wait for, those that wait themselves left out: they are not the cause."""
    pids = {pid for each in waiters for pid in each["blocked_by"]} - {each["pid"] for each in waiters}
    return [each for each in document["sessions"] if each["pid"] in pids]


def idle_in_transaction(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Sessions with an open transaction in which nothing happens, the longest first."""
    found = [each for each in document["sessions"] if each["state"] in IDLE_IN_TRANSACTION]
    return sorted(found, key=lambda each: -float(each["seconds"] or 0))


def version(document: Mapping[str, Any]) -> str:
    """15.18, as people say it."""
    number = int(document["about"]["version"])
    return f"{number // 10000}.{number % 10000}"


def sees_all(document: Mapping[str, Any]) -> bool:
    """May our role see the state of other users' sessions?"""
    about = document["about"]
    return bool(about["superuser"] or about["may_read"])


def hidden(document: Mapping[str, Any]) -> int:
    """How many sessions there are whose state our role may not see."""
    return 0 if sees_all(document) else sum(each["state"] is None for each in document["sessions"])
