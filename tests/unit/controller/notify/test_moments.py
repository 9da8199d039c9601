"""What an incident has to say, from its events alone; each row is a story and what is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.controller.notify.conftest import HELPED, ID, RECOVERED, SICK

from saveit_remediate.notify.moments import moments
from saveit_remediate.notify.state import state_of

if TYPE_CHECKING:
    from tests.unit.controller.notify.conftest import Desk

OPENED = ("opened", {"incident": "redis", "inventory": "hosts.yml"})
SEEN = ("assessed", SICK)
WELL = ("assessed", {"findings": [], "hosts": ["lab"], "severity": "sev4"})
BLIND = ("assessed", {"findings": [{"id": "lease-held", "kind": "obstacle"}], "hosts": ["lab"]})


def closed(outcome: str, *obstacles: str) -> tuple[str, dict[str, Any]]:
    return ("closed", {"outcome": outcome, "sentence": outcome, "obstacles": list(obstacles)})


@pytest.mark.parametrize(
    ("story", "told", "is_open"),
    [
        ([OPENED, SEEN], ["opened"], True),
        (
            [OPENED, SEEN, ("remedy-finished", HELPED), ("closed", RECOVERED)],
            ["opened", "update", "resolved"],
            False,
        ),
        ([OPENED, SEEN, SEEN, closed("unresolved")], ["opened", "unresolved"], True),
        ([OPENED, SEEN, closed("planned")], ["opened"], False),
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
    desk: Desk, story: list[tuple[str, dict[str, Any]]], told: list[str], is_open: bool
) -> None:
    for kind, payload in story:
        desk.happens(kind, payload)
    events = desk.journal.events(ID)
    assert [moment.what for moment in moments(events)] == told
    assert state_of(events).is_open is is_open


@pytest.mark.parametrize(
    ("payload", "facing"),
    [
        ({**SICK, "severity": "sev3"}, False),
        ({**SICK, "severity": "sev1"}, True),
        ({**SICK, "severity": "sev1", "customer_facing": False}, False),
        ({**SICK, "severity": "sev3", "customer_facing": True}, True),
    ],
)
def test_customers_notice_sev1_and_sev2_unless_an_event_says_otherwise(
    desk: Desk, payload: dict[str, Any], facing: bool
) -> None:
    desk.happens("opened", {"incident": "redis"})
    desk.happens("assessed", payload)
    assert state_of(desk.journal.events(ID)).customer_facing is facing
