"""Which incident is it: cause above symptom. Pure."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from saveit_remediate.catalog import Runbook, find, open_catalog
from saveit_remediate.incident import Evidence, Finding, Observation
from saveit_remediate.triage import Triage, triage

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site

EXPLAINS = {"application": ("mqtt",), "database": ("application",), "memory": ("application",), "mqtt": ()}


@pytest.fixture
def runbooks(site: Site) -> list[Runbook]:
    frob = find(open_catalog(site.folder, []), "frob")
    return [dataclasses.replace(frob, id=id_, explains=explains) for id_, explains in EXPLAINS.items()]


def seen(*ids: str, target: str = "a", kind: str = "symptom", outcome: str = "") -> Observation:
    findings = (Finding(id_, target, "frob", f"{id_} was seen", kind, outcome) for id_ in ids)
    return Observation(tuple(findings), evidence=(Evidence("frob.ok", target, False, 1.0),))


def ranked(found: Triage) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.incident, one.follows_from) for one in found.suspects]


def test_nothing_is_wrong(runbooks: list[Runbook]) -> None:
    found = triage(runbooks, {"database": Observation()})
    assert (found.suspects, found.incident) == ((), "")


def test_a_cause_is_ranked_above_what_follows_from_it_though_that_is_worse(runbooks: list[Runbook]) -> None:
    found = triage(runbooks, {"application": seen("frob-dead"), "database": seen("frob-slow")})
    assert ranked(found) == [("database", ()), ("application", ("database",))]
    assert found.incident == "database"
    assert found.suspects[0].evidence[0].name == "frob.ok"


def test_what_follows_by_way_of_another_follows(runbooks: list[Runbook]) -> None:
    found = triage(runbooks, {"mqtt": seen("frob-dead"), "database": seen("frob-dead")})
    assert ranked(found) == [("database", ()), ("mqtt", ("database",))]


def test_two_causes_are_ambiguous_and_the_worse_comes_first(runbooks: list[Runbook]) -> None:
    found = triage(runbooks, {"database": seen("frob-slow"), "memory": seen("frob-dead")})
    assert [one.incident for one in found.causes] == ["memory", "database"]
    assert found.incident == ""


def test_those_that_explain_each_other_are_both_causes(runbooks: list[Runbook]) -> None:
    circle = [
        dataclasses.replace(one, explains=("database",)) if one.id == "application" else one
        for one in runbooks
    ]
    found = triage(circle, {"application": seen("frob-dead"), "database": seen("frob-dead")})
    assert len(found.causes) == 2


def test_the_cause_on_one_host_explains_nothing_on_another(runbooks: list[Runbook]) -> None:
    found = triage(
        runbooks, {"application": seen("frob-dead", target="b"), "database": seen("frob-dead", target="a")}
    )
    assert len(found.causes) == 2


def test_the_same_cause_on_two_hosts_is_one_incident(runbooks: list[Runbook]) -> None:
    both = Observation((*seen("frob-dead").findings, *seen("frob-dead", target="b").findings))
    found = triage(runbooks, {"database": both})
    assert (len(found.causes), found.incident) == (2, "database")


def test_what_could_not_be_looked_at_is_told_and_is_no_suspect(runbooks: list[Runbook]) -> None:
    found = triage(runbooks, {"memory": seen("no-engine", kind="obstacle", outcome="unreachable")})
    assert (found.suspects, [one.id for one in found.unseen]) == ((), ["no-engine"])
