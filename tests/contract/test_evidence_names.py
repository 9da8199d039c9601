"""A site may call its services what it likes: criteria name evidence by the runbook's own names for them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = ROOT / "collections/ansible_collections/saveit/remediation/roles"
IDS = sorted(path.parents[1].name for path in ROLES.glob("*/meta/runbook.yml"))
OWN = {"application", "frontend", "mqtt"}  # what a module itself says, whatever the service is called
SERVICES = ("redis", "backend", "postgres", "nginx", "mosquitto", "frontend")

DOCKER = """#!/bin/sh
case "$1 $2" in
  "inspect --type=container") echo '{"Memory": 268435456, "NanoCpus": 500000000}'; exit ;;
  stats*) echo '{"MemUsage": "64MiB / 256MiB", "CPUPerc": "1.00%"}'; exit ;;
  info*) echo 4; exit ;;
esac
case "$1" in
  ps) printf '%s' 'ROWS' ;;
  inspect) shift; between='['
    for id; do printf '%s{"Id": "%s", "Name": "/%s", "State": {"Status": "running"}}' "$between" "$id" "$id"
      between=','; done; echo ']' ;;
  logs) echo "2026-11-23T02:48:10Z served" ;;
  exec) case "$*" in *psql*) cat SESSIONS ;; *redis-cli*) cat REDIS ;; esac ;;
esac
"""
MODULE_DEFAULTS = {"platform": "{{ platform }}", "docker_command": "{{ docker_command }}"}


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_given: Any) -> None:
        pass


@pytest.fixture(scope="module")
def backend() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def climbs(id_: str) -> Mapping[str, Any]:
    """What the role gives to the ladder."""
    tasks = read(ROLES / id_ / "tasks/main.yml")
    given: Mapping[str, Any] = next(task["vars"] for task in tasks if "ladder_role" in task.get("vars", {}))
    return given


def named(id_: str) -> list[str]:
    """The parameters of a role by which a site names a service."""
    options = read(ROLES / id_ / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    return [name for name in options if name.endswith("_service")]


def play(id_: str) -> dict[str, Any]:
    """Takes one sample of the verification, and says by which names the ladder knows the evidence."""
    given, role = climbs(id_), f"saveit.remediation.{id_}"
    runbook = read(ROLES / id_ / "meta/runbook.yml")
    state = "{{ ladder_state }}"
    policy = read(ROLES / "ladder/files/policy.yml")
    opened = {
        "step": "open",
        "policy": policy,
        "runbook": runbook,
        "services": given.get("ladder_services", {}),
    }
    assessed = {"step": "assess", "state": state, "observed": given["ladder_observed"]}
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.include_role": {"name": role, "tasks_from": "diagnose"}},
        {"saveit.remediation.ladder": opened, "register": "ladder_state"},
        {"ansible.builtin.include_role": {"name": role, "tasks_from": "verify"}},
        {"saveit.remediation.ladder": assessed, "register": "ladder_state"},
        {"ansible.builtin.set_stats": {"data": {id_: "{{ ladder_state.kept | from_json }}"}}},
    ]
    return {
        "hosts": "all",
        "gather_facts": False,
        "vars": {"ladder_plan": {}},
        "module_defaults": {"group/saveit.remediation.target": MODULE_DEFAULTS},
        "tasks": tasks,
    }


@pytest.fixture(scope="module")
def measure(
    ansible: Callable[..., Any], backend: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[bool], dict[str, Any]]:
    """The evidence that each role measures, by incident type, under the names that the ladder gives it."""

    def run(renamed: bool) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("site")
        ours = {name: f"{name}-of.this_site" if renamed else name for name in SERVICES}
        rows = "".join(f"{number}\t{name}\tFalse\n" for number, name in enumerate(ours.values(), 1))
        text = DOCKER.replace("ROWS", rows)
        text = text.replace("SESSIONS", str(ROOT / "tests/fixtures/postgresql-15.18/would_terminate.json"))
        text = text.replace("REDIS", str(ROOT / "tests/fixtures/redis-cli-7.0/healthy_writes.txt"))
        (folder / "docker").write_text(text, "utf-8")
        (folder / "docker").chmod(0o755)
        defaults = {
            name: value for id_ in IDS for name, value in read(ROLES / id_ / "defaults/main.yml").items()
        }
        settings = {
            "ansible_connection": "local",
            "platform": "compose",
            "docker_command": [str(folder / "docker")],
            "backend_url": backend,
            "frontend_url": backend,
            "certificate_endpoint": "127.0.0.1:1",
            "mqtt_host": "127.0.0.1",
            "mqtt_port": 1,
            **{name: ours.get(defaults[name], "") for id_ in IDS for name in named(id_)},
        }
        (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"site": settings}}}), "utf-8")
        (folder / "play.yml").write_text(yaml.safe_dump([play(id_) for id_ in IDS]), "utf-8")
        done = ansible("ansible-playbook", "-i", str(folder / "hosts.yml"), str(folder / "play.yml"))
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.JSONDecoder().raw_decode(done.stdout.split("RUN: ", 1)[1])[0]
        return {id_: found[id_]["baseline"] for id_ in IDS}

    return run


@pytest.mark.parametrize("id_", IDS)
def test_a_role_tells_the_ladder_each_name_that_its_evidence_may_have(id_: str) -> None:
    services = climbs(id_).get("ladder_services", {})
    first = {
        each["evidence"].partition(".")[0]
        for each in read(ROLES / id_ / "meta/runbook.yml")["verify"]["criteria"]
    }
    assert first - OWN <= set(services)
    assert set(services.values()) <= {f"{{{{ {name} }}}}" for name in named(id_)}


def test_every_criterion_has_its_evidence_whatever_the_services_are_called(
    measure: Callable[[bool], dict[str, Any]],
) -> None:
    usual, renamed = measure(False), measure(True)
    for id_ in IDS:
        criteria = read(ROLES / id_ / "meta/runbook.yml")["verify"]["criteria"]
        wanted = {each["evidence"] for each in criteria if each.get("no_data") != "pass"}
        assert wanted <= set(renamed[id_]), id_
        assert set(renamed[id_]) == set(usual[id_]), id_
