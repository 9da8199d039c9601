# ruff: noqa: E501 -- rows of a table stay on one line
"""Recovered only when every criterion was met by every sample over the hold time."""

from __future__ import annotations

from typing import Any

import pytest

from saveit_remediate.catalog import Criterion
from saveit_remediate.incident import Evidence
from saveit_remediate.verify import verify

OK = Criterion("ok", "is", True)
FEW = Criterion("errors", "at_most", 0, no_data_passes=True)


def samples(
    name: str, *pairs: tuple[float, Any], after: str = "restart", target: str = "a"
) -> list[Evidence]:
    return [Evidence(name, target, value, at, "verify", after) for at, value in pairs]


STEADY = samples("ok", (0, True), (2, True), (5, True))


@pytest.mark.parametrize(
    ("criteria", "evidence", "verdict", "sentence"),
    [
        pytest.param([OK], STEADY, "recovered", "met for 5.0 s", id="steady"),
        pytest.param([OK], samples("ok", (0, False), (1, True), (6, True)), "recovered", "5.0 s", id="bad, then good"),
        pytest.param([OK], samples("ok", (0, True), (3, False), (4, True), (6, True)), "unresolved", "met again", id="flapping"),
        pytest.param([OK], samples("ok", (0, True), (4, True)), "unverified", "only for 4.0 s", id="too short"),
        pytest.param([OK], samples("ok", (5, True)), "unverified", "only for 0.0 s", id="one sample"),
        pytest.param([OK], [], "unverified", "nothing was measured on a", id="no evidence"),
        pytest.param([OK], samples("ok", (0, None), (5, None)), "unverified", "no data for ok", id="no data fails"),
        pytest.param([OK], samples("ok", (0, True), (5, True), (6, None)), "unverified", "at the end", id="data stops"),
        pytest.param([OK, FEW], STEADY, "recovered", "", id="no data passes, absent"),
        pytest.param([OK, FEW], STEADY + samples("errors", (0, None), (5, None)), "recovered", "", id="no data passes, null"),
        pytest.param([OK, FEW], STEADY + samples("errors", (0, 0), (5, 3)), "unresolved", "errors was 3, wanted at most 0", id="violated"),
        pytest.param([OK], samples("ok", (0, "true"), (5, "true")), "unresolved", "", id="text is no boolean"),
        pytest.param([OK], samples("ok", (0, 1), (5, 1)), "unresolved", "", id="one is no boolean"),
        pytest.param([FEW], samples("errors", (0, "0"), (5, "0")), "unresolved", "", id="text is no number"),
        pytest.param([FEW], samples("errors", (0, float("nan")), (5, float("nan"))), "unresolved", "", id="NaN is not few"),
        pytest.param([Criterion("errors", "at_least", 2)], samples("errors", (0, 2), (5, 3)), "recovered", "", id="at least"),
        pytest.param([Criterion("ok", "is_not", "fallback")], samples("ok", (0, "fine"), (5, "fine")), "recovered", "", id="is not"),
        pytest.param([Criterion("ok", "is_not", "fallback")], samples("ok", (0, "fallback"), (5, "fallback")), "unresolved", "", id="is what it must not be"),
        pytest.param([OK], samples("ok", (0, True), (3, True), after="start") + samples("ok", (9, True)), "unverified", "0.0 s", id="only samples after the newest remedy count"),
        pytest.param([OK], [Evidence("ok", "a", True, at) for at in (0, 9)], "unverified", "nothing was measured", id="the diagnosis is no proof"),
        pytest.param([OK], samples("ok", (0, True), (9, True), target="b"), "unverified", "nothing was measured on a", id="another target's evidence"),
    ],
)  # fmt: skip
def test_verdict(criteria: list[Criterion], evidence: list[Evidence], verdict: str, sentence: str) -> None:
    found = verify(criteria, evidence, ["a"], 5)
    assert found.verdict == verdict
    assert sentence in found.sentence


def test_good_evidence_of_a_run_that_ended_badly_is_no_recovery() -> None:
    found = verify([OK], STEADY, ["a"], 5, problem="Restart: permission denied")
    assert (found.verdict, found.sentence) == (
        "unresolved",
        "the run did not end well: Restart: permission denied",
    )


def test_every_target_must_recover() -> None:
    found = verify([OK], STEADY + samples("ok", (0, False), (5, False), target="b"), ["a", "b"], 5)
    assert found.verdict == "unresolved"
    assert [(one.target, one.verdict, one.last_value) for one in found.results] == [
        ("a", "met", True),
        ("b", "violated", False),
    ]
