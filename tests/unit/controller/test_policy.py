"""policy.yml as a site writes it: what is read, and the sentence for what cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.saveit.remediation.plugins.module_utils import _policy
from saveit_remediate.catalog import load_policy, open_catalog
from saveit_remediate.catalog.policy import NEEDS, read_policy
from saveit_remediate.errors import UsageError
from saveit_remediate.incident import Severity

WORDS = {"low": "nothing", "medium": "agreement", "high": "approval"}
KEY = "ssh-ed25519 " + "A" * 68


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return tmp_path / "policy.yml"


def test_the_shipped_policy_is_read_and_knows_the_words_of_the_ladder() -> None:
    shipped = load_policy(open_catalog(None), None)
    assert (shipped.approvers, shipped.approval_minutes) == ({}, 240)
    assert (NEEDS, tuple(Severity)) == (_policy.NEEDS, _policy.SEVERITIES)


def test_a_site_names_its_approvers(policy: Path) -> None:
    site = {"schema": 1, "needs": WORDS, "approvers": {"bob": f"{KEY} bob@ops1"}, "approval_minutes": 30}
    policy.write_text(yaml.safe_dump(site))
    read = read_policy(policy)
    assert (read.approvers, read.approval_minutes) == ({"bob": f"{KEY} bob@ops1"}, 30)
    read.check_approver("bob", "--approved-by")
    with pytest.raises(UsageError, match=r"--approved-by: 'bobb' is not among .*; did you mean 'bob'\?"):
        read.check_approver("bobb", "--approved-by")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must be a mapping, not nothing"),
        ("[]", "must be a mapping, not a list"),
        ("needs: [", "is not YAML: line 1"),
        ("schema: 2\nneeds: {}", "schema must be 1"),
        ("needs: {}", "lacks the key 'schema'"),
    ],
)
def test_what_is_no_policy_is_a_sentence(policy: Path, text: str, sentence: str) -> None:
    policy.write_text(text)
    with pytest.raises(UsageError) as failed:
        read_policy(policy)
    assert str(failed.value).startswith(str(policy))
    assert sentence in str(failed.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"needs": {**WORDS, "hihg": "approval"}}, "needs has the unknown key 'hihg'; did you mean 'high'?"),
        ({"needs": {"low": "nothing"}}, "needs lacks the key 'medium'"),
        (
            {"needs": {**WORDS, "medium": True}},
            "needs.medium must be one of nothing, agreement, approval, sec",
        ),
        ({"needs": {**WORDS, "high": {"sev1": "approval"}}}, "needs.high lacks the key 'sev2'"),
        ({"environments": {"p": {"high": {"sev5": "approval"}}}}, "has the unknown key 'sev5'; did you mean"),
        ({"environments": {"p": {"high": {"sev1": "never"}}}}, "environments.p.high.sev1 must be one of"),
        ({"environments": {"p": None}}, "environments.p must be a mapping, not nothing"),
        ({"environments": ["p"]}, "environments must be a mapping of names"),
        (
            {"approvers": {"bob": "ssh-rsa AAAA"}},
            "approvers.bob must be a public key as ssh-keygen -t ed25519",
        ),
        ({"approvers": {True: KEY}}, "approvers has the name True, which is no text"),
        ({"approval_minutes": 0}, "approval_minutes must be from 1"),
        ({"approval_minutes": 1441}, "approval_minutes must be at most 1440, a day"),
        ({"aprovers": {}}, "has the unknown key 'aprovers'; did you mean 'approvers'?"),
    ],
)
def test_a_mistake_is_a_sentence_that_names_the_key(
    policy: Path, change: dict[str, Any], sentence: str
) -> None:
    policy.write_text(yaml.safe_dump({"schema": 1, "needs": WORDS, **change}))
    with pytest.raises(UsageError) as failed:
        read_policy(policy)
    assert sentence in str(failed.value)


def test_a_policy_that_is_named_and_not_there_is_no_default(policy: Path) -> None:
    with pytest.raises(
        UsageError, match=r"cannot read the policy .*policy\.yml \(from x\): there is no such"
    ):
        load_policy(open_catalog(None), policy, "from x")
