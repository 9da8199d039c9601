"""What every module promises: a file with documentation, an action plugin, one logic for both."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = ROOT / "collections/ansible_collections/saveit/remediation"
PLUGINS = "ansible_collections.saveit.remediation.plugins"
OF_THE_PLAY = {"incident_host"}  # adds a host to the play, as add_host does: no logic of ours
NAMES = sorted({path.stem for path in (COLLECTION / "plugins/modules").glob("[a-z]*.py")} - OF_THE_PLAY)
CONTRACT = {"verdict", "sentence", "findings", "evidence", "observed_at"}
ANSIBLES_OWN = {"changed", "failed", "diff", "invocation", "ansible_facts", "warnings", "deprecations"}


@pytest.fixture(scope="session")
def documented(ansible: Callable[..., Any]) -> Mapping[str, Any]:
    done = ansible("ansible-doc", "-j", "-t", "module", *(f"saveit.remediation.{name}" for name in NAMES))
    assert done.returncode == 0, done.stderr
    return {name: json.loads(done.stdout)[f"saveit.remediation.{name}"] for name in NAMES}


def logic(name: str) -> Any:
    return importlib.import_module(f"{PLUGINS}.module_utils._{name}")


def test_every_module_has_an_action_plugin_and_the_other_way_round() -> None:
    assert sorted(path.stem for path in (COLLECTION / "plugins/action").glob("[a-z]*.py")) == sorted(
        {*NAMES, *OF_THE_PLAY}
    )


@pytest.mark.parametrize("name", NAMES)
def test_module_and_action_plugin_are_one_logic(name: str) -> None:
    action = importlib.import_module(f"{PLUGINS}.action.{name}").ActionModule
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")
    shared = logic(name)
    assert action.arguments is module.ARGUMENTS is shared.ARGUMENTS
    assert action.logic is module.run is shared.run


@pytest.mark.parametrize("name", NAMES)
def test_the_documentation_has_the_options_that_the_module_takes(
    name: str, documented: Mapping[str, Any]
) -> None:
    options = documented[name]["doc"]["options"]
    arguments = logic(name).ARGUMENTS
    assert sorted(options) == sorted(arguments)
    for option, spec in arguments.items():
        for key, usual in (
            ("type", "str"),
            ("required", False),
            ("default", None),
            ("choices", None),
            ("elements", None),
        ):
            said = options[option].get(key, usual)
            assert said == spec.get(key, usual), f"{option}: {key}"
        assert options[option]["description"], option


@pytest.mark.parametrize("name", NAMES)
def test_the_documentation_is_whole(name: str, documented: Mapping[str, Any]) -> None:
    doc, returned = documented[name]["doc"], documented[name]["return"]
    assert {"check_mode", "diff_mode", "platform"} <= set(doc["attributes"])
    assert all(each.get("support") for each in doc["attributes"].values())
    assert doc["author"]
    assert doc["seealso"] if name != "ladder" else True
    assert set(returned) >= CONTRACT - ({"observed_at"} if name == "ladder" else set())
    for key in returned:
        assert returned[key]["description"], key
        assert returned[key]["returned"], key


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_are_tasks_that_the_module_takes(name: str, documented: Mapping[str, Any]) -> None:
    examples = yaml.safe_load(documented[name]["examples"])
    assert len(examples) >= 2
    arguments = logic(name).ARGUMENTS
    for task in examples:
        given = task[f"saveit.remediation.{name}"]
        assert set(given) <= set(arguments), task["name"]
        required = {option for option, spec in arguments.items() if spec.get("required")}
        assert required <= set(given), task["name"]


def test_the_action_group_is_those_that_touch_the_target() -> None:
    runtime = yaml.safe_load((COLLECTION / "meta/runtime.yml").read_text("utf-8"))
    assert sorted(runtime["action_groups"]["target"]) == [
        name for name in NAMES if "platform" in logic(name).ARGUMENTS
    ]


def test_the_action_group_recorded_is_those_that_say_for_which_incident_and_why() -> None:
    runtime = yaml.safe_load((COLLECTION / "meta/runtime.yml").read_text("utf-8"))
    assert sorted(runtime["action_groups"]["recorded"]) == [
        name for name in NAMES if {"incident", "reason"} <= set(logic(name).ARGUMENTS)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_secret_is_not_logged(name: str) -> None:
    for option, spec in logic(name).ARGUMENTS.items():
        secret = option in ("password", "login_password", "stdin", "token")
        assert spec.get("no_log", False) is secret, option


TASKS: dict[str, dict[str, Any]] = {
    "application_check": {"service": "redis", "url": "http://127.0.0.1:1/", "samples": 1},
    "service_info": {"service": "redis"},
    "service_restart": {"service": "redis", "method": "restart"},
    "service_logs": {"service": "redis", "count": {"served": "served"}},
    "service_exec": {"service": "redis", "command": ["redis-cli", "FLUSHALL"]},
    "service_usage": {"service": "redis", "resource": "memory"},
    "service_limits": {"service": "redis", "resource": "cpu"},
    "service_scale": {"service": "redis"},
    "service_reload": {"service": "redis"},
    "service_status": {},
    "service_errors": {"pattern": "served"},
    "redis_check": {"writes": True},
    "certificate_info": {"endpoint": "127.0.0.1:1"},
    "certificate_renewal": {
        "service": "redis",
        "command": ["false"],
        **{f"{name}_file": "/nowhere/x" for name in ("certificate", "key", "new_certificate", "new_key")},
    },
    "http_check": {"url": "http://127.0.0.1:1/", "subject": "backend", "probe": "x", "samples": 1},
    "postgres_info": {},
    "postgres_idle_cleanup": {"idle_minutes": 0},
    "mqtt_check": {"host": "127.0.0.1", "port": 1},
    "prometheus_query": {"url": "http://127.0.0.1:1", "query": "up", "subject": "backend", "probe": "up"},
    "cluster_access": {},
    "cluster_role": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]},
    "network_debug": {},
    "interlock": {"step": "begin", "services": ["redis"], "remedy": "redis.restart"},
    "temporary_changes": {"step": "revert"},
    "ladder": {
        "step": "open",
        "target": "t",
        "runbook": {"verify": {"hold_seconds": 1}},
        "policy": yaml.safe_load((COLLECTION / "roles/ladder/files/policy.yml").read_text()),
    },
}


def test_every_module_has_a_task_here() -> None:
    assert sorted(TASKS) == NAMES


@pytest.mark.parametrize("way", ["as action plugin", "as module file"])
def test_every_module_runs_in_check_mode_without_a_write(
    way: str, engine: Any, ansible: Callable[..., Any], tmp_path: Path, documented: Mapping[str, Any]
) -> None:
    """The module file is what runs where the action plugin is not: in a copy of the collection without."""
    collections = ROOT / "collections"
    if way == "as module file":
        collections = tmp_path / "collections"
        rubbish = shutil.ignore_patterns("action", "plugin_utils", "__pycache__", "tests")
        shutil.copytree(COLLECTION, collections / "ansible_collections/saveit/remediation", ignore=rubbish)
    docker = engine("running")
    target = {"platform": "compose", "docker_command": [docker.command]}
    for each in ("interlock", "temporary_changes"):
        TASKS[each]["interlock_folder"] = str(tmp_path / "interlock")
    tasks = [
        {
            "name": f"Run {name}",
            f"saveit.remediation.{name}": {
                **(target if "platform" in logic(name).ARGUMENTS else {}),
                **given,
            },
            "register": f"{name}_result",
        }
        for name, given in TASKS.items()
    ]
    keep = {
        "name": "Keep the results",
        "ansible.builtin.copy": {
            "content": "{{ {" + ", ".join(f"'{name}': {name}_result" for name in TASKS) + "} | to_json }}",
            "dest": str(tmp_path / "results.json"),
            "mode": "0600",
        },
        "check_mode": False,
    }
    play = {"name": "Run all", "hosts": "localhost", "gather_facts": False, "tasks": [*tasks, keep]}
    (tmp_path / "play.yml").write_text(json.dumps([play]), "utf-8")
    python = "ansible_python_interpreter={{ ansible_playbook_python }}"
    done = ansible(
        "ansible-playbook", "-i", "localhost,", "-c", "local", "-e", python, "--check", "--diff",
        str(tmp_path / "play.yml"), collections=collections,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert docker.writes == []
    assert not (tmp_path / "interlock").exists()
    verdicts = {name: results[name]["verdict"] for name in TASKS}
    assert verdicts == {
        "application_check": "application-unresponsive",
        "service_info": "running",
        "service_restart": "planned",
        "service_logs": "read",
        "service_exec": "planned",
        "service_usage": "healthy",
        "service_limits": "planned",
        "service_scale": "unchanged",
        "service_reload": "planned",
        "service_status": "running",
        "service_errors": "errors",
        "redis_check": "healthy",
        "certificate_info": "refused",
        "certificate_renewal": "planned",
        "http_check": "failing",
        "postgres_info": "healthy",
        "postgres_idle_cleanup": "planned",
        "mqtt_check": "refused",
        "prometheus_query": "unavailable",
        "cluster_access": "unasked",
        "cluster_role": "written",
        "network_debug": "unavailable",
        "interlock": "may-begin",
        "temporary_changes": "nothing",
        "ladder": "",
    }
    for name, result in results.items():
        always = {
            key
            for key, said in documented[name]["return"].items()
            if said["returned"] in ("success", "always")
        }
        assert always <= set(result), name
        if name != "ladder":
            assert set(result) <= {*documented[name]["return"], *ANSIBLES_OWN}, name
