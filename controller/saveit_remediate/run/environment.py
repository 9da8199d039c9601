"""The environment of Ansible: what a person's own ansible.cfg must not break, and nothing else."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Mapping
from pathlib import Path

_DEFAULT_COLLECTIONS = "~/.ansible/collections:/usr/share/ansible/collections"


def ansible_environment(environ: Mapping[str, str], collections: Path, cwd: Path) -> dict[str, str]:
    """The variables to set on top of the present ones. Host key checking is left as it is."""
    here = str(Path(sys.executable).parent)
    theirs = environ.get("ANSIBLE_COLLECTIONS_PATH") or _configured(environ, cwd) or _DEFAULT_COLLECTIONS
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
        # Skipped and ok hosts are events that we need, whatever is shown.
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "1",
        "ANSIBLE_DISPLAY_OK_HOSTS": "1",
        # Extra vars must not survive in a log.
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "0",
        "PYTHONDONTWRITEBYTECODE": environ.get("PYTHONDONTWRITEBYTECODE", ""),
    }


def _configured(environ: Mapping[str, str], cwd: Path) -> str:
    """`collections_path` of the ansible.cfg that Ansible will read; a variable of ours would hide it."""
    candidates = [cwd / "ansible.cfg", Path("~/.ansible.cfg").expanduser(), Path("/etc/ansible/ansible.cfg")]
    if environ.get("ANSIBLE_CONFIG"):
        candidates.insert(0, Path(environ["ANSIBLE_CONFIG"]).expanduser())
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        return ""
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return ""  # Ansible will say what is wrong with it
    value = parser.get("defaults", "collections_path", fallback="")
    parts = [str(path.parent / Path(part).expanduser()) for part in value.split(os.pathsep) if part]
    return os.pathsep.join(parts)
