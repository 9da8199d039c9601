"""What Ansible is told: what a person said stays, and nothing can ask a question or skip a check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from saveit_remediate.run.environment import ansible_environment

Told = Callable[..., dict[str, str]]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def told(config: str = "", folder: Path = Path("/run/us/cp"), **environ: str) -> dict[str, str]:
        (tmp_path / "ansible.cfg").write_text(config)
        return ansible_environment(environ, Path("/c"), tmp_path, folder)

    return told


@pytest.mark.parametrize(
    ("config", "environ", "value"),
    [
        ("", {}, "True"),  # ansible-runner would turn it off
        ("[defaults]\nhost_key_checking = false\n", {}, "false"),
        ("[ssh_connection]\nhost_key_checking = no\n", {}, "no"),
        ("[defaults]\nhost_key_checking = false\n", {"ANSIBLE_HOST_KEY_CHECKING": "yes"}, "yes"),
        ("not ini", {}, "True"),
    ],
)
def test_host_keys_are_checked_unless_a_person_says_otherwise(
    told: Told, config: str, environ: dict[str, str], value: str
) -> None:
    assert told(config, **environ)["ANSIBLE_HOST_KEY_CHECKING"] == value


def test_nothing_asks_for_a_password(told: Told) -> None:
    environment = told()
    assert environment["SSH_ASKPASS_REQUIRE"] == "never"
    assert environment["ANSIBLE_ASK_PASS"] == environment["ANSIBLE_BECOME_ASK_PASS"] == "0"


@pytest.mark.parametrize(
    ("config", "environ", "start"),
    [
        ("", {}, "-C -o ControlMaster=auto -o ControlPersist=60s"),
        ("[ssh_connection]\nssh_args = -o Compression=no\n", {}, "-o Compression=no"),
        ("[ssh_connection]\nssh_args = -4\n", {"ANSIBLE_SSH_ARGS": "-6"}, "-6"),
    ],
)
def test_a_dead_connection_is_noticed_and_their_arguments_come_first(
    told: Told, config: str, environ: dict[str, str], start: str
) -> None:
    assert told(config, **environ)["ANSIBLE_SSH_ARGS"].startswith(f"{start} -o ServerAliveInterval=")


@pytest.mark.parametrize(
    ("config", "environ", "folder", "value"),
    [
        ("", {}, "/run/us/cp", "/run/us/cp"),
        ("", {}, f"/{'long' * 20}/cp", None),  # a socket's name has an end
        ("[ssh_connection]\ncontrol_path_dir = /their\n", {}, "/run/us/cp", None),
        ("", {"ANSIBLE_SSH_CONTROL_PATH_DIR": "/their"}, "/run/us/cp", None),
    ],
)
def test_connections_of_others_are_not_used(
    told: Told, config: str, environ: dict[str, str], folder: str, value: str | None
) -> None:
    environment = told(config, Path(folder), **environ)
    assert environment.get("ANSIBLE_SSH_CONTROL_PATH_DIR") == value


@pytest.mark.parametrize(
    ("config", "value"),
    [("", "True"), ("[connection]\npipelining = no\n", "no"), ("[defaults]\npipelining=0", "0")],
)
def test_pipelining_is_on_unless_a_person_says_otherwise(told: Told, config: str, value: str) -> None:
    assert told(config)["ANSIBLE_PIPELINING"] == value


def test_their_collections_are_found_after_ours(told: Told, tmp_path: Path) -> None:
    assert told("[defaults]\ncollections_path = here\n")["ANSIBLE_COLLECTIONS_PATH"] == f"/c:{tmp_path}/here"
