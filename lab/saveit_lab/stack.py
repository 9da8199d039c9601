"""Bring the stack up, look at it, put it back as it was made, take it down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from saveit_lab import credentials, docker, engine, faulty, healing, image, places, probes, record
from saveit_lab.errors import LabError

SERVICES = {
    "deployed": (
        "backend", "frontend", "postgres", "redis", "mosquitto", "nginx", "acme", "certbot", "prometheus",
    ),
    "documented": (
        "backend", "frontend", "postgres", "redis", "nginx", "acme", "certbot", "prometheus",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Service:
    name: str
    container: str
    health: str
    complaint: str | None


def up(profile: str) -> None:
    """Everything that is missing, made; everything that is broken, repaired."""
    places.prepare()
    engine.start()
    image.ensure()
    if credentials.ensure_passwords():
        _remove_project()  # a database that another clone left has another password
    credentials.ensure_certificate()
    before = record.load()
    if before.profile not in (None, profile):
        print(f"Switching from profile {before.profile} to {profile}.", flush=True)
        healing.remove(*SERVICES["deployed"])
    record.save(replace(before, profile=profile))
    healing.heal(SERVICES[profile], profile)
    healing.create(profile)
    healing.wait(SERVICES[profile])
    healing.remember(SERVICES[profile])
    image.tidy()


def repair() -> list[str]:
    """Put everything back, whatever state it is in; return the services that needed it."""
    profile = running_profile()
    healed = healing.heal(SERVICES[profile], profile)
    grace = healing.GRACE if healed else 1
    return sorted(healed | healing.insist(SERVICES[profile], profile, grace))


def down() -> None:
    """Remove all that belongs to the project; the image is kept."""
    if engine.answers():
        _remove_project()
    faulty.clear()
    places.RECORD.unlink(missing_ok=True)


def _remove_project() -> None:
    for kind in ("container", "volume", "network"):
        _remove_all(kind)


def _remove_all(kind: str) -> None:
    """By label, so that it works without compose and for things that some other tool left."""
    label = f"label=com.docker.compose.project={docker.PROJECT}"
    every = ("-a",) if kind == "container" else ()
    names = docker.must(f"list each {kind}", kind, "ls", "-q", *every, "--filter", label).output.split()
    if kind == "container":
        docker.remove(*names)
    elif names:
        force = ("-f",) if kind == "volume" else ()
        docker.must(f"remove each {kind} of the lab", kind, "rm", *force, *names, timeout=120)


def status() -> list[Service]:
    profile = running_profile()
    found = docker.inspect(*SERVICES[profile])
    complaints = probes.complaints(SERVICES[profile])
    return [Service(name, *_state(found.get(name)), complaints.get(name)) for name in SERVICES[profile]]


def running_profile() -> str:
    """The profile that is up."""
    profile = record.load().profile
    if profile not in SERVICES:
        raise LabError("cannot find a lab: it is not up; run `lab up`")
    if not engine.answers():
        raise LabError("cannot reach the lab: no docker engine answers; run `lab up`")
    return profile


def _state(container: dict[str, Any] | None) -> tuple[str, str]:
    if container is None:
        return "absent", "-"
    state = container["State"]
    return state["Status"], state.get("Health", {}).get("Status", "-")
