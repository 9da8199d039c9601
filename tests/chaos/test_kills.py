"""kill -9 of everything: at each event of the journal, at each write on the target, at any moment."""

from __future__ import annotations

import os
import random
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.chaos.settle import settle, strike
from tests.chaos.table import SEED, note, usual
from tests.chaos.target import ended

if TYPE_CHECKING:
    from tests.chaos.target import Target

KILLS = int(os.environ.get("CHAOS_KILLS", "0"))
EVERY = bool(os.environ.get("CHAOS_KILLS"))
WHO = ("controller", "ansible", "module", "keeper", "all")
# At the events of an incident that is recovered; more than there are is no harm, as nobody dies then.
BOUNDARIES = [f"{when} {number}" for number in range(1, 13) for when in ("before", "after")]
# On the target: the lease is taken, the remedy acts, the lease is given back.
WRITES = [(number, applied, who) for number in (1, 2, 3) for applied in (True, False) for who in WHO]


@pytest.mark.skipif(not EVERY, reason="make chaos kills at each event of the journal")
@pytest.mark.parametrize("dies", BOUNDARIES)
def test_at_an_event_of_the_journal(target: Target, dies: str) -> None:
    case, expected = target.cases[target.plain], usual(target, target.plain)
    target.break_(target.plain)
    target.forget()
    done = ended(target.start(*target.remediate(case), dies=dies))
    below = target.folder / "below"
    started = [int(each) for each in below.read_text().split()] if below.exists() else []
    note("kill -9 at an event of the journal", settle(target, case, done, started, expected.touched))


@pytest.mark.parametrize(("number", "applied", "who"), WRITES if EVERY else [(2, True, "controller")])
def test_at_a_write_on_the_target(target: Target, number: int, applied: bool, who: str) -> None:
    trap = getattr(target, "trap", None)
    if trap is None:
        pytest.skip(f"{target.name} cannot be told to kill at a write")
    name = target.cycled
    case, expected = target.cases[name], usual(target, name)
    target.break_(name)
    target.forget()
    started: list[int] = []

    def spring() -> None:
        started.extend(strike(process, who)[0])

    trap.seen, trap.number, trap.applied, trap.spring = 0, number, applied, spring
    process = target.start(*target.remediate(case))
    told = settle(target, case, ended(process), started, expected.touched)
    note(f"kill -9 of {who} at a write on the target", told)


@pytest.mark.skipif(not KILLS, reason="make chaos kills at random moments")
@pytest.mark.parametrize("turn", range(KILLS or 1))
def test_at_a_random_moment(target: Target, turn: int) -> None:
    dice = random.Random(f"{SEED}/{turn}")  # noqa: S311
    name = dice.choice(sorted(target.cases))
    who = dice.choice(WHO)
    case, expected = target.cases[name], usual(target, name)
    target.break_(name)
    target.forget()
    process = target.start(*target.remediate(case))
    try:
        process.wait(dice.uniform(0.2, expected.seconds))
    except subprocess.TimeoutExpired:
        started, struck = strike(process, who)
    else:
        started, struck = [], "nobody"
    told = settle(target, case, ended(process), started, expected.touched)
    told.steps.insert(0, f"{name}: {struck} was killed")
    note(f"kill -9 of {struck} at a random moment", told)


@pytest.mark.skipif(not EVERY, reason="make chaos loses the connection, and waits for what is in doubt")
@pytest.mark.parametrize("applied", [True, False])
def test_a_connection_that_is_lost_in_the_middle(target: Target, applied: bool) -> None:
    """The lease stays until it ends by itself, and whoever wants to act before is told until when."""
    trap = getattr(target, "trap", None)
    if trap is None:
        pytest.skip(f"{target.name} cannot be told to go away at a write")
    case, expected = target.cases[target.plain], usual(target, target.plain)
    target.break_(target.plain)
    target.forget()
    trap.seen, trap.number, trap.applied, trap.spring = 0, 2, applied, lambda: setattr(trap, "gone", True)
    lost = ended(target.start(*target.remediate(case)))
    trap.gone = False
    assert lost.code in (3, 5), lost
    told = settle(target, case, lost, [], expected.touched)
    assert told.leased, "nobody could release it"
    if not applied:
        assert "is being remediated by" in told.steps[-1]
        broken = target.run(*target.remediate(case), "--break-lease", "the connection was lost")
        told.steps.append(f"broken: exit {broken.code} {broken.outcome} {broken.report.get('sentence')}")
        told.outcome = broken.outcome
        told.doubled = list((target.touched() - expected.touched).elements())
    assert told.outcome in ("healthy", "recovered"), told.steps
    told.leased = [] if applied else target.leases()
    note("a connection that is lost in the middle", told)
