# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgres_info: does this PostgreSQL serve its clients, who holds its slots, who waits for whom?"""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _postgres,
    _postgres_sql,
    _postgres_tables,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._postgres import Answer
from ansible_collections.saveit.remediation.plugins.module_utils._postgres_ask import (
    LOGIN_ARGUMENTS,
    ask,
    check,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    Evidence,
    FailedError,
    Finding,
    ObstacleError,
    Result,
)

ARGUMENTS: Mapping[str, Any] = {
    **LOGIN_ARGUMENTS,
    "used_percent_limit": {"type": "float", "default": 85},
    "waiting_seconds": {"type": "float", "default": 5},
    "slow_milliseconds": {"type": "float", "default": 1000},
    "wait_seconds": {"type": "int", "default": 0},
    "client": {
        "type": "dict",  # no default: {} would lack its required name
        "options": {
            "name": {"type": "str", "required": True},
            "verdict": {"type": "str", "default": ""},
            "sentence": {"type": "str", "default": ""},
            "said": {"type": "list", "elements": "str", "default": []},
            "command": {"type": "list", "elements": "str", "default": []},
            "timeout_seconds": {"type": "float", "default": 30},
        },
    },
}
_WORDS = {
    "healthy": "takes connections",
    "refused": "refuses connections",
    "timeout": "does not answer",
    "starting": "takes no connections yet",
    "auth": "refuses our login",
    "slots": "has no slot left, not even for us",
    "error": "cannot be understood",
}
# What the clients are told, as a finding; of the other words the server itself tells more.
_CLIENT_FINDINGS = {
    "pool": ("database-pool-exhausted", "has no free connection in its own pool"),
    "auth": ("database-auth", "may not log in"),
    "slots": ("database-slots-exhausted", "is refused for want of a slot"),
}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Look; with wait_seconds, again and again while the server says that it is starting.

    Raises FailedError for bad input.
    """
    check(parameters)
    if not 0 < parameters["used_percent_limit"] <= 100:
        limit = parameters["used_percent_limit"]
        raise FailedError(
            f"cannot judge PostgreSQL's slots: used_percent_limit is {limit:g}, not above 0 to 100"
        )
    waits_until = carrier.now() + (0 if carrier.check_mode else parameters["wait_seconds"])
    where, answer = ask(parameters, carrier, _postgres_sql.INFO)
    while answer.ended == "starting" and carrier.now() < waits_until:
        carrier.sleep(1)
        where, answer = ask(parameters, carrier, _postgres_sql.INFO)
    _check_the_way(parameters, where, answer)
    return judge(parameters, where, answer)


def _check_the_way(parameters: Mapping[str, Any], where: str, answer: Answer) -> None:
    """Raises ObstacleError where we are refused and the client is not: then it is not the database that is
    sick."""
    client = parameters["client"] or {}
    if client.get("verdict") != "healthy":
        return
    cannot = f"cannot look into {parameters['service']} ({where}) as {parameters['login_user']}"
    if answer.ended == "auth":
        sentence = (
            f"{cannot}: {answer.detail}; {client['name']} gets on with it, so it is our login that is wrong"
        )
        raise ObstacleError("no-database-login", sentence, "unreachable")
    if parameters["login_host"] and answer.ended in ("refused", "timeout"):
        sentence = (
            f"{cannot}: {answer.detail}; {client['name']} gets on with it, so it is our way there that is "
            "wrong (login_host, login_port, a firewall), or it lets nobody new in"
        )
        raise ObstacleError("no-way-to-database", sentence, "unreachable")


def judge(parameters: Mapping[str, Any], where: str, answer: Answer) -> Result:
    """The verdict about the server, and a finding for each thing that is wrong with it or its clients."""
    name = parameters["service"]
    document = answer.document
    word, why = _verdict(parameters, answer)
    sentence = f"{name} ({where}) {why}"
    found = [] if word == "healthy" else [Finding(_finding_id(word), name, sentence)]
    found += _findings(parameters, document) if document else []
    said, told = _client(parameters)
    known = {each.id for each in found}
    if word in ("healthy", "slow", "slots"):
        found += [each for each in told if each.id not in known]
    full = _postgres.slots(document) if document else None
    slots = full.word(parameters["used_percent_limit"]) if full else "exhausted" if word == "slots" else None
    waiting = _postgres.waiting(document, parameters["waiting_seconds"]) if document else []
    longest = _postgres.longest_query(document) if document else None
    idle = _postgres.idle_in_transaction(document) if document else []
    return Result(
        word,
        sentence,
        findings=found,
        evidence=[
            Evidence(f"{name}.answer", word, sentence),
            Evidence(f"{name}.slots", slots, str(full) if full else sentence),
            Evidence(f"{name}.used_percent", full.percent if full else None, str(full or "")),
            Evidence(f"{name}.waiting", len(waiting) if document else None),
            Evidence(f"{name}.longest_query_seconds", longest["seconds"] if longest else None),
            Evidence(f"{name}.milliseconds", document.get("milliseconds") if document else None),
            *said,
        ],
        returned={
            "tables": _postgres_tables.tables(document, parameters["waiting_seconds"]) if document else [],
            "answer": word,
            "server_version": _postgres.version(document) if document else "",
            "connections": _postgres.connections(document) if document else None,
            "longest_query": longest,
            "waiting": [{**_postgres.shown(each), "blocked_by": each["blocked_by"]} for each in waiting],
            "idle_in_transaction": [_postgres.shown(each) for each in idle],
        },
    )


def _finding_id(word: str) -> str:
    return "database-slots-exhausted" if word == "slots" else f"database-{word}"


def _verdict(parameters: Mapping[str, Any], answer: Answer) -> tuple[str, str]:
    """One of _postgres.VERDICTS, and the middle of the sentence why."""
    document = answer.document
    if document is None:
        return answer.ended, f"{_WORDS[answer.ended]}: {answer.detail}"
    about = document["about"]
    if about["in_recovery"]:
        return "readonly", "is in recovery, a standby: it takes no writes"
    if about["read_only"]:
        return (
            "readonly",
            "makes every transaction read-only (default_transaction_read_only): it takes no writes",
        )
    blind = "" if _postgres.sees_all(document) else _blind(about["user"])
    took, full = float(document.get("milliseconds") or 0), _postgres.slots(document)
    said = f"PostgreSQL {_postgres.version(document)}, {full}, {took:g} ms for our look{blind}"
    if took > parameters["slow_milliseconds"]:
        return "slow", f"answers slowly (more than {parameters['slow_milliseconds']:g} ms): {said}"
    return "healthy", f"answers: {said}"


def _blind(user: str) -> str:
    return f"; {user} lacks pg_read_all_stats and sees the state of its own sessions only"


def _findings(parameters: Mapping[str, Any], document: Mapping[str, Any]) -> list[Finding]:
    """What is wrong inside a server that answers."""
    name, limit = parameters["service"], parameters["used_percent_limit"]
    found = []
    full = _postgres.slots(document)
    if full.exhausted or full.percent > limit:
        states = ", ".join(
            f"{n} {state}" for state, n in _postgres.counts(document["sessions"])["by_state"].items()
        )
        what = "no slot is left for ordinary clients" if full.exhausted else f"more than {limit:g} % are used"
        found.append(Finding(f"database-slots-{full.word(limit)}", name, f"{name}: {what}: {full}: {states}"))
    waiting = _postgres.waiting(document, parameters["waiting_seconds"])
    if not waiting:
        return found
    holding = _postgres.blockers(document, waiting)
    idle = [each for each in holding if each["state"] in _postgres.IDLE_IN_TRANSACTION]
    longest = _postgres.duration(max(float(each["query_seconds"]) for each in waiting))
    held = (
        f"{len(waiting)} queries wait for locks, up to {longest}"
        if len(waiting) > 1
        else f"a query waits for a lock, {longest}"
    )
    who = (
        "; ".join(_postgres.describe(each) for each in (idle or holding)[:3])
        or "a session that cannot be seen"
    )
    kind = "idle-in-transaction" if idle else "lock-waiting"
    found.append(Finding(f"database-{kind}", name, f"{name}: {held}, held by {who}"))
    return found


def _client(parameters: Mapping[str, Any]) -> tuple[list[Evidence], list[Finding]]:
    """What those who use the database were told. Lines count only while the client fails: they may be old."""
    client = parameters["client"] or {}
    if client.get("verdict") not in ("failing", "slow"):
        return [], []
    name = client["name"]
    for line in reversed(client["said"]):
        word = _postgres.complaint(line)
        if word in _CLIENT_FINDINGS:
            id_, what = _CLIENT_FINDINGS[word]
            said = _postgres.last_words(line)
            sentence = f"{name} {what}: {said} ({client['sentence']})"
            return [Evidence(f"{name}.database", word, said)], [Finding(id_, name, sentence)]
        if word:
            return [Evidence(f"{name}.database", word, line)], []
    return [], []
