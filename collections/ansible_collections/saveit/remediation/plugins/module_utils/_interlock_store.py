# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the interlock document is kept: read it, decide, and write it unless somebody else was quicker."""

from __future__ import annotations

from typing import Any, Callable, Mapping, NamedTuple, TypeVar

from ansible_collections.saveit.remediation.plugins.module_utils import _interlock_document
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._holder import holder_of
from ansible_collections.saveit.remediation.plugins.module_utils._interlock_document import Document
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError
from ansible_collections.saveit.remediation.plugins.module_utils._target import interlocks

TRIES = 8  # a write that lost was one that somebody else won
_PAUSE = 0.05  # seconds before the second try, and so much more before each other one
_Decided = TypeVar("_Decided")


class Kept(NamedTuple):
    """A document with its version, None when there is none, and the time by the clock of the target."""

    document: Document
    version: str
    now: float


def load(parameters: Mapping[str, Any], carrier: Carrier) -> Kept:
    """Raises ObstacleError interlock-unreadable: what cannot be read is never taken for empty."""
    text, version, now = interlocks(parameters).load(parameters, carrier)
    if text is None:
        return Kept(_interlock_document.empty(), version, now)
    try:
        return Kept(_interlock_document.read(text), version, now)
    except _interlock_document.DamagedError as error:
        raise ObstacleError(
            "interlock-unreadable",
            f"cannot read the interlock of {place_of(parameters, carrier)}: {error}; who else is at "
            "work, and what was tried before, is not known. Look at it, and remove it when nobody is at work",
            "refused",
        ) from None


def change(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    decide: Callable[[Document, float], tuple[Document, _Decided]],
) -> _Decided:
    """Load, decide, save; anew when somebody else was quicker. Check mode saves nothing.

    `decide` gets a document and the time of the target, and raises what speaks against it. Raises
    ObstacleError interlock-unreadable, and interlock-contended after TRIES.
    """
    for turn in range(TRIES):
        kept = load(parameters, carrier)
        after, decided = decide(kept.document, kept.now)
        if carrier.check_mode or after == kept.document:
            return decided
        text = _interlock_document.write(after)
        if interlocks(parameters).save(parameters, carrier, text, kept.version):
            return decided
        carrier.sleep(_PAUSE * (turn + 1))
    raise ObstacleError(
        "interlock-contended",
        f"cannot change the interlock of {place_of(parameters, carrier)}: {TRIES} times somebody else was "
        "quicker; try again",
        "refused",
    )


def place_of(parameters: Mapping[str, Any], carrier: Carrier) -> str:
    """What the document is of, for sentences: "saveit on staging"."""
    return f"{interlocks(parameters).name_of(parameters)} on {carrier.host}"


def who_of(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Holder and incident; who runs Ansible by hand is known by the environment."""
    return {"holder": holder_of(parameters["holder"]), "incident": parameters["incident"] or "none"}
