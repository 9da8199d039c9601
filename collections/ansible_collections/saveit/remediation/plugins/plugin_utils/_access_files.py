# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a runbook needs of Kubernetes: which modules its task files use, and which rules those declare.

On the controller only: a module on a managed host has none of these files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping, Sequence

import yaml

from ansible_collections.saveit.remediation.plugins.module_utils._access import Rule, needed, rights_of

COLLECTION = Path(__file__).resolve().parents[2]
_NAME = "saveit.remediation."
_LADDER = COLLECTION / "roles" / "ladder" / "tasks" / "act.yml"  # what goes around every remedy
_BLOCKS = ("block", "rescue", "always")


def read_access() -> Mapping[str, Any]:
    """meta/kubernetes_access.yml."""
    content: Mapping[str, Any] = _read(COLLECTION / "meta" / "kubernetes_access.yml")
    return content


def incident_types() -> list[str]:
    """Every role with a runbook."""
    return sorted(path.parents[1].name for path in COLLECTION.glob("roles/*/meta/runbook.yml"))


def commands() -> list[str]:
    """What the role `look` shows, such as status."""
    files = (COLLECTION / "roles" / "look" / "tasks").glob("*.yml")
    return sorted(path.stem for path in files if path.stem != "main")


def rules_for(name: str) -> list[Rule]:
    """All that an incident type needs, to look and in its remedies to act; or one of the commands."""
    access = read_access()
    if name in commands():
        modules = modules_in([COLLECTION / "roles" / "look" / "tasks" / f"{name}.yml"])
        return needed(access, modules, "look", "act")
    tasks = COLLECTION / "roles" / name / "tasks"
    looks = modules_in(sorted(tasks.glob("*.yml")))
    acts = modules_in([_LADDER, *sorted(tasks.glob("remedies/*.yml"))])
    return [*needed(access, looks, "look"), *needed(access, acts, "look", "act")]


def needs_of_remedies(role: str, remedies: Iterable[Mapping[str, Any]]) -> dict[str, list[Rule]]:
    """By the id of a remedy, the rules that it needs beyond those which the diagnosis has just used."""
    access = read_access()
    tasks = COLLECTION / "roles" / role.replace(_NAME, "", 1) / "tasks"
    seen = set(rights_of(needed(access, modules_in(sorted(tasks.glob("*.yml"))), "look")))
    return {
        remedy["id"]: [
            rule
            for rule in needed(
                access, modules_in([_LADDER, tasks / "remedies" / remedy["file"]]), "look", "act"
            )
            if not set(rights_of([rule])) <= seen
        ]
        for remedy in remedies
    }


def modules_in(files: Iterable[Path]) -> list[str]:
    """The modules of this collection that task files use, and files that they include from beside them.

    A task that says a method counts as <module>.<method> too.
    """
    found: dict[str, None] = {}
    waiting, known = list(files), set()
    while waiting:
        path = waiting.pop()
        if path in known or not path.is_file():
            continue
        known.add(path)
        for task in _tasks(_read(path) or []):
            found.update(dict.fromkeys(_named(task)))
            waiting += _included(task, path.parent)
    return sorted(found)


def _named(task: Mapping[str, Any]) -> Iterator[str]:
    for key, options in task.items():
        if key.startswith(_NAME):
            module, options = key[len(_NAME) :], options or {}
            method = options.get("method") or options.get("step")
            yield from [module, f"{module}.{method}"] if method else [module]


def _included(task: Mapping[str, Any], folder: Path) -> Sequence[Path]:
    """As Ansible looks for them: beside the file, in the role's tasks, or in those of a role by its name."""
    role = task.get("ansible.builtin.include_role") or {}
    if str(role.get("name", "")).startswith(_NAME) and role.get("tasks_from"):
        return [COLLECTION / "roles" / role["name"][len(_NAME) :] / "tasks" / role["tasks_from"]]
    name = task.get("ansible.builtin.include_tasks", "")
    roots = (folder, folder.parent)
    return [root / name for root in roots] if isinstance(name, str) and name and "{{" not in name else []


def _tasks(content: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for task in content:
        yield task
        for part in _BLOCKS:
            yield from _tasks(task.get(part) or [])


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))
