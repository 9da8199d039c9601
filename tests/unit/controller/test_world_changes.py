"""The world between the diagnosis and the first remedy: what is not any more what the plan was made for."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from saveit_remediate.cli.remediate import surroundings
from saveit_remediate.incident import Request
from saveit_remediate.journal import open_journal
from saveit_remediate.plan import Plan
from saveit_remediate.report.screen import Lines
from saveit_remediate.respond import respond
from saveit_remediate.settings import load_settings

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site

pytestmark = pytest.mark.once


@pytest.mark.parametrize("arguments", [["--yes"], pytest.param(["--check"], marks=pytest.mark.long)])
def test_a_service_that_gets_well_between_diagnosis_and_remedy_is_healthy(
    site: Site, arguments: list[str]
) -> None:
    site.world_changes(1, then={"findings": []})
    found = site.json(*arguments)
    assert (found["outcome"], found["exit_code"], found["actions"]) == ("healthy", 0, [])
    record = json.loads(site.run("show", "last", "--json").stdout)
    assert [event["kind"] for event in record["events"]] == [
        "opened", "assessed", "planned", "replanned", "assessed", "closed",
    ]  # fmt: skip


def test_a_world_that_changes_before_the_remedy_is_diagnosed_and_planned_anew(site: Site) -> None:
    site.world_changes(2, then={"findings": [site.dead], "actions": [site.kick]})
    found = site.json("--yes")
    assert (found["outcome"], found["exit_code"]) == ("recovered", 0)
    assert [finding["id"] for finding in found["findings"]] == ["frob-dead"]
    assert found["stderr"].count("not the same; nothing was touched; diagnosing and planning anew") == 2
    kinds = [one["kind"] for one in json.loads(site.run("show", "last", "--json").stdout)["events"]]
    assert (kinds.count("planned"), kinds.count("replanned")) == (3, 2)


def test_a_person_is_asked_about_each_plan(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.world_changes(1, then={"findings": [site.dead], "actions": [site.kick]})
    monkeypatch.chdir(site.folder)
    plans: list[Plan] = []

    def agrees_once(plan: Plan) -> bool:
        plans.append(plan)
        return len(plans) == 1

    settings = load_settings({"inventory": None}, {}, site.folder)
    world = surroundings(settings, Lines(None, sys.stderr), site.folder, agrees_once)
    with closing(open_journal(settings.journal)) as journal:
        report = respond(Request("frob", settings.inventory), settings, world, journal)
    assert (report.outcome, len(plans)) == ("planned", 2)
    assert report.sentence.endswith("nothing was touched, as you did not agree to it")


@pytest.mark.long
def test_a_world_that_changes_every_time_is_refused_after_the_third_plan(site: Site) -> None:
    site.world_changes(4, then={"findings": []})
    found = site.json("--yes")
    assert (found["outcome"], found["exit_code"]) == ("refused", 4)
    assert found["sentence"].endswith("it changed 3 times before anything was touched; run again")


def test_after_something_was_done_nothing_begins_anew(site: Site) -> None:
    site.publishes(
        {"findings": [site.dead], "actions": [site.kick]},
        {"findings": [site.changed], "actions": [site.helped]},
    )
    found = site.json("--yes")
    assert (found["outcome"], found["stderr"]) == ("unverified", "")
