"""The lab as a target: real containers, and the Docker engine tells what was done to them."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

from tests.chaos.target import REPOSITORY, Case, Target
from tests.e2e.conftest import Lab, Watch

PROFILE = os.environ.get("PROFILES", "deployed").split()[0]
# Their containers die and start by themselves while the fault is in force, so that nothing can be counted.
RESTLESS = ("loop", "crash", "loading")


def kept() -> list[Path]:
    """The interlock of the lab, where its host keeps it."""
    places = [Path(each, "saveit-remediate/saveit/interlock.json") for each in ("/var/lib", "/var/tmp")]  # noqa: S108
    return [each for each in places if each.exists()]


class LabTarget(Target):
    name = "the lab"
    plain, cycled = "redis-stopped", "redis-sigstop"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inventory = REPOSITORY / os.environ.get("INVENTORY", "inventories/lab")
        self.lab = Lab(PROFILE)
        self.lab.run("up", "--profile", PROFILE)
        self.cases = {
            fault["name"]: Case(fault["incident"])
            for fault in json.loads(self.lab.run("faults", "--json"))
            if fault["expected"] == "recovered"
            and PROFILE in fault["profiles"]
            and not any(word in fault["name"] for word in RESTLESS)
        }
        self.forget()

    def break_(self, name: str) -> None:
        self.lab.break_(name)

    def heal(self) -> None:
        self.lab.run("repair")

    def forget(self) -> None:
        for each in kept():
            each.unlink()
        self.watch = Watch().__enter__()

    def limit(self, times: int) -> int:  # noqa: ARG002
        return 3  # the runbook's own

    def touched(self) -> Counter[str]:
        self.watch.__exit__()
        return Counter(self.watch.touched)

    def leases(self) -> list[str]:
        documents = [json.loads(each.read_text()) for each in kept()]
        return [lease["holder"] for document in documents for lease in document["leases"].values()]

    def close(self) -> None:
        subprocess.run([str(REPOSITORY / "lab" / "lab"), "repair"], capture_output=True, check=False)
