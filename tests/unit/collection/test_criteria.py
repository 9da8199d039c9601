"""Verify criteria: one row for each word that a runbook may use."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._criteria import unmet

ROWS: list[tuple[dict[str, Any], Any, list[str]]] = [
    ({"is": "healthy"}, "healthy", []),
    ({"is": "healthy"}, "slow", ["e is slow, wanted healthy"]),
    ({"is": True}, True, []),
    ({"is": True}, False, ["e is false, wanted true"]),
    ({"is_not": "fallback"}, "ok", []),
    ({"is_not": "fallback"}, "fallback", ["e is fallback"]),
    ({"at_most": 0}, 0, []),
    ({"at_most": 0}, 0.1, ["e is 0.1, wanted at most 0"]),
    ({"at_most": 0}, "none", ["e is none, wanted at most 0"]),
    ({"at_most": 1}, True, ["e is true, wanted at most 1"]),
    ({"at_least": 2}, 2, []),
    ({"at_least": 2}, 1, ["e is 1, wanted at least 2"]),
    ({"at_least": 2, "at_most": 3}, 4, ["e is 4, wanted at most 3"]),
    ({"is": "healthy"}, None, ["e: no data"]),
    ({"is_not": "fallback"}, None, ["e: no data"]),
    ({"at_most": 0}, None, ["e: no data"]),
    ({"at_most": 0, "no_data": "fail"}, None, ["e: no data"]),
    ({"at_most": 0, "no_data": "pass"}, None, []),
    ({"at_most": 0, "no_data": "pass"}, 5, ["e is 5, wanted at most 0"]),
]


@pytest.mark.parametrize(("criterion", "value", "why"), ROWS)
def test_a_criterion(criterion: dict[str, Any], value: Any, why: list[str]) -> None:
    assert unmet([{"evidence": "e", **criterion}], {"e": value}) == why


def test_evidence_that_is_absent_is_no_data() -> None:
    assert unmet([{"evidence": "e", "is": 1}], {}) == ["e: no data"]


def test_every_unmet_criterion_is_told() -> None:
    criteria = [{"evidence": "a", "is": 1}, {"evidence": "b", "is": 1}, {"evidence": "c", "is": 1}]
    assert unmet(criteria, {"a": 2, "b": 1}) == ["a is 2, wanted 1", "c: no data"]
