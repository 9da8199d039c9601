"""The life of an incident from the command line: a run that failed, people, a second run that joins."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site


def test_a_second_run_joins_what_is_open_and_what_people_said_counts(site: Site) -> None:
    opened = site.run("open", "--incident", "frob", "--severity", "sev3", "--json", "it is slow")
    id_ = json.loads(opened.stdout)["incident_id"]
    twice = site.run("open", "--incident", "frob", "it is still slow")
    assert (twice.returncode, f"{id_} is opened" in twice.stderr) == (4, True)
    no_help = {**site.helped, "result": "no_help"}
    site.publishes(
        {"findings": [site.dead], "actions": [site.kick]}, {"findings": [site.dead], "actions": [no_help]}
    )
    first = site.json("--yes")
    assert (first["incident_id"], first["exit_code"]) == (id_, 3)
    raised = site.run("severity", id_, "sev1", "--reason", "everybody calls")
    assert "says sev1: everybody calls; it was sev2; respond by" in raised.stdout
    assert site.run("ack", id_).returncode == 0
    again = site.run("ack", "last")
    assert (again.returncode, "has already acknowledged it" in again.stderr) == (4, True)
    site.publishes(
        {"findings": [site.dead], "actions": [site.kick]}, {"actions": [site.helped], "evidence": site.good}
    )
    second = site.json("--yes")
    assert (second["incident_id"], second["outcome"]) == (id_, "recovered")
    assert second["severity"] == "sev1", "a person said so, and no rule of the runbook overrules it"
    assert f"saveit-remediate show {id_}" in second["stderr"]
    kinds = [event["kind"] for event in json.loads(site.run("show", id_, "--json").stdout)["events"]]
    assert [kinds[0], *(kind for kind in kinds if kind in ("closed", "acknowledged", "joined"))] == [
        "opened", "joined", "closed", "acknowledged", "joined", "closed",
    ]  # fmt: skip
    third = site.json("--yes")
    assert third["incident_id"] != id_, "the first one is over"
    assert json.loads(site.run("incidents", "--json", "--state", "open").stdout) == []
    assert (
        len(json.loads(site.run("incidents", "--json", "--state", "resolved", "--since", "1h").stdout)) == 2
    )
    assert "cannot assign" in site.run("assign", id_, "bo").stderr
