"""Install Debian packages without having their services start on this machine."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from saveit_lab.commands import act, look
from saveit_lab.errors import LabError

POLICY = Path("/usr/sbin/policy-rc.d")
SYSTEMD = Path("/run/systemd/system")
UNITS = {  # by the package that brings them
    "docker.io": "docker",
    "openssh-server": "ssh",
    "certbot": "certbot.timer",
    **{name: name for name in ("redis-server", "mosquitto", "nginx", "prometheus", "postgresql")},
}


def missing(packages: Sequence[str]) -> list[str]:
    """Those of the packages that are not installed."""
    answer = look("dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", *packages)
    have = {line.split(" ", 1)[1] for line in answer.output.splitlines() if line.startswith("installed ")}
    return [name for name in packages if name not in have]


def install(packages: Sequence[str], purpose: str) -> None:
    """Install what is missing of the packages, and say so before."""
    wanted = missing(packages)
    if not wanted:
        return
    if shutil.which("apt-get") is None:
        raise LabError(
            f"cannot install {purpose} ({', '.join(wanted)}): this is not Debian; "
            "install that by hand and run this again"
        )
    if os.geteuid() != 0:
        raise LabError(
            f"cannot install {purpose}: that needs root; "
            f"run as root, or have root run: apt-get install {' '.join(wanted)}"
        )
    print(f"Installing {purpose} from Debian: {', '.join(wanted)}.", flush=True)
    with _nothing_starts():
        env = {"DEBIAN_FRONTEND": "noninteractive"}
        command = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted)
        if not look(*command, env=env, timeout=600).ok:
            act("refresh the list of packages", "apt-get", "update", "-qq", timeout=300)
            act(f"install {purpose}", *command, env=env, timeout=600)
    if SYSTEMD.is_dir():  # nor at the next boot
        look("systemctl", "disable", "--quiet", *(UNITS[name] for name in wanted if name in UNITS))


@contextmanager
def _nothing_starts() -> Iterator[None]:
    """Debian starts a service when its package is installed, unless this file forbids it."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
