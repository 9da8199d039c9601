"""The ladder, climbed as the role does it, by a clock of its own: what it decides, and what it tells."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._interlock import InDoubtError
from ansible_collections.saveit.remediation.plugins.module_utils._ladder import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError

RUNBOOK: dict[str, Any] = {
    "id": "cache",
    "title": "Cache trouble",
    "severity": {"default": "sev3", "rules": [{"finding": "hung", "severity": "sev2"}]},
    "findings": [
        {"id": "down", "next": "Look why it ended."},
        {"id": "locked", "next": "Give it the right key."},
        {"id": "hung", "next": "Look what blocks it."},
    ],
    "remedies": [
        {"id": "start", "for": ["down"], "risk": "low"},
        {"id": "wait", "for": ["hung"], "risk": "low"},
        {"id": "restart", "for": ["hung", "down"], "never_for": ["locked"], "risk": "medium"},
        {"id": "rebuild", "for": ["hung", "down"], "risk": "high"},
    ],
    "verify": {
        "hold_seconds": 5,
        "interval_seconds": 1,
        "patience_seconds": 10,
        "criteria": [{"evidence": "cache.answer", "is": "healthy"}],
    },
}
for each in RUNBOOK["remedies"]:
    each.update(title=each["id"].title(), file=f"10_{each['id']}.yml", reversible=True, disrupts="nothing")

ROLE = Path(__file__).resolve().parents[3] / "collections/ansible_collections/saveit/remediation/roles/ladder"
POLICY = yaml.safe_load((ROLE / "files/policy.yml").read_text("utf-8"))  # of a site that has none of its own
Look = Callable[["World"], Iterable[str]]


@dataclass
class World:
    """A service and its time. `sick` names what is wrong; `remedies` what a remedy does to it."""

    sick: set[str] = field(default_factory=set)
    remedies: Mapping[str, Callable[[World], Any]] = field(default_factory=dict)
    check_mode: bool = False
    time: float = 1_000_000.0
    acted: list[str] = field(default_factory=list)
    samples: list[bool] = field(default_factory=list)  # what the next looks show, whatever `sick` says
    stale: bool = False
    service: str = "cache"  # what the site calls it
    events: list[dict[str, Any]] = field(default_factory=list)
    access: dict[str, Any] = field(default_factory=dict)  # what the platform said of the remedies
    refused: dict[str, str] = field(
        default_factory=dict
    )  # remedies that the interlock refuses: why, as an id
    doubts: list[float] = field(default_factory=list)  # seconds, at each begin, until one can tell
    lease: dict[str, Any] = field(default_factory=dict)
    renewals: int = 0

    heals_at: float = 0  # by itself

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        if 0 < self.heals_at <= self.time:
            self.sick.clear()

    def observe(self) -> list[dict[str, Any]]:
        """What the modules that look would return, as registered variables."""
        well = self.samples.pop(0) if self.samples else not self.sick
        findings = [
            {"id": id_, "subject": "cache", "sentence": f"cache is {id_}"} for id_ in sorted(self.sick)
        ]
        answer = {"name": f"{self.service}.answer", "value": "healthy" if well else "bad", "sentence": ""}
        at = 1.0 if self.stale else self.time
        return [{"observed_at": at, "findings": findings, "evidence": [answer]}, {"skipped": True}]

    def step(self, name: str, state: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        given = {key: copy.deepcopy(spec.get("default")) for key, spec in ARGUMENTS.items()}
        carrier = Carrier(no_command, lambda: self.time, self.sleep, self.check_mode)
        usual = {"policy": POLICY, "agreed": True, "asker": "alice@ops1"}
        given |= {"step": name, "state": dict(state), **usual, **more}
        values = run(given, carrier).as_return()
        self.events += values["remediation_events"]
        return {**json.loads(values["kept"]), **json.loads(json.dumps(values))}  # it travels as plain data

    def climb(self, **opening: Any) -> dict[str, Any]:
        """What roles/ladder/tasks do, in Python."""
        state = self.step("open", {}, **{"target": "host", "runbook": RUNBOOK, **opening})
        state = self.step("assess", state, observed=self.observe(), access=self.access)
        while state["climbing"] or state["sampling"]:
            if state["climbing"]:
                state = self.try_remedy(state)
            while state["sampling"]:
                if state["next_sample"] == "renew.yml":
                    self.renewals, self.lease = self.renewals + 1, {**self.lease, "observed_at": self.time}
                state = self.step("judge", state, observed=self.observe(), interlock=self.lease)
            if not state["climbing"] and not state["verdict"]:
                state = self.step("assess", state, observed=self.observe())
        return state

    def try_remedy(self, state: Mapping[str, Any]) -> dict[str, Any]:
        remedy = state["remedy"]["id"]
        if remedy in self.refused:
            error = ObstacleError(self.refused[remedy], f"{remedy}: {self.refused[remedy]}", "refused")
            failure = {"failed": True, **error.as_return()}
            return self.step("failed", state, failure=failure, interlock=failure)
        if self.doubts:
            doubted = InDoubtError("cache.start was cut off", self.doubts.pop(0))
            self.lease = {"failed": True, **doubted.as_return()}
            return self.step("failed", state, failure=self.lease, interlock=self.lease)
        self.lease = {"claim": "mine", "observed_at": self.time}
        state = self.step("begin", state, interlock=self.lease)
        try:
            return self.step("acted", state, acted=self.act(remedy))
        except FailedError as error:
            return self.step("failed", state, failure=error.as_return(), interlock=self.lease)

    def act(self, remedy: str) -> dict[str, Any]:
        if self.check_mode:
            return {
                "verdict": "planned",
                "sentence": f"would {remedy}",
                "changed": True,
                "diff": {"after": "x"},
            }
        self.acted.append(remedy)
        done = self.remedies[remedy](self) if remedy in self.remedies else None
        return done or {"verdict": "done", "sentence": f"did {remedy}", "changed": True}


def no_command(command: Any, stdin: str) -> Completed:
    raise AssertionError(command)


def heal(world: World) -> None:
    world.sick.clear()


def break_down(world: World) -> None:
    raise FailedError("the engine said no")


def results(state: Mapping[str, Any]) -> dict[str, str]:
    return {each["remedy"]: each["result"] for each in state["actions"]}


def test_a_healthy_service_gets_no_action() -> None:
    world = World()
    state = world.climb()
    assert (state["verdict"], state["gave_up"], state["actions"]) == ("healthy", False, [])
    assert (state["sentence"], world.acted) == ("Cache trouble: nothing found", [])


def test_the_first_remedy_that_helps_is_the_last() -> None:
    world = World({"down"}, {"start": heal})
    state = world.climb()
    assert (state["verdict"], state["gave_up"], world.acted) == ("recovered", False, ["start"])
    assert results(state) == {
        "start": "helped",
        "wait": "skipped",
        "restart": "skipped",
        "rebuild": "skipped",
    }
    assert state["actions"][0]["sentence"] == "did start; recovered: every criterion was met for 5.0 s"


def test_a_remedy_that_fails_is_followed_by_the_next() -> None:
    world = World({"down"}, {"start": break_down, "restart": heal})
    state = world.climb()
    assert (state["verdict"], world.acted) == ("recovered", ["start", "restart"])
    assert (results(state)["start"], results(state)["restart"]) == ("failed", "helped")
    assert state["actions"][0]["sentence"] == "the engine said no"


def test_a_remedy_that_does_not_help_is_followed_by_a_new_diagnosis() -> None:
    def start(world: World) -> None:
        world.sick = {"hung"}

    world = World({"down"}, {"start": start, "restart": heal})
    state = world.climb()
    assert (state["verdict"], world.acted) == ("recovered", ["start", "wait", "restart"])
    assert results(state) == {
        "start": "no_help",
        "wait": "no_help",
        "restart": "helped",
        "rebuild": "skipped",
    }
    said = state["actions"][0]["sentence"]
    assert said == "did start; did not help: cache.answer is bad, wanted healthy"
    assert [each["id"] for each in state["findings"]] == ["down", "hung"]


def test_what_the_new_diagnosis_forbids_is_not_done() -> None:
    def start(world: World) -> None:
        world.sick = {"hung", "locked"}

    world = World({"down"}, {"start": start})
    state = world.climb(max_risk="medium")
    assert (state["verdict"], world.acted) == ("unresolved", ["start", "wait"])
    assert state["actions"][2]["sentence"] == "would not help against locked"


def test_when_nothing_helps_it_gives_up_loudly_with_advice() -> None:
    world = World({"hung"})
    state = world.climb()
    assert (state["verdict"], state["gave_up"], world.acted) == ("unresolved", True, ["wait", "restart"])
    assert state["sentence"] == (
        "host: cache is hung; tried wait, restart, without success (rebuild: high risk at sev2: somebody has "
        "to approve it (--approved-by NAME, or a signed approval)). Look what blocks it."
    )


def test_when_no_remedy_is_for_it_nothing_is_done() -> None:
    world = World({"locked"})
    state = world.climb()
    assert (state["verdict"], state["gave_up"], world.acted) == ("unresolved", True, [])
    assert state["sentence"] == "host: cache is locked; no remedy is for this. Give it the right key."
    assert set(results(state).values()) == {"skipped"}


def test_what_the_platform_forbids_is_not_done_and_the_reason_is_told() -> None:
    world = World({"down"}, {"restart": heal}, access={"denied": {"start": "may not start: add this rule"}})
    state = world.climb()
    assert (state["verdict"], world.acted) == ("recovered", ["restart"])
    assert state["actions"][0]["sentence"] == "may not start: add this rule"


def test_when_everything_is_forbidden_it_gives_up_with_the_rules_to_add() -> None:
    denied = {name: f"may not {name}" for name in ("start", "restart", "rebuild")}
    state = World({"down"}, access={"denied": denied}).climb(max_risk="high")
    assert state["sentence"] == (
        "host: cache is down; no remedy may be tried (start: may not start; restart: may not restart; "
        "rebuild: may not rebuild). Look why it ended."
    )


def test_when_diagnosing_a_forbidden_remedy_is_offered_with_the_reason_why_not() -> None:
    state = World({"down"}, access={"denied": {"start": "may not start"}}).climb(mode="diagnose")
    offered = {each["remedy"]: (each["result"], each["forbidden"]) for each in state["actions"]}
    assert offered["start"] == ("possible", "may not start")
    assert offered["restart"] == ("possible", "")


@pytest.mark.parametrize(
    ("opening", "access", "sick", "wanted"),
    [
        ({}, {}, {"down"}, False),
        ({"rehearse": True}, {}, {"down"}, True),  # the task was skipped
        ({"rehearse": True}, {"denied": {}}, {"down"}, False),
        ({"rehearse": True}, {"denied": {}}, set(), True),  # nothing was found yet, so nothing was asked
        ({"rehearse": True, "plan": {"host": {"assessed": [], "remedies": []}}}, {}, {"down"}, False),
    ],
)
def test_when_the_platform_is_asked(
    opening: dict[str, Any], access: dict[str, Any], sick: set[str], wanted: bool
) -> None:
    state = World(sick, access=access).climb(mode="diagnose", **opening)
    assert state["rehearsing"] is wanted


@pytest.mark.parametrize(
    ("limit", "acted"),
    [("low", ["wait"]), ("medium", ["wait", "restart"]), ("high", ["wait", "restart", "rebuild"])],
)
def test_a_remedy_above_the_risk_limit_is_skipped_and_says_so(limit: str, acted: list[str]) -> None:
    world = World({"hung"})
    state = world.climb(max_risk=limit, approved_by="carol")
    assert world.acted == acted
    last = state["actions"][-1]
    if limit != "high":
        assert last["sentence"] == f"has high risk, and ladder_max_risk is {limit}"


def test_check_mode_plans_every_remedy_that_fits_and_does_nothing() -> None:
    world = World({"hung"}, check_mode=True)
    state = world.climb(max_risk="high")
    assert (state["verdict"], state["gave_up"], world.acted) == ("planned", False, [])
    assert results(state) == {
        "start": "skipped",
        "wait": "planned",
        "restart": "planned",
        "rebuild": "planned",
    }
    assert state["actions"][1]["diff"] == [{"after": "x"}]
    assert not any(each["changed"] for each in state["actions"])


@pytest.mark.parametrize("check_mode", [False, True])
def test_mode_diagnose_offers_and_does_nothing(check_mode: bool) -> None:
    world = World({"hung"}, check_mode=check_mode)
    state = world.climb(mode="diagnose")
    assert (state["verdict"], state["gave_up"], world.acted) == ("diagnosed", False, [])
    assert results(state) == {
        "start": "skipped",
        "wait": "possible",
        "restart": "possible",
        "rebuild": "possible",  # its risk is for the plan to judge
    }
    assert state["sentence"] == "cache is hung"


def test_mode_diagnose_says_healthy() -> None:
    assert World().climb(mode="diagnose")["verdict"] == "healthy"


def test_a_plan_restricts_the_remedies() -> None:
    world = World({"hung"})
    plan = {"host": {"assessed": ["hung"], "remedies": ["restart"]}}
    state = world.climb(plan=plan)
    assert world.acted == ["restart"]
    assert state["actions"][1]["sentence"] == "is not in the plan"


@pytest.mark.parametrize("plan", [{"other": {"assessed": ["hung"], "remedies": ["wait"]}}])
def test_a_host_that_nobody_planned_for_is_left_alone(plan: dict[str, Any]) -> None:
    world = World({"hung"})
    assert world.climb(plan=plan)["verdict"] == "unresolved"
    assert world.acted == []


def test_a_world_that_is_not_what_was_assessed_is_refused() -> None:
    world = World({"down"})
    plan = {"host": {"assessed": ["hung"], "remedies": ["start", "wait", "restart"]}}
    state = world.climb(plan=plan)
    assert (state["verdict"], state["gave_up"], world.acted) == ("stopped", True, [])
    (obstacle,) = [each for each in state["findings"] if each["kind"] == "obstacle"]
    assert (obstacle["id"], obstacle["outcome"]) == ("world-changed", "refused")
    assert obstacle["sentence"] == "host is not what the plan was made for: now down"


def test_a_service_that_recovered_by_itself_needs_no_plan() -> None:
    world = World()
    assert world.climb(plan={"host": {"assessed": ["down"], "remedies": ["start"]}})["verdict"] == "healthy"


def test_a_remedy_that_finds_another_world_is_skipped_and_the_world_is_looked_at_again() -> None:
    # somebody else started it meanwhile: what was found before is no reason to restart it now
    def start(world: World) -> dict[str, Any]:
        world.sick.clear()
        return {"verdict": "unchanged", "sentence": "cache is running", "changed": False}

    world = World({"down", "hung"}, {"start": start})
    state = world.climb()
    assert (state["verdict"], world.acted) == ("healthy", ["start"])
    assert results(state)["start"] == "skipped"


def test_flapping_never_counts_as_recovered() -> None:
    world = World({"down"}, {"start": heal}, samples=[False, *[True, True, False] * 20])
    state = world.climb(max_risk="low")
    assert state["verdict"] == "unresolved"
    assert results(state)["start"] == "no_help"


def test_the_hold_time_begins_anew_after_a_bad_sample() -> None:
    world = World({"down"}, {"start": heal}, samples=[False, True, True, True, False])
    begun = world.time
    assert world.climb()["verdict"] == "recovered"
    assert world.time - begun == 4 + 5


@pytest.mark.parametrize(("hold", "interval"), [(0, 1), (0.5, 1), (5, 1), (5, 2), (7.5, 3), (3600, 30)])
def test_the_hold_time_is_exact(hold: float, interval: float) -> None:
    world = World({"down"}, {"start": heal})
    runbook = copy.deepcopy(RUNBOOK)
    runbook["verify"]["interval_seconds"] = interval
    begun = world.time
    state = World.climb(world, hold_seconds=hold) if interval == 1 else _climb_with(world, runbook, hold)
    assert state["verdict"] == "recovered"
    assert world.time - begun == pytest.approx(hold, abs=0.06)


def _climb_with(world: World, runbook: dict[str, Any], hold: float) -> dict[str, Any]:
    usual = world.step
    world.step = lambda name, state, **more: usual(  # type: ignore[method-assign]
        name, state, **{**more, **({"runbook": runbook} if name == "open" else {})}
    )
    return world.climb(hold_seconds=hold)


def test_patience_ends() -> None:
    world = World({"down"})
    begun = world.time
    world.climb(max_risk="low")
    assert world.time - begun == RUNBOOK["verify"]["patience_seconds"]


def test_observations_from_before_the_last_step_say_nothing() -> None:
    world = World({"down"}, {"start": heal})
    state = world.step("open", {}, target="host", runbook=RUNBOOK)
    old = world.observe()
    world.sleep(1)
    state = world.step("assess", state, observed=world.observe())
    world.sleep(1)
    state = world.step("begin", state)
    state = world.step("acted", state, acted=world.act("start"))
    world.sleep(1)
    good_but_old = [{**each, "evidence": [{"name": "cache.answer", "value": "healthy"}]} for each in old]
    state = world.step("judge", state, observed=good_but_old)
    assert (state["verdict"], state["good_since"], state["sampling"]) == ("", 0, True)


def test_what_is_looked_at_after_a_step_is_from_after_it() -> None:
    world = World(sick={"down"})
    state = world.step("open", {}, target="host", runbook=RUNBOOK)
    for step in ("assess", "begin", "acted"):
        began = state["look_began"]
        assert began == world.time
        world.time += 1
        told = world.act("start") if step == "acted" else {}
        state = world.step(step, state, observed=world.observe(), acted=told)
    state = world.step("judge", state, observed=world.observe())
    assert state["look_began"] == world.time, "after the pause between two samples"


def test_ladders_that_look_at_one_target_together_say_the_same_beginning() -> None:
    world = World()
    state = world.step("open", {}, target="host", runbook=RUNBOOK, mode="diagnose", began=999_999.5)
    assert state["look_began"] == 999_999.5


def test_a_verification_without_data_is_no_recovery() -> None:
    world = World({"down"}, {"start": heal})
    world.observe, usual = (  # type: ignore[method-assign]
        lambda: [{**each, "evidence": []} for each in usual()],
        world.observe,
    )
    state = world.climb(max_risk="low")
    assert state["verdict"] == "unresolved"
    assert "cache.answer: no data" in state["actions"][0]["sentence"]


@pytest.mark.parametrize(
    ("failure", "id_", "outcome"),
    [
        (
            {"msg": "no engine", "obstacle": {"id": "no-engine", "outcome": "unreachable"}},
            "no-engine",
            "unreachable",
        ),
        ({"msg": "bad option"}, "check-failed", "refused"),
        ({"sentence": "short", "msg": "long"}, "check-failed", "refused"),
        ({}, "check-failed", "refused"),
    ],
)
def test_what_keeps_us_from_looking_stops_the_climb(failure: dict[str, Any], id_: str, outcome: str) -> None:
    world = World()
    state = world.step("open", {}, target="host", runbook=RUNBOOK)
    state = world.step("stopped", state, failure=failure)
    assert (state["verdict"], state["gave_up"]) == ("stopped", True)
    assert [(each["id"], each["outcome"], each["kind"]) for each in state["findings"]] == [
        (id_, outcome, "obstacle")
    ]
    assert state["sentence"] == failure.get(
        "sentence", f"Cache trouble: {failure.get('msg', 'a task failed without a word')}"
    )


@pytest.mark.parametrize("step", [step for step in ARGUMENTS["step"]["choices"] if step != "open"])
def test_no_step_is_taken_on_a_ladder_that_was_not_opened(step: str) -> None:
    with pytest.raises(FailedError, match=f"cannot take the step {step}: the ladder was not opened"):
        World().step(step, {})


WORLDS = {
    "healthy": (set[str](), {}),
    "first helps": ({"down"}, {"start": heal}),
    "first fails": ({"down"}, {"start": break_down, "restart": heal}),
    "second helps": ({"hung"}, {"restart": heal}),
    "all fail": ({"hung", "down"}, {"start": break_down, "wait": break_down, "restart": break_down}),
    "nothing helps": ({"hung", "down"}, {}),
    "no remedy": ({"locked"}, {}),
    "forbidden": ({"locked", "hung"}, {}),
    "unknown": ({"strange"}, {}),
}


@pytest.mark.parametrize("risk", ["low", "medium", "high"])
@pytest.mark.parametrize("mode", ["diagnose", "remediate", "check"])
@pytest.mark.parametrize("name", WORLDS)
def test_every_remedy_has_exactly_one_final_word_in_the_order_of_the_ladder(
    name: str, mode: str, risk: str
) -> None:
    sick, remedies = WORLDS[name]
    world = World(set(sick), remedies, check_mode=mode == "check")
    state = world.climb(mode="diagnose" if mode == "diagnose" else "remediate", max_risk=risk)
    words = [each["remedy"] for each in state["actions"]]
    assert words in ([], [each["id"] for each in RUNBOOK["remedies"]])
    assert all(each["sentence"] and "not verified" not in each["sentence"] for each in state["actions"])
    assert state["verdict"] in ("healthy", "diagnosed", "planned", "recovered", "unresolved", "stopped")
    assert state["sentence"]
    assert state["gave_up"] is (state["verdict"] in ("unresolved", "stopped"))
    assert (not world.acted) or mode == "remediate"


def test_what_the_runbook_does_not_know_is_context_and_no_reason_to_act() -> None:
    world = World({"strange"})
    state = world.climb()
    assert (state["verdict"], world.acted) == ("healthy", [])
    assert [(each["id"], each["kind"]) for each in state["findings"]] == [("strange", "context")]


def with_surroundings() -> dict[str, Any]:
    """The runbook with a finding that is no symptom, and a remedy that is not for it."""
    book = copy.deepcopy(RUNBOOK)
    book["findings"].append({"id": "rolling", "symptom": False, "next": "Wait until it has rolled."})
    book["remedies"][2]["never_for"].append("rolling")
    return book


def test_a_finding_that_is_no_symptom_is_no_reason_to_act() -> None:
    world = World(sick={"rolling"}, samples=[True])
    state = world.climb(runbook=with_surroundings())
    assert (state["verdict"], world.acted) == ("healthy", [])
    (finding,) = state["findings"]
    assert (finding["kind"], finding["next"]) == ("context", "Wait until it has rolled.")


@pytest.mark.parametrize("mode", ["diagnose", "remediate"])
def test_it_may_be_a_reason_not_to(mode: str) -> None:
    world = World(sick={"rolling", "hung"})
    state = world.climb(runbook=with_surroundings(), mode=mode)
    said = {each["remedy"]: (each["result"], each["sentence"]) for each in state["actions"]}
    assert said["restart"] == ("skipped", "would not help against rolling")
    assert "restart" not in world.acted


def test_a_failure_that_changed_something_says_so() -> None:
    class ChangedError(FailedError):
        def as_return(self) -> dict[str, Any]:
            return {**super().as_return(), "changed": True, "diff": {"before": "a", "after": "b"}}

    def fail_half_way(_world: World) -> None:
        raise ChangedError("it was restarted and got worse")

    state = World(sick={"hung"}, remedies={"restart": fail_half_way}).climb()
    restart = next(each for each in state["actions"] if each["remedy"] == "restart")
    assert (restart["result"], restart["changed"]) == ("failed", True)
    assert restart["diff"] == [{"before": "a", "after": "b"}]


def test_findings_come_cause_before_symptom_with_advice_and_severity() -> None:
    state = World({"hung", "down", "strange"}).climb(mode="diagnose")
    assert [each["id"] for each in state["findings"]] == ["down", "hung", "strange"]
    assert [each["severity"] for each in state["findings"]] == ["", "sev2", ""]
    assert [each["next"] for each in state["findings"]] == ["Look why it ended.", "Look what blocks it.", ""]


def test_the_journal_hears_every_step_in_order() -> None:
    world = World({"down"}, {"start": break_down, "restart": heal})
    world.climb()
    assert [each["kind"] for each in world.events] == [
        "diagnosed",
        "remedy-started",
        "remedy-finished",
        "diagnosed",
        "remedy-started",
        "remedy-finished",
        "verified",
    ]
    assert all(each["target"] == "host" and each["sentence"] and each["at"] for each in world.events)


def test_evidence_tells_its_phase_and_the_remedy_before_it() -> None:
    state = World({"down"}, {"start": heal}).climb()
    assert {(each["phase"], each["after"]) for each in state["evidence"]} == {
        ("diagnose", ""),
        ("verify", "start"),
    }
    assert all(each["target"] == "host" and each["at"] for each in state["evidence"])


def fail_and_heal(world: World) -> None:
    world.sick.clear()
    raise FailedError("the engine said no")


def test_a_service_that_is_well_after_a_failed_remedy_is_proved_to_be() -> None:
    world = World({"down"}, {"start": fail_and_heal})
    state = world.climb()
    assert (state["verdict"], world.acted, results(state)["start"]) == ("recovered", ["start"], "failed")
    assert state["findings"][0]["present"] is False


def test_nothing_found_and_nothing_proved_ends() -> None:
    world = World({"down"}, {"start": fail_and_heal}, samples=[False] * 200)
    state = world.climb()
    assert (state["verdict"], state["gave_up"], world.acted) == ("unresolved", True, ["start"])


def test_what_was_found_and_is_still_there_is_marked() -> None:
    world = World({"locked", "hung"}, {"wait": lambda world: world.sick.discard("hung")})
    state = world.climb()
    assert {each["id"]: each["present"] for each in state["findings"]} == {"locked": True, "hung": False}


def test_a_remedy_keeps_its_sentence_when_it_did_not_help() -> None:
    """It may say how to put back what it changed."""
    world = World({"down"}, {"start": lambda _: {"sentence": "raised, put back with X", "changed": True}})
    state = world.climb(max_risk="low")
    assert state["actions"][0]["sentence"].startswith("raised, put back with X; did not help: ")


def test_a_remedy_that_makes_it_worse_stops_the_ladder() -> None:
    worse = copy.deepcopy(RUNBOOK)
    worse["verify"]["criteria"].append({"evidence": "page.status", "is": 200, "keep": True})
    world = World({"hung"})
    observe = world.observe

    def with_page() -> list[dict[str, Any]]:
        page = {"name": "page.status", "value": 503 if world.acted else 200, "sentence": ""}
        return [*observe(), {"observed_at": world.time, "findings": [], "evidence": [page]}]

    world.observe = with_page  # type: ignore[method-assign]
    state = world.climb(runbook=worse)
    assert (state["verdict"], world.acted, results(state)["wait"]) == ("unresolved", ["wait"], "worse")
    assert "made it worse: page.status is 503" in state["actions"][1]["sentence"]


@pytest.mark.parametrize(
    ("of_remedy", "of_module", "wanted"),
    [(None, None, 10), (20, None, 20), (20, 30, 30), (20, 6, 20), (None, 6, 10)],
)
def test_patience_is_what_the_service_needs(
    of_remedy: float | None, of_module: float | None, wanted: float
) -> None:
    patient = copy.deepcopy(RUNBOOK)
    patient["remedies"][0]["patience_seconds"] = of_remedy
    done = {"verdict": "done", "sentence": "did", "changed": True, "patience_seconds": of_module}
    world = World({"down"}, {"start": lambda _: done})
    state = world.climb(runbook=patient, max_risk="low")
    start = state["actions"][0]
    took = datetime.fromisoformat(start["finished"]) - datetime.fromisoformat(start["started"])
    assert took.total_seconds() == pytest.approx(wanted, abs=1.1)


@pytest.mark.parametrize(("later", "waited"), [(-5, 10), (45, 45), (100_000, 600)])
def test_a_look_that_will_know_more_later_is_waited_for_but_not_for_ever(later: float, waited: float) -> None:
    world = World({"down"})
    begun = world.time
    observe = world.observe
    world.observe = lambda: [{**each, "known_by": begun + later} for each in observe()]  # type: ignore[method-assign]
    world.climb(max_risk="low")
    assert world.time - begun == pytest.approx(waited, abs=1.1)


def test_criteria_are_met_by_evidence_of_a_service_that_the_site_calls_otherwise() -> None:
    world = World({"down"}, {"start": heal}, service="site-cache")
    state = world.climb(services={"cache": "site-cache"})
    assert (state["verdict"], world.acted) == ("recovered", ["start"])
    assert {each["name"] for each in state["evidence"]} == {"cache.answer"}


@pytest.mark.parametrize(
    ("services", "measured", "names"),
    [
        ({}, "redis.answer", ["redis.answer"]),
        ({"cache": "redis"}, "redis.answer", ["cache.answer"]),
        ({"cache": "redis"}, "redis2.answer", ["redis2.answer"]),
        ({"cache": "redis", "api": ""}, "other.answer", ["other.answer"]),
        ({"cache": "api", "api": "cache"}, "api.ready.slow_percent", ["cache.ready.slow_percent"]),
        ({"cache": "a", "api": "a.b"}, "a.b.answer", ["api.answer"]),
        ({"broker": "api", "api": "api"}, "api.state", ["broker.state", "api.state"]),
    ],
)
def test_evidence_has_the_name_that_the_criteria_use(
    services: dict[str, str], measured: str, names: list[str]
) -> None:
    world = World()
    state = world.step("open", {}, runbook=RUNBOOK, services=services)
    seen = {"observed_at": world.time, "evidence": [{"name": measured, "value": 1, "sentence": ""}]}
    state = world.step("assess", state, observed=[seen])
    assert [each["name"] for each in state["evidence"]] == names == list(state["baseline"])


def test_a_host_without_a_platform_is_refused_in_the_words_of_ansible() -> None:
    with pytest.raises(FailedError, match=r"missing required arguments: platform$"):
        World().step("open", {}, runbook=RUNBOOK, needs={"platform": "", "project": "saveit"})


def test_only_the_last_step_has_something_to_publish() -> None:
    world = World({"down"})
    opened = world.step("open", {}, target="host", runbook=RUNBOOK)
    assessed = world.step("assess", opened, observed=world.observe())
    assert (opened["final"], assessed["final"], assessed["climbing"]) == (False, False, True)
    assert world.climb()["final"] is True


@pytest.mark.parametrize("why", ["lease-held", "paused", "cool-down", "breaker-open", "interlock-unreadable"])
def test_what_the_interlock_refuses_ends_the_climb_and_is_no_remedy_that_failed(why: str) -> None:
    world = World({"down"}, {"restart": heal}, refused={"start": why})
    state = world.climb()
    assert (state["verdict"], state["gave_up"], world.acted) == ("stopped", True, [])
    obstacle = state["findings"][-1]
    assert (obstacle["id"], obstacle["kind"], obstacle["outcome"]) == (why, "obstacle", "refused")
    assert set(results(state).values()) == {"skipped"}
    assert state["interlock"]["claim"] == ""


def test_a_remedy_that_did_not_help_before_gives_way_to_the_next() -> None:
    world = World({"down"}, {"restart": heal}, refused={"start": "no-help"})
    state = world.climb()
    assert (state["verdict"], world.acted) == ("recovered", ["restart"])
    assert results(state)["start"] == "skipped"
    told = state["interlock"]["results"]
    assert (told["cache.start"], told["cache.restart"]) == ("skipped", "helped")


def test_when_no_remedy_helped_before_the_breaker_is_open() -> None:
    world = World({"down"}, refused={"start": "no-help", "restart": "no-help"})
    state = world.climb()
    assert (state["verdict"], state["gave_up"], world.acted) == ("stopped", True, [])
    assert (state["findings"][-1]["id"], state["findings"][-1]["outcome"]) == ("breaker-open", "refused")
    assert "start: no-help; restart: no-help" in state["sentence"]


def test_what_a_remedy_that_was_cut_off_has_done_is_seen_before_another_is_done() -> None:
    world = World({"down"}, {"start": heal}, doubts=[10.0], heals_at=1_000_004.0)
    state = world.climb()
    assert (state["verdict"], world.acted) == ("recovered", [])
    told = next(each for each in state["actions"] if each["remedy"] == "start")
    assert told["result"] == "skipped"
    assert told["sentence"].startswith("cache.start was cut off; recovered: every criterion was met for 5")


@pytest.mark.parametrize("wait", [10.0, 100_000.0])
def test_a_remedy_that_was_cut_off_and_does_not_help_in_its_time_is_done(wait: float) -> None:
    world = World({"down"}, {"start": heal}, doubts=[wait])
    state = world.climb()
    assert (state["verdict"], world.acted) == ("recovered", ["start"])
    assert results(state)["start"] == "helped"
    assert min(wait, 600) <= world.time - 1_000_000 <= min(wait, 600) + 6
    assert "in-doubt" in [each["kind"] for each in world.events]


def test_a_second_doubt_ends_the_climb() -> None:
    world = World({"down"}, {"start": heal}, doubts=[10.0, 10.0])
    state = world.climb()
    assert (state["verdict"], world.acted) == ("stopped", [])
    assert state["findings"][-1]["id"] == "in-doubt"


def test_a_check_does_not_wait_for_what_was_cut_off() -> None:
    world = World({"down"}, {"start": heal}, doubts=[10.0], check_mode=True)
    assert (world.climb()["verdict"], world.acted, world.time) == ("stopped", [], 1_000_000.0)


def test_a_service_that_is_well_after_a_doubt_is_proved_to_be() -> None:
    world = World({"down"}, doubts=[2.0], heals_at=1_000_002.0)
    state = world.climb()
    assert (state["verdict"], world.acted) == ("recovered", [])


def test_the_lease_is_renewed_when_a_third_of_it_is_over() -> None:
    world = World({"down"})
    world.climb(lease_seconds=9.0)
    assert world.renewals == 6  # two remedies, ten seconds of samples each
    healed = World({"down"}, {"start": heal})
    healed.climb(lease_seconds=600.0)
    assert healed.renewals == 0


@pytest.mark.parametrize(
    ("site", "remedy", "runbook", "expected"),
    [([1], [2], [3], [1]), ([], [2], [3], [2]), ([], [], [3], [3]), ([], [], [], [])],
)
def test_limits_are_those_of_the_site_or_the_remedy_or_the_runbook(
    site: list[int], remedy: list[int], runbook: list[int], expected: list[int]
) -> None:
    def windows(times: list[int]) -> list[dict[str, int]]:
        return [{"times": each, "minutes": 60} for each in times]

    book = copy.deepcopy(RUNBOOK) | {"limits": windows(runbook), "touches": ["cache_service"]}
    book["remedies"][0]["limits"] = windows(remedy)
    world = World({"down"})
    state = world.step("open", {}, target="host", runbook=book, limits=windows(site))
    state = world.step("assess", state, observed=world.observe())
    assert state["interlock"]["limits"] == windows(expected)
    assert (state["interlock"]["remedy"], state["interlock"]["touches"]) == ("cache.start", ["cache_service"])
