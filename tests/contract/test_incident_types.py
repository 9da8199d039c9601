"""What every incident type promises, whoever writes it: for each role folder with a meta/runbook.yml."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = ROOT / "collections/ansible_collections/saveit/remediation"
ROLES = sorted(path.parents[1].name for path in COLLECTION.glob("roles/*/meta/argument_specs.yml"))
IDS = sorted(path.parents[1].name for path in COLLECTION.glob("roles/*/meta/runbook.yml"))
TASK_FILES = sorted(COLLECTION.glob("roles/*/tasks/**/*.yml"))
PLAYBOOKS = sorted([*COLLECTION.glob("playbooks/*.yml"), *ROOT.glob("playbooks/*.yml")])
TESTS = {"is", "is_not", "at_most", "at_least"}
COMMANDS = (
    "batches",
    "diagnose",
    "status",
    "errors",
    "db",
    "debug",
    "rbac",
    "interlock",
    "changes",
    "revert",
)
RISKS = ["low", "medium", "high"]
SEVERITIES = {"sev1", "sev2", "sev3", "sev4"}
KEYS = {
    "schema",
    "id",
    "title",
    "aliases",
    "symptoms",
    "explains",
    "alerts",
    "severity",
    "findings",
    "touches",
    "limits",
    "remedies",
    "verify",
}
REMEDY_KEYS = {"id", "file", "title", "for", "risk", "reversible", "disrupts"}
REMEDY_OPTIONS = {"never_for", "patience_seconds", "limits"}
FORBIDDEN = {"shell", "command", "raw", "script", "set_fact", "setup", "gather_facts"}
BLOCKS = ("block", "rescue", "always")
TASK_WORDS = {
    *("name", "when", "register", "vars", "loop", "loop_control", "until", "retries", "delay", "no_log"),
    *("become", "delegate_to", "run_once", "check_mode", "diff", "changed_when", "failed_when", "timeout"),
    *("module_defaults", "notify", "tags", "throttle", *BLOCKS),
}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def runbook(id_: str) -> dict[str, Any]:
    loaded: dict[str, Any] = read(COLLECTION / f"roles/{id_}/meta/runbook.yml")
    return loaded


def test_there_is_an_incident_type() -> None:
    assert "redis" in IDS


@pytest.mark.parametrize("id_", IDS)
def test_the_id_is_the_same_everywhere(id_: str) -> None:
    assert runbook(id_)["id"] == id_
    (batches,) = read(COLLECTION / f"playbooks/{id_}.yml")
    assert batches["ansible.builtin.import_playbook"] == "saveit.remediation.batches", (
        "every one is in batches"
    )
    assert batches["vars"] == {"remediation_role": f"saveit.remediation.{id_}"}
    (imported,) = read(ROOT / f"playbooks/{id_}.yml")
    assert imported["ansible.builtin.import_playbook"] == f"saveit.remediation.{id_}"
    assert imported["name"] == runbook(id_)["title"]


def test_the_batches_act_on_a_few_hosts_at_a_time_of_those_that_were_looked_at_and_counted() -> None:
    look, count, act, end = read(COLLECTION / "playbooks/batches.yml")
    ask = "{{{{ query('saveit.remediation.batch', '{}') }}}}"
    stages = {"look": look, "count": count, "act": act, "end": end}
    assert {stage: play["hosts"] for stage, play in stages.items()} == {
        each: ask.format(each) for each in stages
    }
    assert act["serial"] == ask.format("serial")
    assert [play["roles"][0]["vars"]["ladder_stage"] for play in (look, act)] == ["look", "act"]
    assert count["tasks"][0]["saveit.remediation.ladder"]["step"] == "count"


def test_aliases_name_one_incident_type_only() -> None:
    words = [word for id_ in IDS for word in (id_, *runbook(id_).get("aliases", ()))]
    assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize("id_", IDS)
def test_what_an_incident_type_explains_is_another_one(id_: str) -> None:
    explained = runbook(id_).get("explains", ())
    assert set(explained) <= set(IDS) - {id_}


@pytest.mark.parametrize("id_", IDS)
def test_there_is_a_molecule_scenario(id_: str) -> None:
    assert (ROOT / f"molecule/{id_}/molecule.yml").is_file()


@pytest.mark.parametrize("id_", IDS)
def test_the_runbook_has_the_known_keys(id_: str) -> None:
    book = runbook(id_)
    assert book["schema"] == 1
    assert set(book) <= KEYS
    assert KEYS - {"aliases", "symptoms", "explains", "alerts"} <= set(book)
    assert book["title"]
    for each in book["findings"]:
        assert {"id", "next"} <= set(each) <= {"id", "next", "symptom"}, each["id"]
        assert each["next"].endswith("."), each["id"]


@pytest.mark.parametrize("id_", IDS)
def test_findings_have_one_rank_each(id_: str) -> None:
    ids = [each["id"] for each in runbook(id_)["findings"]]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", each) for each in ids)


@pytest.mark.parametrize("id_", IDS)
def test_remedies_are_files_in_the_order_of_the_ladder(id_: str) -> None:
    remedies = runbook(id_)["remedies"]
    files = [each["file"] for each in remedies]
    assert files == sorted(files)
    assert len({each["id"] for each in remedies}) == len(remedies)
    for each in remedies:
        assert re.fullmatch(rf"\d\d_{each['id'].replace('-', '_')}\.yml", each["file"]), each["file"]
    assert sorted(path.name for path in (COLLECTION / f"roles/{id_}/tasks/remedies").iterdir()) == files


@pytest.mark.parametrize("id_", IDS)
def test_what_remedies_act_on_is_leased_and_how_often_they_may_is_limited(id_: str) -> None:
    book = runbook(id_)
    options = read(COLLECTION / f"roles/{id_}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = read(COLLECTION / f"roles/{id_}/defaults/main.yml")
    assert set(book["touches"]) <= set(options) & set(defaults)
    acted_on = {
        name
        for path in (COLLECTION / f"roles/{id_}/tasks/remedies").iterdir()
        for name in re.findall(r'service: "{{ (\w+_service) }}', path.read_text("utf-8"))
    }
    assert acted_on
    assert acted_on <= set(book["touches"])
    for limits in (book["limits"], *(each["limits"] for each in book["remedies"] if "limits" in each)):
        assert len(limits) >= 2
        assert all(window["times"] >= 1 and window["minutes"] >= 1 for window in limits)


@pytest.mark.parametrize("id_", IDS)
def test_remedies_are_described_and_name_known_findings(id_: str) -> None:
    book = runbook(id_)
    known = {each["id"] for each in book["findings"]}
    for each in book["remedies"]:
        assert REMEDY_KEYS <= set(each) <= REMEDY_KEYS | REMEDY_OPTIONS, each["id"]
        assert each["risk"] in RISKS, each["id"]
        assert isinstance(each["reversible"], bool), each["id"]
        assert each["title"], each["id"]
        assert each["disrupts"], each["id"]
        assert each["for"], each["id"]
        assert {*each["for"], *each.get("never_for", ())} <= known, each["id"]
        assert not set(each["for"]) & set(each.get("never_for", ())), each["id"]


@pytest.mark.parametrize("id_", IDS)
def test_severity_rules_name_known_findings(id_: str) -> None:
    book = runbook(id_)
    assert book["severity"]["default"] in SEVERITIES
    for rule in book["severity"].get("rules", ()):
        assert rule["severity"] in SEVERITIES
        assert rule["finding"] in {each["id"] for each in book["findings"]}


@pytest.mark.parametrize("id_", IDS)
def test_recovery_is_proved_by_criteria_with_known_words(id_: str) -> None:
    verify = runbook(id_)["verify"]
    assert verify["hold_seconds"] > 0
    assert 0 < verify["interval_seconds"] <= verify["hold_seconds"] <= verify["patience_seconds"]
    for each in verify["criteria"]:
        assert len(TESTS & set(each)) == 1, each
        assert set(each) <= {"evidence", "no_data", "keep", *TESTS}, each
        assert each.get("no_data", "fail") in ("pass", "fail"), each
    assert any(each.get("no_data", "fail") == "fail" for each in verify["criteria"]), (
        "no evidence is no recovery"
    )


@pytest.mark.parametrize("role", ROLES)
def test_argument_spec_and_defaults_say_the_same(role: str) -> None:
    options = read(COLLECTION / f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = read(COLLECTION / f"roles/{role}/defaults/main.yml")
    assert {name: spec["default"] for name, spec in options.items() if "default" in spec} == defaults
    for name, spec in options.items():
        assert spec["description"], name
        assert spec["type"], name
        if role in IDS:
            assert name.startswith(f"{role}_"), name
            assert spec.get("no_log", False) is name.endswith("password"), name


def tasks_of(content: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in content:
        yield task
        for part in BLOCKS:
            yield from tasks_of(task.get(part, []))


@pytest.mark.parametrize("path", TASK_FILES, ids=lambda path: str(path.relative_to(COLLECTION / "roles")))
def test_tasks_are_named_and_only_call_modules(path: Path) -> None:
    for task in tasks_of(read(path)):
        assert re.match(r"[A-Z][a-z]+ ", f"{task['name']} "), task["name"]
        assert not {"ignore_errors", "ignore_unreachable"} & set(task), task["name"]
        actions = set(task) - TASK_WORDS
        assert len(actions) == (0 if "block" in task else 1), (task["name"], actions)
        for action in actions:
            assert action.startswith(("ansible.builtin.", "saveit.remediation.")), action
            assert action.split(".")[-1] not in FORBIDDEN, action


@pytest.mark.parametrize("path", TASK_FILES, ids=lambda path: str(path.relative_to(COLLECTION / "roles")))
def test_an_expression_has_one_filter_at_most(path: Path) -> None:
    for expression in re.findall(r"\{\{(.*?)\}\}", path.read_text("utf-8"), re.DOTALL):
        assert expression.count("|") <= 1, expression


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_playbook_is_of_a_known_incident_type_and_gathers_no_facts(path: Path) -> None:
    assert path.name.split(".")[0] in {*IDS, *COMMANDS}
    for play in read(path):
        assert play["name"]
        if "hosts" in play:
            assert play["gather_facts"] is False
            asks = "query('saveit.remediation.batch', " in play["hosts"]
            assert asks or play["hosts"] == "remediation_looks", "where an empty inventory is an error"


def test_the_playbooks_pass_the_syntax_check(ansible: Callable[..., Any]) -> None:
    done = ansible("ansible-playbook", "--syntax-check", "-i", "localhost,", *map(str, PLAYBOOKS))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("playbook: ") == len(PLAYBOOKS)


def test_the_roles_read_well_in_ansible_doc(ansible: Callable[..., Any]) -> None:
    done = ansible("ansible-doc", "-t", "role", *(f"saveit.remediation.{role}" for role in ROLES))
    assert done.returncode == 0, done.stderr
    pages = re.sub(r"\x1b\[\d+m", "", done.stdout).replace("*main*", "main")
    assert pages.count("ENTRY POINT: main - ") == len(ROLES)
