"""After a disaster: what the next command does, until the service is well or a person is told why not."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.target import Case, Done, Target, is_over, kill, victims

TURNS = 3  # commands after a disaster, each of which acts or says why it does not
EXPLAINED = {3: "unresolved or unverified", 4: "refused", 5: "unreachable"}


@dataclass
class Undisturbed:
    """How a case goes when nothing happens to it."""

    seconds: float
    events: int
    touched: Counter[str]


@dataclass
class Told:
    """What was lost; all empty is well. `steps` says what happened, for whoever reads a failure."""

    doubled: list[str] = field(default_factory=list)
    leased: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    alive: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    outcome: str = ""
    steps: list[str] = field(default_factory=list)

    @property
    def lost(self) -> list[str]:
        alive = [f"process {pid}" for pid in self.alive]
        return [*self.doubled, *self.leased, *self.unfinished, *alive, *self.broken]


def undisturbed(target: Target, name: str) -> Undisturbed:
    target.break_(name)
    target.forget()
    done = target.run(*target.remediate(target.cases[name]))
    assert done.outcome == "recovered", f"{name} is no case for chaos: {done.report}"
    events = json.loads(target.run("show", "last", "--json").stdout)["events"]
    return Undisturbed(float(done.report["seconds"]), len(events), target.touched())


def strike(process: subprocess.Popen[str], who: str) -> tuple[list[int], str]:
    """Kill -9 now; all processes of the run, and whether there was somebody to kill."""
    everybody = [process.pid, *victims(process, "all")[1:]]
    chosen = victims(process, who)
    kill(chosen)
    return everybody, who if chosen else "nobody"


def settle(target: Target, case: Case, done: Done, started: list[int], usual: Counter[str]) -> Told:
    """A command was struck: do what the tool says, at most TURNS times, and count what was lost."""
    told = Told()
    told.steps.append(f"struck: exit {done.code} {done.outcome}")
    told.alive = [pid for pid in started if not is_over(pid)]
    told.unfinished = _unfinished(target)
    for _ in range(TURNS):
        if done.outcome in ("recovered", "healthy") and not told.unfinished:
            break
        done = _next(target, case, told)
        told.unfinished = _unfinished(target)
    told.outcome = done.outcome
    if done.outcome not in ("recovered", "healthy") and (
        done.code not in EXPLAINED or not done.report.get("sentence")
    ):
        told.broken.append(f"exit {done.code} without a reason: {done.stderr}")
    told.doubled = [f"{what} x{count}" for what, count in (target.touched() - usual).items()]
    told.leased = target.leases()
    verified = target.run("journal", "verify")
    if verified.code != 0:
        told.broken.append(f"journal verify: {verified.stdout}{verified.stderr}")
    return told


def _next(target: Target, case: Case, told: Told) -> Done:
    """Go on with what is unfinished, as the tool says; else ask for the remedy again."""
    pending = told.unfinished
    arguments = ["resume", pending[0], "--yes", "--json", *case.more] if pending else target.remediate(case)
    done = target.run(*arguments)
    told.steps.append(f"{arguments[0]}: exit {done.code} {done.outcome}: {done.report.get('sentence')}")
    return done


def _unfinished(target: Target) -> list[str]:
    """The ids that the line on stderr names, which must be those without an end in the journal."""
    done = target.run("incidents", "--json")
    listed = [each["incident_id"] for each in json.loads(done.stdout) if each["outcome"] == "unfinished"]
    named = re.findall(r"(\S+) \((?:the record|its record)", done.stderr)
    assert sorted(listed) == sorted(named), f"{listed} have no end, and it says: {done.stderr}"
    return listed
