"""The lab over SSH: its server and its user come and go with it."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from saveit_lab import processes, ssh

if TYPE_CHECKING:
    from tests.lab.conftest import Lab

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an SSH server with a user of its own needs root")


@pytest.fixture
def server(lab: Lab) -> Iterator[int]:
    done = lab.run("ssh", "up")
    assert done.returncode == 0, done.stderr
    pid = ssh.running()
    assert pid is not None
    yield pid
    lab.run("ssh", "up")


def test_the_user_may_use_docker_and_is_not_root(lab: Lab, server: int) -> None:
    assert pwd.getpwnam(ssh.USER).pw_uid != 0
    assert ssh._try().output.count("Server:") == 1


def test_up_again_leaves_the_server_alone(lab: Lab, server: int) -> None:
    assert lab.run("ssh", "up").returncode == 0
    assert ssh.running() == server


def test_keys_are_readable_by_their_owner_only(server: int) -> None:
    for key in (ssh.HOST_KEY, ssh.USER_KEY):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_another_server_at_its_port_is_said(lab: Lab, server: int) -> None:
    """`up` after a pid file was lost: the old server still listens."""
    number = ssh.PID.read_text()
    ssh.PID.unlink()
    try:
        done = lab.run("ssh", "up")
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
        assert f"port {ssh.PORT}" in done.stderr
    finally:
        ssh.PID.write_text(number)


def test_down_ends_server_and_sessions(lab: Lab, server: int) -> None:
    assert lab.run("ssh", "down").returncode == 0
    assert not processes.alive(server)
    assert processes.below(server) == []
    assert "not up" in lab.run("ssh", "status").stdout
    if not ssh._used_by_another_lab():
        with pytest.raises(KeyError):
            pwd.getpwnam(ssh.USER)
        assert not Path(ssh.HOME).exists()
