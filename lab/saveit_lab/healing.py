"""Put services back as they were made, with the least that does it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from saveit_lab import credentials, docker, faulty, probes, record
from saveit_lab.compose import compose
from saveit_lab.errors import LabError
from saveit_lab.waiting import until

PATIENCE = 120  # seconds until everything has to be healthy
GRACE = 10  # seconds that a service gets to become healthy by itself before it is made again
DEPENDENT = {"backend", "nginx"}  # services that are ill when another one is
DISPOSABLE = {"redis": f"{docker.PROJECT}_redis-data"}  # volumes that a repair empties
ISSUED = {"nginx", "certbot"}  # a certificate, and what the client of its issuer keeps
KEPT = ("Memory", "MemorySwap", "NanoCpus", "CpuQuota", "CpuShares", "PidsLimit", "RestartPolicy")


def heal(services: Sequence[str], profile: str) -> set[str]:
    """Wake and start what sleeps; make again what a fault was brought upon or what was altered."""
    found = docker.inspect(*services)
    made = record.load().made
    faulted = faulty.services() & set(services)
    absent = {name for name in services if name not in found}
    altered = {name for name in found if name in made and made[name] != fingerprint(found[name])}
    sleeping = {name for name in found if found[name]["State"]["Status"] != "running"}
    for name in sleeping:
        if found[name]["State"]["Paused"]:
            docker.must(f"wake {name}", "unpause", docker.container(name))
    faulty.clear()
    if "nginx" in faulted or not credentials.is_as_made():
        credentials.issue("good")
        faulted.add("nginx")
    if faulted & ISSUED:  # what certbot has of an authority that is gone
        faulted |= ISSUED & set(found)
    remove(*(faulted | altered))
    for name in sleeping - faulted - altered:
        docker.must(f"start {name}", "start", docker.container(name))
    if faulted | altered | (absent if made else set()):
        create(profile)
    return faulted | altered | absent | sleeping


def insist(services: Sequence[str], profile: str, grace: float) -> set[str]:
    """Wait until all are healthy; make again those that do not become so by themselves."""
    sick = _sick(services, grace)
    culprits = sick - DEPENDENT
    if culprits:
        _make_again(culprits, profile)
    still = _sick(services, GRACE) if culprits else sick
    if still:
        _make_again(still, profile)
        wait(services)
    return sick | still


def wait(services: Sequence[str]) -> None:
    complaints = _complaints(services, PATIENCE)
    if complaints:
        trouble = "; ".join(f"{name}: {why}" for name, why in sorted(complaints.items()))
        raise LabError(f"cannot get the lab healthy within {PATIENCE} s: {trouble}; see `lab status`")


def create(profile: str) -> None:
    compose(profile, f"start the services of profile {profile}", "up", "-d", "--remove-orphans")


def remove(*services: str) -> None:
    """Remove containers, and the data of those that can do without."""
    if services:
        docker.remove(*map(docker.container, services))
    for name in services:
        if name in DISPOSABLE:
            docker.docker("volume", "rm", "-f", DISPOSABLE[name])


def remember(services: Sequence[str]) -> None:
    """Note how the containers were made, so that a repair sees what was altered."""
    found = docker.inspect(*services)
    made = {name: fingerprint(container) for name, container in found.items()}
    record.save(replace(record.load(), made=made))


def fingerprint(container: dict[str, Any]) -> str:
    """What an incident or its remedy may alter on a living container: limits and networks."""
    host = container["HostConfig"]
    networks = sorted(container["NetworkSettings"]["Networks"])
    return json.dumps([container["Image"], networks, {key: host.get(key) for key in KEPT}])


def _make_again(services: set[str], profile: str) -> None:
    remove(*services)
    create(profile)


def _sick(services: Sequence[str], seconds: float) -> set[str]:
    """The services that are still not healthy after so many seconds."""
    return set(_complaints(services, seconds))


def _complaints(services: Sequence[str], seconds: float) -> dict[str, str]:
    last: dict[str, str] = {}

    def healthy() -> bool:
        last.clear()
        last.update(probes.complaints(services))
        return not last

    until(healthy, seconds, every=0.2)
    return last
