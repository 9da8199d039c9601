# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record a temporary change on the target before it is made; drop the record when nothing is left of it."""

from __future__ import annotations

import secrets
from contextlib import contextmanager, suppress
from typing import Any, Callable, Iterator, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils import _changes as changes
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._interlock_document import Document
from ansible_collections.saveit.remediation.plugins.module_utils._interlock_store import (
    change,
    place_of,
    who_of,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

RECORD_ARGUMENTS: Mapping[str, Any] = {
    "record": {"type": "bool", "default": True},
    "holder": {"type": "str", "default": ""},
    "incident": {"type": "str", "default": ""},
    "reason": {"type": "str", "default": ""},
    "interlock_folder": {"type": "str", "default": ""},
}


def require_minutes(attempt: str, minutes: float) -> None:
    """Raises FailedError for a time that no change may last."""
    if not 1 <= minutes <= changes.LONGEST_MINUTES:
        raise FailedError(
            f"{attempt}: minutes is {minutes:g}, wanted 1 to {changes.LONGEST_MINUTES} (90 days)"
        )


@contextmanager
def recorded(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    intents: Sequence[changes.Intent],
    is_as_before: Callable[[], bool],
) -> Iterator[list[str]]:
    """Around the code that makes these changes: gives their ids, "" each where nothing is recorded.

    First the intent is written, so that a crash loses nothing; then that they were made. When making them
    fails, and `is_as_before` sees the old values, the records are dropped; otherwise they stay, and the error
    says so. Raises ObstacleError, before anything is changed, when the record cannot be written.
    """
    if not parameters["record"] or carrier.check_mode:
        yield [""] * len(intents)
        return
    ids = [secrets.token_hex(4) for _intent in intents]
    _write_intents(parameters, carrier, ids, intents)
    try:
        yield ids
    except FailedError as error:
        if isinstance(error, changes.NotMadeError) or _was_not_made(is_as_before):
            drop(parameters, carrier, ids)
            raise
        error.args = (f"{error}; it may have changed all the same: {changes.how_to_put_back(ids)}",)
        raise
    with suppress(FailedError):  # it was made, and the intent, which stays, tells it as well
        change(parameters, carrier, lambda document, _now: (changes.with_made(document, ids), None))


def drop(parameters: Mapping[str, Any], carrier: Carrier, ids: Sequence[str]) -> None:
    """Nothing is left of these changes; "" is none. Check mode writes nothing.

    One that cannot be dropped now is found to be over by whoever puts it back the next time.
    """
    if not any(ids):
        return
    with suppress(FailedError):
        change(parameters, carrier, lambda document, _now: (changes.without(document, ids), None))


def ids_in(put_back: Sequence[Mapping[str, Any]]) -> list[str]:
    """The records that entries of an option `put_back` come from."""
    return [str(each["change_id"]) for each in put_back if each.get("change_id")]


def _write_intents(
    parameters: Mapping[str, Any], carrier: Carrier, ids: Sequence[str], intents: Sequence[changes.Intent]
) -> None:
    who, why, minutes = who_of(parameters), parameters["reason"], parameters["minutes"]

    def decide(document: Document, now: float) -> tuple[Document, None]:
        document = changes.without_outdated(document, intents)
        if len(document["changes"]) + len(intents) > changes.MOST:
            raise FailedError(
                f"cannot record another change of {place_of(parameters, carrier)}: there are "
                f"{len(document['changes'])}; saveit-remediate changes lists them, put some back first"
            )
        made = [changes.record(intent, id_, who, why, now, minutes) for id_, intent in zip(ids, intents)]
        return changes.with_records(document, made), None

    change(parameters, carrier, decide)


def _was_not_made(is_as_before: Callable[[], bool]) -> bool:
    """A look that fails tells nothing."""
    try:
        return is_as_before()
    except FailedError:
        return False
