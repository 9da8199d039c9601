"""A throw-away site: a collection with one incident type, `frob`, whose playbook publishes what we say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

RUNBOOK: dict[str, Any] = {
    "schema": 1,
    "id": "frob",
    "title": "Frobnicator trouble",
    "aliases": ["fr"],
    "severity": {"default": "sev3", "rules": [{"finding": "frob-dead", "severity": "sev2"}]},
    "findings": [{"id": "frob-dead", "next": "Look at it."}, {"id": "frob-slow", "next": "Wait."}],
    "touches": ["frob_service"],
    "limits": [{"times": 3, "minutes": 60}],
    "remedies": [
        {
            "id": "kick",
            "file": "10_kick.yml",
            "title": "Kick it",
            "for": ["frob-dead"],
            "risk": "low",
            "reversible": True,
            "disrupts": "nothing",
        }
    ],
    "verify": {"hold_seconds": 2, "criteria": [{"evidence": "frob.ok", "is": True}]},
}
OPTIONS = {
    "frob_service": {"type": "str", "default": "frob"},
    "frob_count": {"type": "int", "default": 1, "description": "How many."},
    "frob_fast": {"type": "bool"},
    "frob_mode": {"type": "str", "choices": ["soft", "hard"]},
    "frob_tags": {"type": "list", "elements": "int"},
    "frob_password": {"type": "float", "no_log": True},
}
REAL = Path(__file__).resolve().parents[3] / "collections/ansible_collections/saveit/remediation"
POLICY = (REAL / "roles/ladder/files/policy.yml").read_text("utf-8")
LADDER_OPTIONS = {
    "ladder_hold_seconds": {"type": "float"},
    "ladder_max_risk": {"type": "str", "choices": ["low", "medium", "high"]},
    "ladder_mode": {"type": "str"},
    "platform": {"type": "str"},
}
DEAD = {"id": "frob-dead", "subject": "frob", "sentence": "the frob is dead"}
KICK = {"remedy": "kick", "title": "Kick it", "result": "possible", "risk": "low", "sentence": "helps"}
HELPED = {"remedy": "kick", "title": "Kick it", "result": "helped", "sentence": "kicked"}
CHANGED = {"id": "world-changed", "sentence": "not the same", "kind": "obstacle", "outcome": "refused"}
GOOD = [
    {"name": "frob.ok", "value": True, "at": at, "phase": "verify", "after": "kick"} for at in (100.0, 102.5)
]


@dataclass
class Site:
    """A folder with settings, inventory and collection; `run` is the command, as a person would type it."""

    folder: Path
    dead = DEAD
    kick = KICK
    helped = HELPED
    good = GOOD
    changed = CHANGED

    @property
    def roles(self) -> Path:
        return self.collection / "roles"

    @property
    def collection(self) -> Path:
        return self.folder / "collections" / "ansible_collections" / "saveit" / "remediation"

    def write(self, path: str, content: Any) -> Path:
        """A file below the site's folder; anything but text is written as YAML."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
        return target

    def hosts(self, *names: str, **variables: Any) -> None:
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **variables}
        self.write("hosts.yml", {"all": {"hosts": dict.fromkeys(names, local)}})

    def playbook(self, *tasks: dict[str, Any]) -> None:
        play = {"name": "Frob", "hosts": "all", "gather_facts": False, "tasks": list(tasks)}
        self.write(str(self.collection / "playbooks" / "frob.yml"), [play])

    def publishes(self, diagnose: dict[str, Any], remediate: dict[str, Any] | None = None) -> None:
        self.playbook(publish(diagnose, "diagnose"), publish(remediate or {}, "remediate"))

    def world_changes(self, times: int, then: dict[str, Any]) -> None:
        """So often the remedies find another world than the diagnosis; then the diagnosis finds `then`."""
        flags = [str(self.folder / f"turn-{turn}") for turn in range(1, times + 1)]
        last = f"'{flags[-1]}' is exists"
        tasks = []
        for mode, content, when in (
            ("diagnose", {"findings": [DEAD], "actions": [KICK]}, f"not {last}"),
            ("diagnose", then, last),
            ("remediate", {"findings": [CHANGED]}, f"not {last}"),
            ("remediate", {"actions": [HELPED], "evidence": GOOD}, last),
        ):
            task = publish(content, mode)
            tasks.append({**task, "when": [task["when"], when]})
        for before, flag in reversed(list(zip(["/", *flags], flags, strict=False))):
            note = {"name": "Take note of the turn", "ansible.builtin.copy": {"content": "", "dest": flag}}
            last_turn = ["ladder_mode == 'remediate'", f"'{before}' is exists"]
            tasks.append({**note, "when": last_turn, "check_mode": False})
        self.playbook(*tasks)

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        done = self.start(*arguments, **environ)
        out, err = done.communicate(timeout=120)
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("SAVEIT_", "ANSIBLE_"))
        }
        return subprocess.Popen(
            [sys.executable, "-m", "saveit_remediate", *arguments],
            cwd=self.folder,
            env={**clean, "HOME": str(self.folder / "home"), **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def json(self, *arguments: str) -> dict[str, Any]:
        """What the command prints with --json, which must be one JSON object and nothing else."""
        done = self.run("--incident", "frob", "--json", *arguments)
        found: dict[str, Any] = json.loads(done.stdout)
        found["exit_code"], found["stderr"] = done.returncode, done.stderr
        return found


# An action plugin whose result says what the ladder would say.
TELL = """
from ansible.plugins.action import ActionBase

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        return {"changed": False, "remediation_events": self._task.args["events"]}
"""


def publish(content: dict[str, Any], mode: str) -> dict[str, Any]:
    """The task by which a play tells what it observed."""
    return {
        "name": f"Tell, in mode {mode}",
        "ansible.builtin.set_stats": {"data": {"remediation": content}},
        "when": f"ladder_mode == '{mode}'",
    }


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "site")
    role = "collections/ansible_collections/saveit/remediation/roles"
    site.write(f"{role}/frob/meta/runbook.yml", RUNBOOK)
    site.write(f"{role}/frob/meta/argument_specs.yml", {"argument_specs": {"main": {"options": OPTIONS}}})
    site.write(
        f"{role}/ladder/meta/argument_specs.yml", {"argument_specs": {"main": {"options": LADDER_OPTIONS}}}
    )
    site.write(f"{role}/ladder/files/policy.yml", POLICY)
    galaxy = {"namespace": "saveit", "name": "remediation", "version": "0.0.1", "authors": ["x"]}
    site.write("collections/ansible_collections/saveit/remediation/galaxy.yml", galaxy)
    site.write("saveit-remediate.toml", 'inventory = "hosts.yml"\njournal = "journal.db"\n')
    site.write("collections/ansible_collections/saveit/remediation/plugins/action/tell.py", TELL)
    site.hosts("alpha")
    site.publishes({"findings": [DEAD], "actions": [KICK]}, {"actions": [HELPED], "evidence": GOOD})
    return site


@pytest.fixture
def edit_runbook(site: Site) -> Callable[[Callable[[dict[str, Any]], None]], Path]:
    """Change a copy of the runbook, and write it."""

    def edit(change: Callable[[dict[str, Any]], None]) -> Path:
        runbook = json.loads(json.dumps(RUNBOOK))
        change(runbook)
        return site.write(str(site.roles / "frob" / "meta" / "runbook.yml"), runbook)

    return edit
