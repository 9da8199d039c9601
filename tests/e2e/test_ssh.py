"""A staging host is a host: over SSH, with a banner, a login shell that talks, and no Python for its user."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from tests.e2e.conftest import Done, Lab, Remediate, Watch

REPOSITORY = Path(__file__).resolve().parents[2]
STATE = REPOSITORY / ".lab" / "ssh"
HOSTS = REPOSITORY / "inventories" / "lab-ssh" / "hosts.yml"
BASHRC = Path("/home/saveit-lab/.bashrc")
CONNECTION_TIMEOUT = 3  # seconds
OVERHEAD = 12  # seconds that a run takes on a busy machine without any connection

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an SSH server with a user of its own needs root")


@pytest.fixture(scope="module")
def host(lab: Lab) -> Lab:
    lab.run("ssh", "up")
    return lab


def login(command: str) -> subprocess.CompletedProcess[str]:
    """As a person would, by the lab's own key."""
    arguments = [
        "ssh", "-F", "none", "-p", "8022", "-i", str(STATE / "user_key"), "-o", "StrictHostKeyChecking=yes",
        "-o", f'UserKnownHostsFile="{STATE / "known_hosts"}"', "saveit-lab@127.0.0.1", command,
    ]  # fmt: skip
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)


Reach = Callable[..., "Done"]


@pytest.fixture
def reach(host: Lab, tmp_path: Path, remediate: Remediate, watch: Callable[[], Watch]) -> Reach:
    """Run against the host by an inventory in which some variables are others. Must touch nothing."""

    def reach(**variables: object) -> Done:
        shared, inventory = (
            yaml.safe_load(
                file.read_text(encoding="utf-8").replace("{{ inventory_dir }}/../..", str(REPOSITORY))
            )
            for file in (HOSTS.parent / "group_vars" / "all.yml", HOSTS)
        )
        there: dict[str, Any] = {**shared, **inventory["all"]["hosts"].pop("lab-ssh")}
        there["ansible_timeout"] = CONNECTION_TIMEOUT
        for name, value in variables.items():
            there[name] = value(there[name]) if callable(value) else value
        inventory["all"]["hosts"]["there"] = there
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory, width=1000), encoding="utf-8")
        with watch() as seen:
            done = remediate(
                "--incident", "redis", "--yes", "--json", "-i", str(tmp_path / "hosts.yml")
            )  # fmt: skip
        assert seen.touched == []
        return done

    return reach


def not_reached(done: Done) -> str:
    """The sentence, of a run that ended in time."""
    assert (done.code, done.report["outcome"]) == (5, "unreachable"), done.report["sentence"]
    assert done.report["seconds"] < CONNECTION_TIMEOUT + OVERHEAD
    sentence: str = done.report["sentence"]
    assert "there" in sentence
    assert "Authorized use only" not in sentence
    return sentence


def test_the_host_is_as_hosts_are(host: Lab) -> None:
    said = login("command -v docker; command -v python3 || command -v python || echo no Python; id -un")
    assert "Authorized use only" in said.stderr
    first, docker, python, user = said.stdout.splitlines()
    assert first.startswith("Welcome to staging")
    assert docker.endswith("/docker")
    assert (python, user) == ("no Python", "saveit-lab")


@pytest.mark.parametrize("fault", ["redis-stopped", pytest.param("redis-sigstop", marks=pytest.mark.long)])
def test_a_fault_is_remedied_without_python_and_what_the_host_prints_is_no_answer(
    host: Lab, fault: str, remediate: Remediate
) -> None:
    host.break_(fault)
    done = remediate("--incident", "redis", "--yes", "--json", "-i", str(HOSTS.parent))
    assert (done.code, done.report["outcome"]) == (0, "recovered"), done.report["sentence"]
    assert host.says_pong()
    assert "Welcome to staging" not in done.stdout
    assert "Authorized use only" not in done.stdout


@pytest.mark.long
def test_the_playbook_works_over_ssh_without_our_command(host: Lab, environment: dict[str, str]) -> None:
    host.break_("redis-stopped")
    command = ["ansible-playbook", "playbooks/redis.yml", "-i", str(HOSTS.parent)]
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        command, cwd=REPOSITORY, env={**environment, "PATH": path}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.says_pong()


def test_no_master_connection_is_left_behind(reach: Reach) -> None:
    assert reach().code == 0
    titles = [
        re.match(r"ssh: (.+/cp/\w+) \[mux\]", read(file)) for file in Path("/proc").glob("[0-9]*/cmdline")
    ]
    sockets = [Path(title[1]) for title in titles if title]
    # Another run on this machine has its own, in a folder that is there.
    assert [each for each in sockets if "saveit-" in str(each) and not each.exists()] == []


def read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def test_a_port_where_nobody_listens(reach: Reach) -> None:
    sentence = not_reached(reach(ansible_port=1))
    assert "ssh to saveit-lab@127.0.0.1 port 1: Connection refused (ansible_port, " in sentence
    assert "hosts.yml:" in sentence


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Takes connections and says nothing, as a firewall or a host that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_host_that_does_not_answer(reach: Reach, silent_port: int) -> None:
    sentence = not_reached(reach(ansible_port=silent_port))
    assert f"no answer within {CONNECTION_TIMEOUT} s (ansible_timeout, " in sentence


def test_a_host_key_that_has_changed(reach: Reach, tmp_path: Path) -> None:
    other = (STATE / "user_key.pub").read_text(encoding="ascii").split()[1]
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:8022 ssh-ed25519 {other}\n", encoding="ascii")
    sentence = not_reached(
        reach(ansible_ssh_common_args=lambda old: old.replace(str(STATE / "known_hosts"), str(known)))
    )
    assert "its host key has changed: it shows ED25519 SHA256:" in sentence
    assert f"{known}:1" in sentence
    assert "ssh-keygen -f" in sentence


def test_a_host_key_that_nobody_knows_is_not_accepted(reach: Reach, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"

    def ask(old: str) -> str:
        asks = old.replace("StrictHostKeyChecking=yes", "StrictHostKeyChecking=ask")
        return asks.replace(str(STATE / "known_hosts"), str(known))

    sentence = not_reached(reach(ansible_ssh_common_args=ask))
    assert "its host key is not known here" in sentence
    assert not known.exists()


def make_key(file: Path, passphrase: str) -> Path:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(file)]
    subprocess.run(command, check=True, timeout=60)
    return file


def test_a_host_that_asks_for_a_password(reach: Reach, tmp_path: Path) -> None:
    key = make_key(tmp_path / "other", "")
    sentence = not_reached(reach(ansible_ssh_private_key_file=str(key)))
    assert "the user saveit-lab was refused (ansible_user, " in sentence
    assert f"with the key {key} (ansible_ssh_private_key_file, " in sentence
    assert "the host takes publickey, password, and nobody is here to type one" in sentence


def test_a_key_that_asks_for_a_passphrase(reach: Reach, tmp_path: Path) -> None:
    key = make_key(tmp_path / "locked", "a secret")
    sentence = not_reached(reach(ansible_ssh_private_key_file=str(key)))
    assert f"the key {key} needs a passphrase (ansible_ssh_private_key_file, " in sentence
    assert "a secret" not in sentence


@pytest.fixture
def at_login() -> Iterator[Callable[[str], None]]:
    """Add lines to what the user's login shell runs."""
    before = BASHRC.read_text(encoding="utf-8")

    def at_login(lines: str) -> None:
        BASHRC.write_text(f"{before}{lines}\n", encoding="utf-8")

    yield at_login
    BASHRC.write_text(before, encoding="utf-8")


def test_a_path_without_docker(reach: Reach, at_login: Callable[[str], None]) -> None:
    at_login(
        'mkdir -p ~/few && ln -sf "$(command -v timeout)" "$(command -v sleep)" ~/few && export PATH=~/few'
    )
    sentence = not_reached(reach())
    assert "cannot run `docker` on there: " in sentence
    assert "No such file or directory" in sentence
    assert "docker_command, in the inventory" in sentence


def test_a_login_shell_that_runs_no_command(reach: Reach, at_login: Callable[[str], None]) -> None:
    at_login("echo This account is currently not available.; exit 1")
    sentence = not_reached(reach())
    assert "the login shell ran no command: it said 'This account is currently not available.'" in sentence


def test_a_login_shell_that_prints_a_lot_before_and_on_both_streams(
    reach: Reach, at_login: Callable[[str], None]
) -> None:
    at_login(
        "for i in 1 2 3; do echo '[{\"Id\": \"no container\"}]'; echo 'permission denied' >&2; done; printf x"
    )
    done = reach()
    assert (done.code, done.report["outcome"]) == (0, "healthy"), done.report["sentence"]
