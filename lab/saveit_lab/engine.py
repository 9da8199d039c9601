"""The docker engine: use the one that answers, otherwise bring our own and take it away again."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from saveit_lab import debian, docker, places, processes
from saveit_lab.errors import LabError
from saveit_lab.waiting import until

DOCKER_PID = Path("/var/run/docker.pid")


def answers() -> bool:
    return docker.installed() and docker.docker("version", "-f", "{{.Server.Version}}").ok


def ours() -> int | None:
    """The process id of the engine that the lab started, while it lives."""
    return processes.running(places.ENGINE_PID, "dockerd")


def describe() -> str:
    if not answers():
        return "no docker engine answers"
    version = docker.docker("version", "-f", "{{.Server.Version}}").output.strip()
    pid = ours()
    return f"docker {version}, started by the lab (pid {pid})" if pid else f"docker {version}"


def start() -> None:
    """Return when an engine answers."""
    if answers():
        return
    _refuse_what_cannot_work()
    debian.install(["docker.io"], "the docker engine")
    pid = processes.running(DOCKER_PID, "dockerd")
    if pid is None:
        DOCKER_PID.unlink(missing_ok=True)  # left by a killed engine, which a new one would refuse
        pid = _launch()
    if not until(lambda: answers() or not processes.alive(pid), 60) or not answers():
        raise LabError(f"cannot start the docker engine: it does not answer; its log is {places.ENGINE_LOG}")


def stop() -> bool:
    """Stop the engine that the lab started, and no other. Whether there was one."""
    pid = ours()
    if pid is None:
        places.ENGINE_PID.unlink(missing_ok=True)
        return False
    os.kill(pid, signal.SIGTERM)
    if not until(lambda: not processes.alive(pid), 60):
        raise LabError(f"cannot stop the docker engine: process {pid} is still there after 60 s")
    places.ENGINE_PID.unlink(missing_ok=True)
    return True


def _refuse_what_cannot_work() -> None:
    refusal = docker.docker("version") if docker.installed() else None
    if refusal and "permission denied" in (refusal.errors + refusal.output).lower():
        raise LabError(
            "cannot talk to the docker engine: its socket is forbidden to this user; "
            "join the group docker (and log in again), or run as root"
        )
    host = os.environ.get("DOCKER_HOST")
    if host:
        raise LabError(
            f"cannot talk to the docker engine at {host} (from DOCKER_HOST): "
            "it does not answer; start it, or unset DOCKER_HOST"
        )
    if os.geteuid() != 0:
        raise LabError(
            "cannot start a docker engine: none answers, and starting one needs root; "
            "start Docker, or run as root on Debian"
        )


def _launch() -> int:
    print("Starting the docker engine.", flush=True)
    with places.ENGINE_LOG.open("ab") as log:
        process = subprocess.Popen(
            ["dockerd", "--storage-driver=overlay2"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    places.write(places.ENGINE_PID, f"{process.pid}\n")
    return process.pid
