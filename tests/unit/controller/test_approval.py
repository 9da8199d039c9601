"""A second person's word: asked for, signed, accepted by the ladder, and refused when it is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.unit.controller.journal.conftest import NOON
from tests.unit.controller.journal.test_resume import chain, opened

from ansible_collections.saveit.remediation.plugins.module_utils._approval import check
from saveit_remediate.catalog import Policy
from saveit_remediate.errors import RefusedError, UsageError
from saveit_remediate.incident import Request
from saveit_remediate.report.history import summarize
from saveit_remediate.respond.approval import approver_of, asked_of, sign
from saveit_remediate.respond.key import Key, read_key
from saveit_remediate.respond.resume import cut_off, resumed

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site

ASKED = {"target": "alpha", "remedy": "kick", "plan": "f00d", "asked_by": "alice@ops1"}
WAITING = [
    opened(),
    ("approval-asked", ASKED),
    ("approval-asked", {**ASKED, "remedy": "burn"}),
    ("waiting", {"sentence": "the frob is dead", "severity": "sev1"}),
]
APPROVED = ("approved", {"statement": "{}", "signature": "00", "sentence": "bob approves kick"})
WENT_ON: tuple[str, dict[str, str]] = ("went-on", {})
LACKS = "high risk at sev1 in production: a second person has to sign an approval"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """As `ssh-keygen -t ed25519` writes it."""
    path = tmp_path / "approve"
    private = Ed25519PrivateKey.generate()
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o600)
    return path


@pytest.fixture
def key(key_file: Path) -> Key:
    return read_key(key_file, "by default")


def policy(**approvers: str) -> Policy:
    return Policy(Path("/site/policy.yml"), approvers, 60)


def test_what_is_signed_here_is_what_the_ladder_accepts(key: Key) -> None:
    signed = sign("one", ASKED, "bob", key, "go ahead", NOON, policy())
    wanted = {"incident": "one", "target": "alpha", "remedy": "kick", "plan": "f00d"}
    for seconds, accepted in ((0, True), (3599, True), (3601, False)):
        now = NOON.timestamp() + seconds
        found, why = check(signed, wanted, "alice@ops1", {"bob": f"{key.public} bob@ops1"}, 60, now)
        assert (found is not None) == accepted, why
    assert signed["sentence"] == "bob approves kick on alpha until 13:00 UTC: go ahead"


@pytest.mark.parametrize("name", ["alice", "Alice"])
def test_who_asks_cannot_approve(key: Key, name: str) -> None:
    with pytest.raises(RefusedError, match=f"cannot approve one: {name} has asked for it, as alice@ops1"):
        sign("one", ASKED, name, key, "", NOON, policy())


def test_a_key_belongs_to_who_has_it_in_the_policy(key: Key) -> None:
    assert approver_of(key, policy(carol="ssh-ed25519 CCCC", bob=f"{key.public} bob@ops1")) == "bob"
    with pytest.raises(
        RefusedError, match=f"of an approver of /site/policy.yml; .* the line NAME: {key.public[:20]}"
    ):
        approver_of(key, policy(carol="ssh-ed25519 CCCC"))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda path: path.unlink(), r"there is no such file; ssh-keygen -t ed25519 -N '' -f .* makes one"),
        (lambda path: path.chmod(0o640), r"others may read it \(mode 0640\); chmod 600 "),
        (
            lambda path: path.write_text("-----BEGIN"),
            "it is no private key as ssh-keygen -t ed25519 writes it",
        ),
        (lambda path: (path.unlink(), path.mkdir(0o700)), "Is a directory"),
        (
            lambda path: path.write_bytes(
                generate_private_key(SECP256R1()).private_bytes(
                    Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
                )
            ),
            "it is another kind of key",
        ),
    ],
)
def test_a_key_that_is_none_is_a_sentence(
    key_file: Path, spoil: Callable[[Path], Any], sentence: str
) -> None:
    spoil(key_file)
    with pytest.raises(UsageError, match=rf"^cannot sign with the key .* \(by default\): .*{sentence}"):
        read_key(key_file, "by default")


def test_an_incident_asks_for_each_thing_once() -> None:
    twice = [*WAITING, WENT_ON, ("approval-asked", ASKED), ("approval-asked", ASKED), ("waiting", {})]
    assert asked_of(chain(*WAITING)) == [ASKED, {**ASKED, "remedy": "burn"}]
    assert asked_of(chain(*WAITING, APPROVED), "burn") == [{**ASKED, "remedy": "burn"}]
    assert asked_of(chain(*twice)) == [ASKED]


@pytest.mark.parametrize(
    ("events", "error", "reason"),
    [
        (chain(opened()), RefusedError, "it is at work, and waits for no approval"),
        (chain(*WAITING, WENT_ON), RefusedError, "it is at work, and waits for no approval"),
        (chain(opened(), ("closed", {"outcome": "recovered", "sentence": "well"})), RefusedError,
         r"its record has an end \(recovered: well\), and waits for no approval"),
        (chain(*WAITING)[:1] + chain(*WAITING)[2:], RefusedError, "event 2 of its record was changed"),
    ],
)  # fmt: skip
def test_what_asks_for_nothing_is_not_approved(events: Any, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=f"cannot approve one: {reason}"):
        asked_of(events)


def test_a_remedy_that_is_not_asked_for_is_not_approved() -> None:
    with pytest.raises(UsageError, match="does not ask for the remedy 'kik'; did you mean 'kick'"):
        asked_of(chain(*WAITING), "kik")


def test_who_waits_is_gone_on_with_in_the_same_record_at_once_and_with_what_was_approved() -> None:
    events = chain(*WAITING, APPROVED)
    found = resumed(events, Request("-", ""), NOON + timedelta(seconds=1))
    assert (found.goes_on, found.resumes) == ("one", "")
    assert found.approvals == ({"statement": "{}", "signature": "00"},)
    assert cut_off(events).endswith("which waited for an approval; bob approves kick")
    assert (summarize(events).outcome, summarize(events).severity) == ("waiting", "sev1")


def lacking(site: Site) -> dict[str, Any]:
    return {**site.kick, "needs": "second-person", "lacks": LACKS, "plan": "f00d", "risk": "high"}


def test_two_people_from_the_question_to_the_recovery(site: Site, key: Key) -> None:
    words = {"low": "nothing", "medium": "agreement", "high": "second-person"}
    site.write("policy.yml", {"schema": 1, "needs": words, "approvers": {"bob": key.public}})
    site.publishes({"findings": [site.dead], "actions": [lacking(site)]})
    asked = site.json("--yes")
    id_ = asked["incident_id"]
    assert (asked["outcome"], asked["exit_code"]) == ("unresolved", 3)
    assert (asked["actions"][0]["needs"], asked["actions"][0]["lacks"]) == ("second-person", LACKS)
    assert asked["sentence"].endswith(
        f"(kick: {LACKS}). Next: Look at it. A second person approves it: saveit-remediate approve {id_}; "
        f"then: saveit-remediate resume {id_} --yes"
    )
    assert json.loads(site.run("incidents", "--json").stdout)[0]["outcome"] == "waiting"

    signed = site.run("approve", id_, "--reason", "seen", SAVEIT_KEY=str(key.path))
    assert (signed.returncode, signed.stderr) == (0, "")
    assert "bob approves kick on alpha until" in signed.stdout

    ready = {**lacking(site), "lacks": "", "plan": ""}
    site.publishes(
        {"findings": [site.dead], "actions": [ready]}, {"actions": [site.helped], "evidence": site.good}
    )
    signed_by_bob = '\'"approver": "bob"\' in ladder_approval[0].statement'
    given = f"ladder_agreed and ladder_incident_id == '{id_}' and {signed_by_bob}"
    playbook = site.collection / "playbooks" / "frob.yml"
    check = {"ansible.builtin.assert": {"that": f"{given} and ladder_policy_file is exists"}}
    check["when"] = "ladder_mode == 'remediate'"  # type: ignore[assignment]
    playbook.write_text(playbook.read_text() + "  - " + json.dumps(check) + "\n")
    done = site.run("resume", id_, "--yes", "--json")
    assert (json.loads(done.stdout)["incident_id"], done.returncode) == (id_, 0), done.stdout
    record = json.loads(site.run("show", id_, "--json").stdout)
    assert [event["kind"] for event in record["events"]] == [
        "opened", "assessed", "planned", "approval-asked", "waiting", "approved",
        "went-on", "assessed", "planned", "judged", "closed",
    ]  # fmt: skip
    assert record["outcome"] == "recovered"
    again = site.run("approve", id_, SAVEIT_KEY=str(key.path))
    assert (again.returncode, again.stdout) == (4, "")
    assert "its record has an end (recovered: " in again.stderr


def test_unattended_a_remedy_runs_only_where_the_policy_needs_nothing(site: Site) -> None:
    kick = {**site.kick, "needs": "nothing"}
    site.publishes(
        {"findings": [site.dead], "actions": [kick]}, {"actions": [site.helped], "evidence": site.good}
    )
    assert site.json()["outcome"] == "recovered"


def test_what_the_ladder_refused_on_the_way_is_told_with_the_command(site: Site) -> None:
    kicked = {**site.helped, "result": "no_help", "sentence": "kicked in vain", "needs": "nothing"}
    burn = {
        **lacking(site),
        "remedy": "burn",
        "result": "skipped",
        "needs": "approval",
        "lacks": "not approved",
    }
    bad = {"name": "frob.ok", "value": False, "at": 1, "phase": "verify", "after": "kick"}
    site.publishes(
        {"findings": [site.dead], "actions": [site.kick]},
        {"findings": [site.dead], "actions": [kicked, burn], "evidence": [bad]},
    )
    found = site.json("--yes")
    assert found["outcome"] == "unresolved"
    assert "not tried: burn (not approved)" in found["sentence"]
    assert found["sentence"].endswith(
        f"To approve and go on: saveit-remediate resume {found['incident_id']} --yes --approved-by NAME"
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["--incident", "frob", "--approved-by", " "], {}, "--approved-by is empty"),
        (
            ["--incident", "frob"],
            {"SAVEIT_POLICY": "nope.yml"},
            "nope.yml (from environment variable SAVEIT_POLICY)",
        ),
        (["diagnose"], {"SAVEIT_POLICY": "nope.yml"}, "nope.yml (from environment variable SAVEIT_POLICY)"),
        (["--incident", "frob", "--approved-by", "trudy"], {"SAVEIT_POLICY": "bob.yml"}, "known: bob"),
        (["approve", "last"], {}, "there is no such file; ssh-keygen -t ed25519"),
        (["approve", "x"], {"SAVEIT_KEY": "approve"}, "no incident is recorded in the journal"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_2(
    site: Site, key: Key, arguments: list[str], environment: dict[str, str], sentence: str
) -> None:
    words = {"low": "nothing", "medium": "agreement", "high": "approval"}
    site.write("bob.yml", {"schema": 1, "needs": words, "approvers": {"bob": key.public}})
    (site.folder / "approve").write_bytes(key.path.read_bytes())
    (site.folder / "approve").chmod(0o600)
    done = site.run(*arguments, **environment)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert sentence in done.stderr
