"""What a remedy needs, by risk, severity and environment; and the shipped policy."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.unit.collection.test_ladder import POLICY

from ansible_collections.saveit.remediation.plugins.module_utils import _policy
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

SIMPLE = {"needs": {"low": "nothing", "medium": "agreement", "high": "approval"}}


@pytest.mark.parametrize(
    ("risk", "severity", "environment", "needs"),
    [
        ("low", "sev1", "", "nothing"),
        ("low", "sev1", "production", "nothing"),
        ("medium", "sev1", "production", "agreement"),
        ("high", "sev1", "", "approval"),
        ("high", "sev1", "production", "second-person"),
        ("high", "sev2", "production", "second-person"),
        ("high", "sev3", "production", "approval"),
        ("high", "sev4", "production", "approval"),
    ],
)
def test_the_shipped_policy(risk: str, severity: str, environment: str, needs: str) -> None:
    assert _policy.table_of(POLICY, environment)[risk][severity] == needs


def test_one_word_is_for_all_severities_and_an_environment_says_only_what_differs() -> None:
    site = {
        "needs": {**SIMPLE["needs"], "high": dict.fromkeys(_policy.SEVERITIES, "approval")},
        "environments": {"night": {"medium": {"sev4": "nothing"}, "low": "agreement"}},
    }
    table = _policy.table_of(site, "night")
    assert table["medium"] == {
        "sev1": "agreement", "sev2": "agreement", "sev3": "agreement", "sev4": "nothing",
    }  # fmt: skip
    assert set(table["low"].values()) == {"agreement"}
    assert set(table["high"].values()) == {"approval"}


@pytest.mark.parametrize(
    ("policy", "environment", "sentence"),
    [
        ({}, "", "it does not say what low risk needs at sev1: needs.low"),
        ({"needs": {**SIMPLE["needs"], "high": {"sev1": "approval"}}}, "", "high risk needs at sev2"),
        ({"needs": {**SIMPLE["needs"], "low": "yes"}}, "", "'yes' at needs.low, which is none of nothing, "),
        ({"needs": {**SIMPLE["needs"], "low": True}}, "", "it says True at needs.low"),
        ({"needs": "low"}, "", "it has no mapping at needs, but 'low'"),
        (SIMPLE, "prod", "it knows no environment 'prod' (ladder_environment); known: none"),
        (POLICY, "prod", "known: production"),
        ({**SIMPLE, "environments": {"p": {"high": "never"}}}, "p", "'never' at environments.p.high"),
        ({**SIMPLE, "environments": {"p": []}}, "p", "it has no mapping at environments.p, but []"),
    ],
)
def test_what_is_not_said_plainly_is_an_error(policy: Any, environment: str, sentence: str) -> None:
    with pytest.raises(FailedError) as failed:
        _policy.table_of(policy, environment)
    assert str(failed.value).startswith("cannot act by the policy (ladder_policy_file): it ")
    assert sentence in str(failed.value)


@pytest.mark.parametrize("minutes", [0, -1, 1441, "60", True, None])
def test_an_approval_holds_for_a_time_that_the_target_remembers(minutes: Any) -> None:
    with pytest.raises(FailedError, match="approval_minutes"):
        _policy.approval_minutes_of({"approval_minutes": minutes})


def test_without_a_word_it_holds_as_long_as_the_shipped_policy_says() -> None:
    assert _policy.approval_minutes_of({}) == POLICY["approval_minutes"] == 240


def test_approvers_that_are_no_mapping_are_an_error() -> None:
    with pytest.raises(FailedError, match="it has no mapping at approvers"):
        _policy.approvers_of({"approvers": ["bob"]})


def test_the_shipped_policy_is_yaml_without_surprises() -> None:
    assert yaml.safe_load(yaml.safe_dump(POLICY)) == POLICY
