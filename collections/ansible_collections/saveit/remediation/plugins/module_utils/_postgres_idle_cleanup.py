# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgres_idle_cleanup: end sessions that have been idle too long, the oldest first, only as many as
needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _postgres,
    _postgres_process,
    _postgres_sql,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._postgres import Answer
from ansible_collections.saveit.remediation.plugins.module_utils._postgres_ask import (
    LOGIN_ARGUMENTS,
    OWN_APPLICATION,
    ask,
    check,
)
from ansible_collections.saveit.remediation.plugins.module_utils._postgres_process import Process
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result

ARGUMENTS: Mapping[str, Any] = {
    **LOGIN_ARGUMENTS,
    "idle_minutes": {"type": "float", "default": 10},
    "idle_in_transaction_minutes": {"type": "float"},
    "only_blocking": {"type": "bool", "default": False},
    "target_used_percent": {"type": "float"},
    "exclude_users": {"type": "list", "elements": "str", "default": []},
    "exclude_applications": {"type": "list", "elements": "str", "default": []},
    "process_fallback": {"type": "bool", "default": False},
}
ROUNDS = 3  # processes to end at most: somebody else may take the freed slot before us
TRIES = 20  # to get into the freed slot
PAUSE = 0.1  # seconds between two tries
GONE_WITHIN = 3.0  # seconds for the sessions to end
TOO_LONG = 527040  # minutes, a year


@dataclass
class _Opened:
    """The answer to the statement, and the processes that were ended to get it."""

    where: str
    answer: Answer
    processes: list[Process] = field(default_factory=list)


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Choose and end in one statement; in check mode, choose only.

    Raises FailedError for bad input, when nothing can be asked, and when a privilege is missing.
    """
    check(parameters)
    _check_limits(parameters)
    sql = _postgres_sql.cleanup(_given(parameters), terminates=not carrier.check_mode)
    where, answer = ask(parameters, carrier, sql)
    opened = _Opened(where, answer)
    if answer.ended == "slots":
        _check_fallback(parameters, where, answer)
        if carrier.check_mode:
            return _planned_process(parameters, _postgres_process.choose(parameters, carrier), where)
        _open(parameters, carrier, sql, opened)
    document = opened.answer.document
    if document is None:
        ended = f"; ended {_named(opened.processes)} before" if opened.processes else ""
        why = f"{opened.answer.ended}: {opened.answer.detail}"
        raise FailedError(f"cannot end idle sessions of {_at(parameters, opened.where)}: {why}{ended}")
    chosen = _chosen(document)
    if not chosen and document["not_permitted"] and not opened.processes:
        raise FailedError(_not_permitted(parameters, document))
    if carrier.check_mode:
        return _told(parameters, document, None, chosen, opened)
    after = _after(parameters, carrier, {each["pid"] for each in chosen}) if chosen else None
    return _told(parameters, document, after, chosen, opened)


def _check_limits(parameters: Mapping[str, Any]) -> None:
    for name in ("idle_minutes", "idle_in_transaction_minutes"):
        minutes = parameters[name]
        if minutes is not None and not 0 <= minutes <= TOO_LONG:
            raise FailedError(
                f"cannot end idle sessions: {name} is {minutes:g}, it must be from 0 to {TOO_LONG}"
            )
    target = parameters["target_used_percent"]
    if target is not None and not 0 <= target <= 100:
        raise FailedError(
            f"cannot end idle sessions: target_used_percent is {target:g}, it must be from 0 to 100"
        )
    if any("\0" in each for name in ("exclude_users", "exclude_applications") for each in parameters[name]):
        raise FailedError("cannot end idle sessions: an excluded name holds a NUL character, no name can")


def _check_fallback(parameters: Mapping[str, Any], where: str, answer: Answer) -> None:
    """May a slot be freed through a process?"""
    why = f"cannot end idle sessions of {_at(parameters, where)}: {answer.detail}; no slot is left for us"
    if not parameters["process_fallback"]:
        raise FailedError(
            f"{why}, the reserved ones are taken too or not for our role (reserved_user); "
            "process_fallback can free one"
        )
    if parameters["exclude_applications"]:
        raise FailedError(
            f"{why}, and none is freed by ending a process: it does not show its application_name, "
            f"and {', '.join(parameters['exclude_applications'])} may not be ended (exclude_applications)"
        )


def _given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What the statement is told."""
    names = (
        "idle_minutes",
        "idle_in_transaction_minutes",
        "only_blocking",
        "target_used_percent",
        "exclude_users",
        "exclude_applications",
    )
    return {**{name: parameters[name] for name in names}, "own_application": OWN_APPLICATION}


def _open(parameters: Mapping[str, Any], carrier: Carrier, sql: str, opened: _Opened) -> None:
    """End one idle session's process and get in; another one only when the freed slot went to somebody
    else."""
    while opened.answer.ended == "slots" and len(opened.processes) < ROUNDS:
        try:
            process = _postgres_process.choose(parameters, carrier)
            if not _postgres_process.end(parameters, carrier, process):
                opened.answer = Answer(ended="slots", detail=f"{process.words} was idle no longer")
                return
        except FailedError as error:
            if not opened.processes:
                raise
            opened.answer = Answer(ended="slots", detail=str(error))
            return
        opened.processes.append(process)
        for _try in range(TRIES):
            opened.where, opened.answer = ask(parameters, carrier, sql)
            if opened.answer.ended != "slots":
                return
            carrier.sleep(PAUSE)


def _chosen(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The sessions that were chosen, and ended unless in check mode: with what was known of each."""
    known = {each["pid"]: each for each in document["sessions"]}
    return [known[each["pid"]] for each in document["chosen"] if each["ended"] is not False]


def _after(parameters: Mapping[str, Any], carrier: Carrier, pids: set[int]) -> Mapping[str, Any] | None:
    """The server once the sessions are gone; None when it cannot be asked."""
    ends = carrier.now() + GONE_WITHIN
    while True:
        _where, answer = ask(parameters, carrier, _postgres_sql.INFO)
        if answer.document is None or not pids & {each["pid"] for each in answer.document["sessions"]}:
            return answer.document
        if carrier.now() >= ends:
            return answer.document
        carrier.sleep(PAUSE)


def _told(
    parameters: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any] | None,
    chosen: Sequence[Mapping[str, Any]],
    opened: _Opened,
) -> Result:
    planned = bool(chosen) and after is None and before["chosen"][0]["ended"] is None
    acted = bool(chosen or opened.processes)
    verdict = "planned" if planned else "terminated" if acted else "unchanged"
    full = _postgres.slots(before)
    sentence = (
        f"{_at(parameters, opened.where)}: {_sentence(parameters, before, chosen, planned)}; before: {full}"
    )
    if after is not None:
        sentence += f"; after: {_postgres.slots(after)}"
    if opened.processes:
        sentence += f"; to get in, {_named(opened.processes)} was ended by SIGTERM"
    missing = before["not_permitted"]
    if missing:
        sentence += f"; {len(missing)} more may not be ended: {_why_not(before)}"
    hidden = _postgres.hidden(before)
    if hidden:
        user = before["about"]["user"]
        sentence += (
            f"; the state of {hidden} of other roles' sessions is hidden: {user} lacks the privilege "
            f"pg_read_all_stats (GRANT pg_read_all_stats TO {user})"
        )
    lines = [f"{each.words}\n" for each in opened.processes]
    lines += [f"{_postgres.describe(each)}\n" for each in chosen]
    return Result(
        verdict,
        sentence,
        changed=acted,
        diff={"before": "".join(lines), "after": ""} if acted else None,
        returned={
            "before": _postgres.connections(before),
            "after": _postgres.connections(after) if after else None,
            "terminated": [] if planned else [_postgres.shown(each) for each in chosen],
            "would_terminate": [_postgres.shown(each) for each in chosen] if planned else [],
            "not_permitted": missing,
            "processes": [each.words for each in opened.processes],
            "longest_query": _postgres.longest_query(after or before),
            "server_version": _postgres.version(before),
        },
    )


def _sentence(
    parameters: Mapping[str, Any],
    document: Mapping[str, Any],
    chosen: Sequence[Mapping[str, Any]],
    planned: bool,
) -> str:
    if chosen:
        oldest = _postgres.duration(max(float(each["seconds"]) for each in chosen))
        what = "would end" if planned else "ended"
        return f"{what} {len(chosen)} idle session{'s' if len(chosen) > 1 else ''}, idle for up to {oldest}"
    if document["to_free"] == 0:
        return f"ended none: no more than {parameters['target_used_percent']:g} % of the slots are used"
    limits = [f"idle for {parameters['idle_minutes']:g} min"]
    if parameters["idle_in_transaction_minutes"] is not None:
        limits.append(f"idle in transaction for {parameters['idle_in_transaction_minutes']:g} min")
    holding = " and holds up others" if parameters["only_blocking"] else ""
    return f"ended none: no session of {parameters['database']} is {' or '.join(limits)}{holding}"


def _planned_process(parameters: Mapping[str, Any], process: Process, where: str) -> Result:
    sentence = (
        f"{_at(parameters, where)}: no slot is left for us; would end {process.words} by SIGTERM, "
        "and then idle sessions by SQL"
    )
    return Result(
        "planned",
        sentence,
        changed=True,
        diff={"before": f"{process.words}\n", "after": ""},
        returned={
            "before": None,
            "after": None,
            "terminated": [],
            "would_terminate": [],
            "not_permitted": [],
            "processes": [process.words],
            "longest_query": None,
            "server_version": "",
        },
    )


def _not_permitted(parameters: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    number = len(document["not_permitted"])
    return f"may not end {number} idle sessions of {parameters['service']}: {_why_not(document)}"


def _why_not(document: Mapping[str, Any]) -> str:
    """The privilege that is missing, by name."""
    user = document["about"]["user"]
    if document["about"]["may_signal"]:
        return f"they are a superuser's, and {user} is none"
    return f"{user} lacks the privilege pg_signal_backend (GRANT pg_signal_backend TO {user})"


def _at(parameters: Mapping[str, Any], where: str) -> str:
    return f"{parameters['service']} ({where})"


def _named(processes: Sequence[Process]) -> str:
    return ", ".join(each.words for each in processes)
