"""The lab as a target: real containers, and the Docker engine tells what was done to them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

from tests.chaos.target import REPOSITORY, Case, Target
from tests.e2e.conftest import Lab, Watch

PROFILE = os.environ.get("PROFILES", "deployed").split()[0]
# Their containers die and start by themselves while the fault is in force, so that nothing can be counted.
RESTLESS = ("loop", "crash", "loading")


class LabTarget(Target):
    name = "the lab"
    plain, cycled = "redis-stopped", "redis-hung"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inventory = REPOSITORY / os.environ.get("INVENTORY", "inventories/lab")
        self.interlock = folder / "interlock"
        self.lab = Lab(PROFILE)
        self.lab.run("up", "--profile", PROFILE)
        more = ("-e", f"interlock_folder={self.interlock}")
        self.cases = {
            fault["name"]: Case(fault["incident"], more)
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
        shutil.rmtree(self.interlock, ignore_errors=True)
        self.watch = Watch().__enter__()

    def touched(self) -> Counter[str]:
        self.watch.__exit__()
        return Counter(self.watch.touched)

    def leases(self) -> list[str]:
        kept = [json.loads(path.read_text()) for path in self.interlock.glob("*/interlock.json")]
        return [lease["holder"] for document in kept for lease in document["leases"].values()]

    def close(self) -> None:
        subprocess.run([str(REPOSITORY / "lab" / "lab"), "repair"], capture_output=True, check=False)
