"""The ladder under a policy: which rungs it takes, and by whose word."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.unit.collection.test_ladder import POLICY, RUNBOOK, World, heal, results

from ansible_collections.saveit.remediation.plugins.module_utils._approval import PURPOSE
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import iso

KEYS = {name: Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"-")) for name in ("bob", "eve")}
PUBLIC = {
    name: key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    for name, key in KEYS.items()
}
SITE = {**POLICY, "approvers": {"bob": PUBLIC["bob"], "Alice": PUBLIC["eve"], "dan": "ssh-rsa AAAA"}}
OPENING = {"policy": SITE, "environment": "production", "incident": "cache-1"}
ONLY_REBUILD = {**copy.deepcopy(RUNBOOK), "remedies": RUNBOOK["remedies"][3:]}


def asked(world: World, **more: Any) -> dict[str, Any]:
    """What a diagnosis says of the rung that needs a second person."""
    state = world.climb(mode="diagnose", runbook=ONLY_REBUILD, **{**OPENING, **more})
    (action,) = state["actions"]
    return dict(action)


def signed(world: World, by: str = "bob", key: str = "bob", **other: Any) -> dict[str, str]:
    """As `saveit-remediate approve` signs it, but for `other`."""
    action = asked(World({"hung"}))
    told = {"purpose": PURPOSE, "incident": "cache-1", "target": "host", "remedy": "rebuild"}
    told |= {"plan": action["plan"], "approver": by, "asked_by": "alice@ops1", "reason": "yes"}
    told |= {"at": iso(world.time - 60), "expires": iso(world.time + 600), **other}
    text = json.dumps(told)
    return {"statement": text, "signature": KEYS[key].sign(text.encode()).hex()}


def climb(world: World, *approvals: dict[str, str], **more: Any) -> dict[str, Any]:
    return world.climb(**{**OPENING, "runbook": ONLY_REBUILD, "approvals": list(approvals), **more})


def test_a_diagnosis_tells_what_each_rung_needs_and_lacks() -> None:
    state = World({"hung"}).climb(mode="diagnose", agreed=False, **OPENING)
    needs = {each["remedy"]: (each["needs"], each["lacks"]) for each in state["actions"]}
    sentence = "high risk at sev2 in production: a second person has to sign an approval"
    assert needs == {
        "start": ("nothing", ""), "wait": ("nothing", ""), "restart": ("agreement", ""),
        "rebuild": ("second-person", sentence),
    }  # fmt: skip
    assert results(state)["rebuild"] == "possible"


def test_unattended_only_the_rungs_that_need_nothing_are_taken() -> None:
    world = World({"hung"})
    state = world.climb(agreed=False)
    assert (state["verdict"], world.acted) == ("unresolved", ["wait"])
    lacks = {each["remedy"]: each["lacks"] for each in state["actions"]}
    assert lacks["restart"] == "medium risk at sev2: needs agreement (--yes, or ladder_agreed)"
    assert "restart: medium risk at sev2: needs agreement" in state["sentence"]
    assert len(state["actions"][3]["plan"]) == 64


def test_a_second_persons_word_lets_the_rung_act_and_is_told() -> None:
    world = World({"hung"}, {"rebuild": heal})
    approval = signed(world)
    state = climb(world, approval)
    assert (state["verdict"], world.acted) == ("recovered", ["rebuild"])
    (started,) = [each for each in world.events if each["kind"] == "remedy-started"]
    assert started["approved_by"] == "bob"
    assert state["interlock"]["approval"] == approval["signature"][:32]


@pytest.mark.parametrize(
    ("by", "key", "other", "sentence"),
    [
        ("bob", "bob", {"incident": "cache-2"}, "the approval of bob is for another incident"),
        ("bob", "bob", {"target": "other"}, "is for another target"),
        ("bob", "bob", {"remedy": "restart"}, "is for another remedy"),
        ("bob", "bob", {"plan": "0" * 64}, "is for another plan"),
        ("bob", "eve", {}, "the signature is not that of bob"),
        ("mallory", "eve", {}, "who is not among the approvers of the policy (Alice, bob, dan)"),
        ("dan", "eve", {}, "the policy's key of dan is no ssh-ed25519 public key"),
        ("Alice", "eve", {}, "who asked for it as alice@ops1: a second person has to approve"),
        ("Alice", "eve", {"asked_by": "bob@ops1"}, "who runs it as alice@ops1: a second person has to"),
        ("bob", "bob", {"asked_by": "BOB"}, "who asked for it as BOB: a second person has to approve"),
        ("bob", "bob", {"expires": iso(1_000_000)}, "and not now"),
        ("bob", "bob", {"at": iso(1_000_400)}, "and not now"),
        ("bob", "bob", {"expires": iso(1_000_000 + 86400)}, "longer than the 240 minutes that the policy"),
        ("bob", "bob", {"expires": "never"}, "longer than the 240 minutes that the policy"),
        ("bob", "bob", {"purpose": "greeting"}, "an approval that cannot be read"),
    ],
)
def test_an_approval_that_is_none_is_refused_with_a_sentence(
    by: str, key: str, other: dict[str, str], sentence: str
) -> None:
    world = World({"hung"}, {"rebuild": heal})
    state = climb(world, signed(world, by, key, **other))
    assert (state["verdict"], world.acted) == ("unresolved", [])
    assert sentence in state["actions"][0]["lacks"]
    assert sentence in state["sentence"]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"statement": "{}", "signature": ""},
        {"statement": "[" * 100_000, "signature": "x"},
        {"statement": None},
    ],
)
def test_garbage_is_no_approval(broken: dict[str, Any]) -> None:
    world = World({"hung"})
    assert climb(world, broken)["verdict"] == "unresolved"
    assert world.acted == []


def test_a_statement_that_was_changed_after_it_was_signed_is_refused() -> None:
    world = World({"hung"})
    good = signed(world)
    forged = {**good, "statement": good["statement"].replace('"yes"', '"yes, all of it"')}
    assert "the signature is not that of bob" in climb(world, forged)["sentence"]
    assert climb(world, {**good, "signature": "not hexadecimal"})["verdict"] == "unresolved"
    assert world.acted == []


@pytest.mark.parametrize(
    "changed",
    [{"services": {"cache": "other"}}, {"runbook": {**ONLY_REBUILD, "id": "store"}}, {"target": "other"}],
)
def test_an_approval_is_for_what_it_was_shown(changed: dict[str, Any]) -> None:
    world = World({"hung"})
    assert "the approval of bob is for another" in climb(world, signed(world), **changed)["sentence"]
    assert world.acted == []


def test_an_approval_of_what_was_found_is_not_one_of_what_is_found_now() -> None:
    world = World({"down"})
    assert "is for another plan" in climb(world, signed(world))["sentence"]


def test_a_name_is_no_second_person_but_enough_where_an_approval_is_asked() -> None:
    world = World({"hung"})
    assert climb(world, approved_by="bob")["verdict"] == "unresolved"
    assert world.acted == []
    world = World({"hung"}, {"rebuild": heal})
    assert climb(world, approved_by="bob", environment="")["verdict"] == "recovered"
    assert world.acted == ["rebuild"]


def test_a_name_that_the_policy_does_not_know_does_not_count() -> None:
    world = World({"hung"})
    state = climb(world, approved_by="trudy", environment="")
    assert "'trudy' is not among the approvers of the policy (Alice, bob, dan)" in state["sentence"]
    assert world.acted == []


def test_an_approval_without_agreement_does_not_act() -> None:
    world = World({"hung"})
    assert "needs agreement" in climb(world, signed(world), agreed=False)["sentence"]
    assert world.acted == []


@pytest.mark.parametrize(
    ("found", "given", "needs"),
    [
        ("hung", "", "second-person"),  # the runbook: sev2
        ("down", "", "approval"),  # its default: sev3
        ("down", "sev1", "second-person"),
        ("hung", "sev4", "second-person"),  # a milder word is no way around it
    ],
)
def test_the_worse_of_the_severity_found_and_given_counts(found: str, given: str, needs: str) -> None:
    assert asked(World({found}), severity=given)["needs"] == needs


def test_a_rung_that_the_policy_withholds_gives_way_to_the_next() -> None:
    site = {**POLICY, "needs": {"low": "nothing", "medium": "approval", "high": "nothing"}}
    world = World({"hung"}, {"rebuild": heal})
    state = world.climb(policy=site, agreed=False)
    assert (state["verdict"], world.acted) == ("recovered", ["wait", "rebuild"])
    assert results(state)["restart"] == "skipped"


def test_what_gets_worse_on_the_way_needs_more() -> None:
    def start(world: World) -> None:
        world.sick = {"hung"}

    site = {**POLICY, "needs": {**POLICY["needs"], "medium": {
        "sev1": "approval", "sev2": "approval", "sev3": "nothing", "sev4": "nothing",
    }}}  # fmt: skip
    world = World({"down"}, {"start": start})
    state = world.climb(policy=site, agreed=False)
    assert world.acted == ["start", "wait"]
    assert "restart: medium risk at sev2: somebody has to approve it" in state["sentence"]


def test_check_mode_needs_no_approval() -> None:
    world = World({"hung"}, check_mode=True)
    state = climb(world, agreed=False)
    assert (state["verdict"], results(state)) == ("planned", {"rebuild": "planned"})


def test_a_risk_that_nobody_knows_is_not_run() -> None:
    odd = copy.deepcopy(ONLY_REBUILD)
    odd["remedies"][0]["risk"] = "odd"
    state = World({"hung"}).climb(runbook=odd)
    assert "its risk 'odd' is none of low, medium, high" in state["sentence"]
