"""The environment of Ansible: what a person's own ansible.cfg must not break, and nothing else."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Mapping
from pathlib import Path

_DEFAULT_COLLECTIONS = "~/.ansible/collections:/usr/share/ansible/collections"
_DEFAULT_SSH_ARGS = "-C -o ControlMaster=auto -o ControlPersist=60s"
# A host that dies in the middle is noticed after 15 s. In ssh the first word counts, so theirs wins.
_NOTICE_SILENCE = "-o ServerAliveInterval=5 -o ServerAliveCountMax=3"
# Of a socket's name, 108 in all, what ssh adds: a hash, and while it makes the socket a suffix.
_LONGEST_SOCKET_FOLDER = 70


def ansible_environment(
    environ: Mapping[str, str], collections: Path, cwd: Path, folder: Path
) -> dict[str, str]:
    """The variables to set on top of the present ones. `folder` is private to this run, and goes with it."""
    here = str(Path(sys.executable).parent)
    config, beside = _config(environ, cwd)
    theirs = environ.get("ANSIBLE_COLLECTIONS_PATH") or _paths(config, beside) or _DEFAULT_COLLECTIONS
    ssh_args = environ.get("ANSIBLE_SSH_ARGS") or config.get(
        "ssh_connection", "ssh_args", fallback=_DEFAULT_SSH_ARGS
    )
    return {
        # ansible-playbook of the environment that we run in, not another one on PATH
        "PATH": os.pathsep.join([here, environ.get("PATH", os.defpath)]),
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join([str(collections), theirs]),
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        # All incident types are looked for side by side; a fork is a process that mostly waits.
        "ANSIBLE_FORKS": environ.get("ANSIBLE_FORKS", "16"),
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_NOCOWS": "1",
        # A question would hang: nobody sees it.
        "ANSIBLE_ASK_PASS": "0",
        "ANSIBLE_BECOME_ASK_PASS": "0",
        "ANSIBLE_ASK_VAULT_PASS": "0",
        "SSH_ASKPASS_REQUIRE": "never",
        # Skipped and ok hosts are events that we need, whatever is shown.
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "1",
        "ANSIBLE_DISPLAY_OK_HOSTS": "1",
        # Extra vars must not survive in a log.
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "0",
        # In the journal's URL may be a password, and Ansible has no use for it.
        "SAVEIT_JOURNAL": "",
        "PYTHONDONTWRITEBYTECODE": environ.get("PYTHONDONTWRITEBYTECODE", ""),
        # ansible-runner turns it off unless it is said; Ansible's own default is on.
        "ANSIBLE_HOST_KEY_CHECKING": _host_key_checking(environ, config),
        "ANSIBLE_PIPELINING": environ.get("ANSIBLE_PIPELINING") or _pipelining(config),
        "ANSIBLE_SSH_ARGS": f"{ssh_args} {_NOTICE_SILENCE}",
        **_sockets(environ, config, folder),
    }


def _host_key_checking(environ: Mapping[str, str], config: configparser.RawConfigParser) -> str:
    configured = config.get("defaults", "host_key_checking", fallback="True")
    configured = config.get("ssh_connection", "host_key_checking", fallback=configured)
    return environ.get("ANSIBLE_HOST_KEY_CHECKING") or configured


def _pipelining(config: configparser.RawConfigParser) -> str:
    configured = config.get("defaults", "pipelining", fallback="True")
    configured = config.get("connection", "pipelining", fallback=configured)
    return config.get("ssh_connection", "pipelining", fallback=configured)


def _sockets(
    environ: Mapping[str, str], config: configparser.RawConfigParser, folder: Path
) -> dict[str, str]:
    """Connections are shared within a run and with nobody else: one that is open already would be used
    whatever the host's key is now, and it is ended with the run."""
    theirs = environ.get("ANSIBLE_SSH_CONTROL_PATH_DIR") or config.get(
        "ssh_connection", "control_path_dir", fallback=""
    )
    if theirs or len(str(folder)) > _LONGEST_SOCKET_FOLDER:
        return {}
    return {"ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder)}


def _config(environ: Mapping[str, str], cwd: Path) -> tuple[configparser.RawConfigParser, Path]:
    """The ansible.cfg that Ansible will read, as our variables hide what it says; and its folder."""
    candidates = [cwd / "ansible.cfg", Path("~/.ansible.cfg").expanduser(), Path("/etc/ansible/ansible.cfg")]
    if environ.get("ANSIBLE_CONFIG"):
        candidates.insert(0, Path(environ["ANSIBLE_CONFIG"]).expanduser())
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    parser = configparser.RawConfigParser(strict=False)
    if path is None:
        return parser, cwd
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        # Ansible will say what is wrong with it
        return configparser.RawConfigParser(), path.parent
    return parser, path.parent


def _paths(config: configparser.RawConfigParser, beside: Path) -> str:
    """Their `collections_path`, which is relative to the file."""
    value = config.get("defaults", "collections_path", fallback="")
    return os.pathsep.join(str(beside / Path(part).expanduser()) for part in value.split(os.pathsep) if part)
