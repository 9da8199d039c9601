"""Access rules: from what modules declare to a Role, and what the files of the collection promise."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.saveit.remediation.plugins.module_utils._access import (
    Right,
    needed,
    rights_of,
    role_objects,
    role_rules,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_kinds import KINDS
from ansible_collections.saveit.remediation.plugins.plugin_utils import _access_files as files

PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
NODES = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"], "scope": "cluster"}
PATCH = {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets"], "verbs": ["patch"]}
ACCESS = {
    "rules": {"see": [PODS], "nodes": [NODES], "patch": [PATCH]},
    "modules": {"info": {"look": ["see", "nodes"]}, "restart": {"look": ["see"], "act": ["patch"]}},
}


@pytest.mark.parametrize(
    ("modules", "parts", "rules"),
    [
        (["info"], ["look"], [PODS, NODES]),
        (["restart"], ["look"], [PODS]),
        (["info", "restart"], ["look", "act"], [PODS, NODES, PATCH]),
        (["http"], ["look", "act"], []),
    ],
)
def test_what_modules_need(modules: list[str], parts: list[str], rules: list[Any]) -> None:
    assert needed(ACCESS, modules, *parts) == rules


def test_a_role_says_a_right_once_and_shares_rules() -> None:
    more = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]}
    assert role_rules(rights_of([PODS, PATCH, PODS, more])) == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list", "patch"]},
        {"apiGroups": ["apps"], "resources": ["statefulsets"], "verbs": ["patch"]},
    ]


def test_what_belongs_to_the_whole_cluster_gets_a_role_of_its_own() -> None:
    objects = role_objects(rights_of([PODS, NODES]), "tool", "saveit", "ci:bot")
    assert [(each["kind"], each["metadata"]) for each in objects] == [
        ("Role", {"name": "tool", "namespace": "saveit"}),
        ("RoleBinding", {"name": "tool", "namespace": "saveit"}),
        ("ClusterRole", {"name": "tool-saveit"}),
        ("ClusterRoleBinding", {"name": "tool-saveit"}),
    ]
    assert objects[0]["rules"] == [PODS]
    assert objects[1]["subjects"] == [{"kind": "ServiceAccount", "name": "bot", "namespace": "ci"}]
    assert objects[3]["roleRef"]["name"] == "tool-saveit"


def test_an_account_without_a_namespace_is_in_that_of_the_services() -> None:
    _role, binding = role_objects(rights_of([PODS]), "tool", "saveit", "bot")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "bot", "namespace": "saveit"}]


DECLARED = files.read_access()


def test_every_module_that_touches_a_target_declares_what_it_needs_and_no_other_does() -> None:
    runtime = yaml.safe_load((files.COLLECTION / "meta" / "runtime.yml").read_text("utf-8"))
    declared = {name.partition(".")[0] for name in DECLARED["modules"]}
    assert sorted(declared) == sorted(runtime["action_groups"]["target"])


def test_every_rule_is_used_and_has_a_name() -> None:
    used = {
        name
        for entry in DECLARED["modules"].values()
        for part in ("look", "act")
        for name in entry.get(part, ())
    }
    assert used == set(DECLARED["rules"])


@pytest.mark.parametrize("name", sorted(DECLARED["rules"]))
def test_a_rule_is_about_kinds_that_we_know(name: str) -> None:
    known = {(kind.group, kind.plural): kind.namespaced for kind in KINDS.values()}
    for rule in DECLARED["rules"][name]:
        assert set(rule) - {"scope", "optional", "workload"} == {"apiGroups", "resources", "verbs"}
        for right in rights_of([rule]):
            plural = right.resource.partition("/")[0]
            is_namespaced = known[right.group, plural] or plural == "namespaces"
            assert is_namespaced is (right.scope == "namespace"), right
            assert re.fullmatch("get|list|watch|create|patch|update|delete", right.verb)


def test_nothing_gets_a_wildcard_and_only_secrets_of_certificates_are_read() -> None:
    rights = {right for rules in DECLARED["rules"].values() for right in rights_of(rules)}
    assert not [right for right in rights if "*" in right]
    readers = {
        name.partition(".")[0]
        for name, entry in DECLARED["modules"].items()
        if any(right.resource == "secrets" for right in rights_of(needed(DECLARED, [name], *entry)))
    }
    assert readers == {"certificate_info", "certificate_renewal"}


def test_a_runbook_needs_what_its_tasks_use() -> None:
    rights = rights_of(files.rules_for("redis"))
    assert Right("apps", "deployments", "patch") in rights
    assert Right("", "pods/exec", "create") in rights
    assert Right("autoscaling", "horizontalpodautoscalers", "patch") not in rights


def test_a_remedy_needs_what_the_diagnosis_has_not_used() -> None:
    remedies = [{"id": "restart", "file": "40_restart.yml"}, {"id": "wait", "file": "30_wait.yml"}]
    needs = files.needs_of_remedies("saveit.remediation.redis", remedies)
    rights = {right.resource: right.verb for right in rights_of(needs["restart"])}
    assert rights["deployments"] == "patch"
    assert "pods" not in rights
    # It looks as the diagnosis does; only the interlock is written.
    assert {right.resource for right in rights_of(needs["wait"])} == {"leases"}


def test_task_files_are_followed_through_blocks_and_includes(tmp_path: Path) -> None:
    (tmp_path / "remedies").mkdir()
    first, second, third = tmp_path / "remedies" / "10_a.yml", tmp_path / "wait.yml", tmp_path / "look.yml"
    first.write_text(
        yaml.safe_dump(
            [
                {"name": "A", "block": [{"name": "B", "saveit.remediation.service_restart": {}}]},
                {"name": "C", "ansible.builtin.include_tasks": "wait.yml"},
                {"name": "D", "ansible.builtin.include_tasks": "{{ what }}.yml"},
            ]
        )
    )
    second.write_text(yaml.safe_dump([{"name": "E", "ansible.builtin.include_tasks": "look.yml"}]))
    third.write_text(
        yaml.safe_dump(
            [
                {"name": "F", "rescue": [{"name": "G", "saveit.remediation.service_logs": {}}]},
                {"name": "H", "ansible.builtin.include_tasks": "look.yml"},
            ]
        )
    )
    assert files.modules_in([first]) == ["service_logs", "service_restart"]


def test_what_a_method_needs_more_is_asked_for_only_by_the_remedies_that_say_it() -> None:
    remedies = [
        {"id": "renew", "file": "40_renew.yml"},
        {"id": "self-signed", "file": "50_self_signed.yml"},
        {"id": "delete-secret", "file": "60_delete_secret.yml"},
    ]
    needs = files.needs_of_remedies("certificate", remedies)
    status = ("certificates/status", "patch")
    assert {
        remedy: {(each.resource, each.verb) for each in rights_of(rules) if each.resource != "leases"}
        for remedy, rules in needs.items()
    } == {
        "renew": {status},
        "self-signed": {status, ("certificates", "patch")},
        "delete-secret": {status, ("secrets", "create"), ("secrets", "delete")},
    }
