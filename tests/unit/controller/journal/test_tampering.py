"""Whatever is changed, removed or moved in the database, `verify` names the first event that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from saveit_remediate.journal import canonical

if TYPE_CHECKING:
    from tests.unit.controller.journal.conftest import Home

THIRD = "event 2 of incident one (position 3)"
SWAP = (
    "UPDATE events SET position = position + 100 WHERE position IN (3, 4)",
    "UPDATE events SET position = 107 - position WHERE position > 100",
)
SWAP_SEQUENCE = (
    "UPDATE events SET sequence = sequence + 100 WHERE incident_id = 'one'",
    "UPDATE events SET sequence = 104 - sequence WHERE incident_id = 'one'",
)


@pytest.mark.parametrize(
    ("statements", "first_bad"),
    [
        (["UPDATE events SET payload = '{\"n\":9}' WHERE position = 3"], f"{THIRD} was changed"),
        (["UPDATE events SET payload = '{\"n\": 2}' WHERE position = 3"], f"{THIRD} was changed"),
        (["UPDATE events SET payload = 'no' WHERE position = 3"], f"{THIRD} was changed"),
        (["UPDATE events SET at = '2020' WHERE position = 3"], f"{THIRD} was changed"),
        (["UPDATE events SET kind = 'x' WHERE position = 3"], f"{THIRD} was changed"),
        (["UPDATE events SET previous = 'x' WHERE position = 3"], f"{THIRD} was changed"),
        (["UPDATE events SET hash = 'x' WHERE position = 3"], f"{THIRD} was changed"),
        (["UPDATE events SET seal = 'x' WHERE position = 3"], f"{THIRD} was changed or moved"),
        (["UPDATE events SET token = 'x' WHERE position = 3"], f"{THIRD} was changed or moved"),
        (["UPDATE events SET incident_id = 'x' WHERE position = 3"], "event 2 of incident x (position 3)"),
        (["DELETE FROM events WHERE position = 3"], "position 3 of the journal, after event 1 of"),
        (["DELETE FROM events WHERE incident_id = 'two'"], "position 2 of the journal, after event 1 of"),
        (SWAP, "event 2 of incident two (position 3) was changed or moved"),
        (SWAP_SEQUENCE, "event 3 of incident one (position 1) was changed"),
        (["DELETE FROM events WHERE position >= 5"], "there were 5 events, and 4 are left"),
        (["DELETE FROM events"], "position 1 of the journal, at the beginning, was removed"),
        (["DELETE FROM head"], "the head record, which says where the journal ends, was removed"),
        (["DELETE FROM events WHERE position = 5", "UPDATE head SET position = 4"], "does not fit"),
        (["UPDATE events SET position = 7 WHERE position = 5"], "position 5 of the journal"),
    ],
)  # fmt: skip
def test_tampering_is_found(
    home: Home, written: Callable[..., Any], statements: list[str], first_bad: str
) -> None:
    written(home, "one", "two", "one", "two", "one")
    assert home.verify().bad == ""
    home.tamper(*statements)
    assert first_bad in home.verify().bad


def test_the_same_content_is_the_same_text() -> None:
    assert canonical({"b": 1, "a": "ü"}) == canonical({"a": "ü", "b": 1}) == '{"a":"\\u00fc","b":1}'
