"""What an incident has to say, from its events; a row is a story, what is told, and if people are called."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.controller.notify.conftest import HELPED, ID, NOON, RECOVERED, SICK

from saveit_remediate.catalog.policy_escalation import Step
from saveit_remediate.notify.moments import moments
from saveit_remediate.respond.escalation import due_now

if TYPE_CHECKING:
    from tests.unit.controller.notify.conftest import Desk

OPENED = ("opened", {"incident": "redis", "inventory": "hosts.yml"})
SEEN = ("assessed", SICK)
WELL = ("assessed", {"findings": [], "hosts": ["lab"], "severity": "sev4"})
BLIND = ("assessed", {"findings": [{"id": "lease-held", "kind": "obstacle"}], "hosts": ["lab"]})


def closed(outcome: str, *obstacles: str) -> tuple[str, dict[str, Any]]:
    return ("closed", {"outcome": outcome, "sentence": outcome, "obstacles": list(obstacles)})


@pytest.mark.parametrize(
    ("story", "told", "called"),
    [
        ([OPENED, SEEN], ["opened"], True),
        (
            [OPENED, SEEN, ("remedy-finished", HELPED), ("closed", RECOVERED)],
            ["opened", "update", "resolved"],
            False,
        ),
        ([OPENED, SEEN, SEEN, closed("unresolved")], ["opened", "unresolved"], True),
        ([OPENED, SEEN, closed("planned")], ["opened"], True),
        ([OPENED, SEEN, closed("healthy")], ["opened", "resolved"], False),
        ([OPENED, SEEN, closed("interrupted")], ["opened", "unresolved"], True),
        ([OPENED, WELL, closed("healthy")], [], False),
        ([OPENED, BLIND, closed("refused", "lease-held")], [], False),
        ([OPENED, WELL, closed("refused")], ["opened", "unresolved"], True),  # two causes, and nobody chose
        ([OPENED, closed("unreachable", "no-host")], ["opened", "unresolved"], True),
        ([OPENED, closed("error")], [], False),
        ([OPENED, SEEN, closed("resumed")], ["opened"], False),
        ([OPENED, SEEN, ("closed", RECOVERED), ("resolved", {"by": "anna"})], ["opened", "resolved"], False),
        (
            [OPENED, SEEN, ("closed", RECOVERED), ("reopened", {"by": "anna"}), ("resolved", {"by": "anna"})],
            ["opened", "resolved", "reopened", "resolved"],
            False,
        ),
        ([("opened", {"incident": "redis", "opened_by": "anna"})], ["opened"], True),
        ([("opened", {"incident": "redis", "check": True}), SEEN, closed("unresolved")], [], False),
        ([OPENED, SEEN, ("approval-asked", {}), ("waiting", {})], ["opened", "approval"], True),
        ([OPENED, SEEN, ("given-up", {"what": "opened", "channel": "x"})], ["opened", "given-up"], True),
        ([OPENED, SEEN, ("given-up", {"what": "given-up", "channel": "x"})], ["opened"], True),
    ],
)
def test_a_story_and_what_is_told_of_it(
    desk: Desk, story: list[tuple[str, dict[str, Any]]], told: list[str], called: bool
) -> None:
    for kind, payload in story:
        desk.happens(kind, payload)
    events = desk.journal.events(ID)
    assert [moment.what for moment in moments(events)] == told
    assert bool(due_now(events, [Step("on-call", timedelta(0))], NOON)) is called
