"""The MQTT playbook against a Docker engine on paper: which service it restarts for its broker, and why."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

SETTINGS = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    "platform": "compose",
    "mqtt_host": "127.0.0.1",
    "mqtt_samples": 1,
    "mqtt_timeout_seconds": 5.0,
    "mqtt_backend_url": "",
    "mqtt_prometheus_url": "",
    "ladder_hold_seconds": 0,
    "ladder_agreed": True,
}

# Services by number, in the state of the file of that number; each call is written down.
DOCKER = """#!/bin/sh
cd "{folder}"
echo "$@" >> calls
case "$1" in
  ps) cat services ;;
  inspect) printf '[{{"Id": "%s", "Name": "/%s", "State": {{"Status": "%s"}}, "HostConfig": %s}}]' \\
    "$2" "$2" "$(cat "state$2")" '{bound}' ;;
  start | unpause | restart) for last; do :; done; echo running > "state$last"; touch serving ;;
esac
"""


class Broker:
    """Answers CONNECT with its CONNACK and gives one message back, once the file `serving` is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.connack = b"\x20\x02\x00\x00"
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                client, _address = self.server.accept()
            except OSError:
                return
            with client:
                if (self.folder / "serving").exists():
                    client.settimeout(5)
                    try:
                        self.converse(client)
                    except OSError:
                        continue

    def converse(self, client: socket.socket) -> None:
        client.recv(1000)
        client.sendall(self.connack)
        if self.connack[3] == 0 and client.recv(1000):
            client.sendall(b"\x90\x03\x00\x01\x01")
            published = client.recv(1000)
            client.sendall(b"\x40\x02\x00\x02" + published)
            client.recv(1000)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    yield made
    made.server.close()


Play = Callable[..., tuple[int, dict[str, Any], list[str]]]


@pytest.fixture
def play(
    ansible: Callable[..., Any], custom_stats: Callable[[str], Any], tmp_path: Path, broker: Broker
) -> Play:
    """Runs the playbook with these services, and gives exit code, what it published, what docker did."""

    def run(services: dict[str, str], *options: str, bound: bool = False, **settings: Any) -> Any:
        rows = []
        for number, (name, state) in enumerate(services.items(), 1):
            rows.append(f"{number}\t{name}\tFalse\n")
            (tmp_path / f"state{number}").write_text(state, "utf-8")
        (tmp_path / "services").write_text("".join(rows), "utf-8")
        ports = {"1883/tcp": [{"HostPort": str(broker.port)}]} if bound else {}
        text = DOCKER.format(folder=tmp_path, bound=json.dumps({"PortBindings": ports}))
        (tmp_path / "docker").write_text(text, "utf-8")
        (tmp_path / "docker").chmod(0o755)
        host = {
            **SETTINGS,
            "docker_command": [str(tmp_path / "docker")],
            "mqtt_port": broker.port,
            "interlock_folder": str(tmp_path / "interlock"),
            **settings,
        }
        inventory = tmp_path / "hosts.yml"
        inventory.write_text(yaml.safe_dump({"all": {"hosts": {"staging": host}}}), "utf-8")
        done = ansible("ansible-playbook", "saveit.remediation.mqtt", "-i", str(inventory), *options)
        calls = [line.split() for line in (tmp_path / "calls").read_text("utf-8").splitlines()]
        writes = [f"{each[0]} {each[-1]}" for each in calls if each[0] not in ("ps", "inspect", "logs")]
        return done.returncode, custom_stats(done.stdout + done.stderr)["remediation"], writes

    return run


def found(published: dict[str, Any]) -> list[str]:
    return [each["id"] for each in published["findings"]]


BOTH = {"mosquitto": "running", "backend": "running"}


@pytest.mark.parametrize(
    "services", [BOTH, {"backend": "running"}, {"mosquitto": "running"}, {"other": "running"}]
)
def test_a_healthy_broker_is_left_alone_wherever_it_runs(
    play: Play, tmp_path: Path, services: dict[str, str]
) -> None:
    (tmp_path / "serving").touch()
    code, published, writes = play(services)
    assert (code, found(published), published["actions"], writes) == (0, [], [], [])
    values = {each["name"]: each["value"] for each in published["evidence"]}
    assert (values["mqtt.answer"], values["mqtt.roundtrip"]) == ("healthy", True)


WAYS = [
    # services, whether they publish the port, what is found first, what is done: the verb and the number
    ({"mosquitto": "exited", "backend": "running"}, False, "service-stopped", ["start 1"]),
    ({"mosquitto": "paused", "backend": "running"}, False, "service-paused", ["unpause 1"]),
    (BOTH, False, "mqtt-closed", ["restart 1"]),
    (BOTH, True, "mqtt-closed", ["restart 1"]),
    ({"backend": "running"}, True, "mqtt-embedded-dead", ["restart 1"]),
    ({"backend": "exited"}, True, "service-stopped", ["start 1"]),
    ({"backend": "running"}, False, "mqtt-elsewhere-down", []),
    ({"other": "running"}, False, "mqtt-elsewhere-down", []),
]


@pytest.mark.parametrize(("services", "bound", "first", "wanted"), WAYS)
def test_the_service_that_runs_the_broker_gets_the_remedy_and_no_other(
    play: Play, services: dict[str, str], bound: bool, first: str, wanted: list[str]
) -> None:
    code, published, writes = play(services, bound=bound)
    assert (found(published)[0], writes) == (first, wanted)
    helped = [each["remedy"] for each in published["actions"] if each["result"] == "helped"]
    assert (code == 0, len(helped)) == (bool(wanted), len(wanted))


@pytest.mark.parametrize("services", [BOTH, {"backend": "running"}])
def test_a_broker_that_refuses_its_clients_is_not_restarted(
    play: Play, broker: Broker, tmp_path: Path, services: dict[str, str]
) -> None:
    (tmp_path / "serving").touch()
    broker.connack = b"\x20\x02\x00\x05"
    code, published, writes = play(services, bound=True)
    assert (code, found(published), writes) == (2, ["mqtt-auth"], [])
    assert published["findings"][0]["next"]


def test_a_backend_that_is_not_ready_is_not_restarted_for_its_broker(play: Play) -> None:
    code, published, writes = play({"backend": "running"}, bound=True, mqtt_backend_url="http://127.0.0.1:1")
    assert (code, found(published), writes) == (2, ["http-failing", "mqtt-embedded-dead"], [])


@pytest.mark.parametrize("services", [BOTH, {"backend": "running"}])
def test_check_mode_says_what_it_would_do_and_touches_nothing(play: Play, services: dict[str, str]) -> None:
    code, published, writes = play(services, "--check", "--diff", bound=True)
    planned = [each for each in published["actions"] if each["result"] == "planned"]
    assert (code, writes, len(planned)) == (0, [], 1)
    assert planned[0]["diff"]
