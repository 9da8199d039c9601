"""The lab as a host that is reached over SSH, see inventories/lab-ssh.

The host is as hosts are: a banner, a login shell that talks, a user who is not root, and on that user's PATH
Docker, coreutils, a shell and no Python.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
from pathlib import Path

from saveit_lab import compose, debian, places, processes
from saveit_lab.commands import Finished, act, look
from saveit_lab.errors import LabError
from saveit_lab.waiting import until

PORT = 8022
USER = "saveit-lab"
HOME = Path("/home") / USER
PATH = HOME / "bin"
SERVER = "/usr/sbin/sshd"
PID = places.SSH / "sshd.pid"
CONFIGURATION = places.SSH / "sshd_config"
LOG = places.SSH / "sshd.log"
HOST_KEY = places.SSH / "host_key"
USER_KEY = places.SSH / "user_key"
KNOWN_HOSTS = places.SSH / "known_hosts"
BANNER = places.SSH / "banner"

BESIDES = ("docker", "docker-compose", "sh", "bash", "flock", "grep", "sed")  # on PATH, besides coreutils
TALK = """\
# Not every login shell is silent, and what it prints is no answer of a command.
echo "Welcome to staging. 3 packages can be updated."
echo "stty: standard input: Inappropriate ioctl for device" >&2
"""
WARNING = """\
*********************************************************
  Staging of Save-It.AI. Authorized use only.
  A wrong password means: permission denied, and a call.
*********************************************************
"""


def up() -> None:
    """Return when the user can use Docker over SSH."""
    if os.geteuid() != 0:
        raise LabError("cannot reach the lab over SSH: a server with a user of its own needs root")
    if not Path(SERVER).exists():
        debian.install(["openssh-server"], "the SSH server")
    places.SSH.mkdir(parents=True, exist_ok=True)
    _make_user()
    _make_keys()
    _serve()
    if not until(lambda: _try().ok, 10, every=0.3):
        raise LabError(f"cannot use Docker over SSH as {USER}: {_try().complaint}; the server's log is {LOG}")


def down() -> bool:
    """Stop the server that the lab started and remove its user. Whether there was a server."""
    pid = running()
    if pid is not None:
        sessions = processes.below(pid)  # they would outlive the server
        for each in (pid, *sessions):
            _end(each)
        if not until(lambda: not any(map(processes.alive, (pid, *sessions))), 10):
            raise LabError(
                f"cannot stop the SSH server: process {pid} or a session is still there after 10 s"
            )
    PID.unlink(missing_ok=True)
    if os.geteuid() == 0 and _has_user() and not _used_by_another_lab():
        look("userdel", "--remove", USER)
    return pid is not None


def running() -> int | None:
    """The process id of the server that the lab started, while it lives."""
    return processes.running(PID, "sshd")


def describe() -> str:
    pid = running()
    return f"{USER}@127.0.0.1 port {PORT} (pid {pid})" if pid else "not up"


def _make_user() -> None:
    if not _has_user():
        act(f"make the user {USER}", "useradd", "--create-home", "--home-dir", str(HOME),
            "--shell", "/bin/bash", "--password", "*", USER)  # fmt: skip
    act(f"let {USER} use Docker", "usermod", "--append", "--groups", "docker", USER)
    (HOME / ".bashrc").write_text(TALK, encoding="utf-8")
    PATH.mkdir(exist_ok=True)
    coreutils = [Path(line) for line in look("dpkg", "-L", "coreutils").output.splitlines()]
    names = {path.name for path in coreutils if path.parent.name in ("bin", "sbin")} | set(BESIDES)
    for name in sorted(names):
        program = shutil.which(name)
        if program and not (PATH / name).is_symlink():
            (PATH / name).symlink_to(program)
    _give_compose()


def _give_compose() -> None:
    """The plugin of this clone, and the file that compose reads: this user could do anything with Docker."""
    plugin = HOME / ".docker" / "cli-plugins" / "docker-compose"
    ours = Path(compose.find().env.get("DOCKER_CONFIG", "/nowhere"), "cli-plugins", "docker-compose")
    if ours.exists() and not (plugin.exists() and plugin.stat().st_size == ours.stat().st_size):
        plugin.parent.mkdir(parents=True, exist_ok=True)
        plugin.unlink(missing_ok=True)
        shutil.copy2(ours, plugin)  # not a link: the clone may be in a folder that the user cannot enter
    if places.SECRETS.exists():
        os.chown(places.SECRETS, -1, grp.getgrnam("docker").gr_gid)
        places.SECRETS.chmod(0o640)


def _make_keys() -> None:
    for key in (HOST_KEY, USER_KEY):
        if not key.exists():
            act("make a key", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(key))
    places.write(KNOWN_HOSTS, f"[127.0.0.1]:{PORT} {_public(HOST_KEY)}\n")
    places.write(BANNER, WARNING)


def _serve() -> None:
    configuration = _configuration()
    old = CONFIGURATION.read_text(encoding="utf-8") if CONFIGURATION.exists() else ""
    pid = running()
    if pid is not None and old == configuration:
        return
    if pid is not None:
        _end(pid)
        until(lambda: not processes.alive(pid), 10)
    places.write(CONFIGURATION, configuration, mode=0o600)
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # made at boot where systemd is
    LOG.unlink(missing_ok=True)
    started = look(SERVER, "-f", str(CONFIGURATION), "-E", str(LOG)).ok
    if not (
        started and until(lambda: running() is not None, 5)
    ):  # it goes into the background, then it listens
        why = LOG.read_text(encoding="utf-8").split("\n")[0] if LOG.exists() else "it says nothing"
        raise LabError(f"cannot start the SSH server on port {PORT}: {why.strip()}")


def _configuration() -> str:
    """The user's key is in it: no file of the clone has to be readable by that user."""
    environment = [f"PATH={PATH}"]
    if os.environ.get("DOCKER_HOST"):
        environment.append(f"DOCKER_HOST={os.environ['DOCKER_HOST']}")
    return "\n".join(
        [
            f"ListenAddress 127.0.0.1:{PORT}",
            f'HostKey "{HOST_KEY}"',
            f'PidFile "{PID}"',
            f'Banner "{BANNER}"',
            f"AllowUsers {USER}",
            "AuthorizedKeysFile none",
            f"AuthorizedKeysCommand /bin/echo {_public(USER_KEY)}",
            "AuthorizedKeysCommandUser nobody",
            "PasswordAuthentication yes",  # it asks for one, and the user has none
            "KbdInteractiveAuthentication no",
            "UsePAM no",
            "AllowTcpForwarding no",
            f"SetEnv {' '.join(environment)}",
            "",
        ]
    )


def _try() -> Finished:
    """As the inventory has it."""
    return look(
        "ssh", "-F", "none", "-p", str(PORT), "-i", str(USER_KEY), "-o", "IdentitiesOnly=yes",
        "-o", f'UserKnownHostsFile="{KNOWN_HOSTS}"', "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes",
        "-o", "ConnectTimeout=5", f"{USER}@127.0.0.1", "docker version",
    )  # fmt: skip


def _public(key: Path) -> str:
    return " ".join(key.with_name(f"{key.name}.pub").read_text(encoding="ascii").split()[:2])


def _has_user() -> bool:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return False
    return True


def _used_by_another_lab() -> bool:
    """Whether the server of another clone runs, which needs the same user."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"sshd" in words[0] and any(word.endswith(b"/.lab/ssh/sshd_config") for word in words):
            return True
    return False


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
