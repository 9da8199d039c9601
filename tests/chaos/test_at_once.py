"""Operators at once, a service that is healthy, and one that never gets well."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from tests.chaos.settle import Told
from tests.chaos.table import note, usual
from tests.chaos.target import ended

if TYPE_CHECKING:
    from tests.chaos.target import Target

EVERY = bool(os.environ.get("CHAOS_KILLS"))
RACES = int(os.environ.get("RACES", "1"))
HEALTHY = int(os.environ.get("HEALTHY", "1"))
AT_ONCE = 10  # healthy runs with one target
LIMIT = 2 if EVERY else 1


@pytest.mark.parametrize("operators", [2, 10] if EVERY else [2])
@pytest.mark.parametrize("turn", range(RACES))
def test_of_operators_on_one_target_one_acts(target: Target, operators: int, turn: int) -> None:
    case, expected = target.cases[target.cycled], usual(target, target.cycled)
    target.break_(target.cycled)
    target.forget()
    started = [target.start(*target.remediate(case), state=f"state-{each}") for each in range(operators)]
    done = [ended(each) for each in started]
    told = Told(steps=[f"exit {each.code} {each.outcome}: {each.report.get('sentence')}" for each in done])
    told.doubled = [f"{what} x{count}" for what, count in (target.touched() - expected.touched).items()]
    told.leased = target.leases()
    told.outcome = ", ".join(
        f"{count} {what}" for what, count in Counter(each.outcome for each in done).items()
    )
    acted = sum(each.outcome == "recovered" and "helped" in str(each.report["actions"]) for each in done)
    if acted != 1:
        told.broken.append(f"{acted} acted")
    if any(each.code not in (0, 4) for each in done):
        told.broken.append("one ended neither well nor refused")
    note(f"{operators} operators at once", told)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("turn", range((HEALTHY + AT_ONCE - 1) // AT_ONCE))
def test_a_healthy_target_is_left_alone(target: Target, turn: int) -> None:
    target.heal()
    target.forget()
    case = target.cases[target.plain]
    for _ in range(min(AT_ONCE, HEALTHY - turn * AT_ONCE)):
        done = target.run(*target.remediate(case))
        told = Told(outcome=done.outcome, steps=[str(done.report)])
        told.doubled = [f"{what} x{count}" for what, count in target.touched().items()]
        told.leased = target.leases()
        if (done.code, done.outcome) != (0, "healthy"):
            told.broken.append(f"exit {done.code} {done.outcome}")
        note("runs on a healthy target", told)


def test_the_breaker_opens_after_the_configured_count_and_stays_open(target: Target) -> None:
    """A service breaks again after each remedy, and each time it is another operator with another journal."""
    case, allowed = target.cases[target.plain], target.limit(LIMIT)
    target.forget()
    told, acted = Told(), 0
    for turn in range(allowed + 2 if EVERY else allowed + 1):
        target.break_(target.plain)
        before = target.touched()
        done = target.run(*target.remediate(case), state=f"state-{turn}")
        told.steps.append(f"exit {done.code} {done.outcome}: {done.report.get('sentence')}")
        acted += bool(target.touched() - before)
        expected, words = (0, "helped") if turn < allowed else (4, "it does not hold")
        if done.code != expected or words not in str(done.report):
            told.broken.append(f"run {turn + 1} ended with {done.code}")
    told.doubled = [f"{acted} actions, and {allowed} are allowed"] if acted != allowed else []
    told.leased, told.outcome = target.leases(), done.outcome
    note(f"a service that breaks again, {allowed} attempts allowed", told)
