"""A journal with an incident in it, channels of a site, a clock that is given, and servers on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from outside.server import Rules, Server
from saveit_remediate.catalog import open_catalog
from saveit_remediate.catalog.checks import Node
from saveit_remediate.catalog.policy import Sections, load_sections
from saveit_remediate.catalog.policy_contacts import read_contacts
from saveit_remediate.catalog.policy_escalation import read_escalation
from saveit_remediate.catalog.policy_notify import read_notify
from saveit_remediate.journal import Event, Journal, open_journal
from saveit_remediate.notify.deliver import Tally, deliver
from saveit_remediate.notify.post import Post, open_post
from saveit_remediate.respond.escalation import escalate

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SHIPPED = load_sections(open_catalog(None), None).shipped
ID = "20261123-120000-redis-3f2a"
NEEDS = {"schema": 1, "needs": {"low": "nothing", "medium": "agreement", "high": "approval"}}
SICK = {
    "sentence": "redis does not answer",
    "severity": "sev2",
    "hosts": ["lab"],
    "findings": [{"id": "redis-down", "kind": "symptom", "sentence": "redis does not answer"}],
}
HELPED = {"sentence": "redis answers again", "host": "lab", "remedy": "restart_redis"}
RECOVERED = {"sentence": "lab: restart redis helped", "outcome": "recovered", "severity": "sev2"}


@dataclass
class Clock:
    """Sleeping moves it."""

    now_: datetime = NOON
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.now_

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_ += timedelta(seconds=seconds)


@dataclass
class Desk:
    """What a site has: its policy, its journal, and the post that is made of them."""

    folder: Path
    clock: Clock
    journal: Journal
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def happens(self, kind: str, payload: Mapping[str, Any] | None = None, incident_id: str = ID) -> Event:
        event = self.journal.append(incident_id, kind, payload or {}, self.clock.now())
        assert event
        return event

    def breaks(self) -> None:
        self.happens("opened", {"incident": "redis", "sentence": "Redis, opened", "inventory": "hosts.yml"})
        self.happens("assessed", SICK)

    def recovers(self) -> None:
        self.happens("remedy-finished", HELPED)
        self.happens("closed", RECOVERED)

    @property
    def sections(self) -> Sections:
        """As they are read from a policy.yml that says this."""
        site = {**NEEDS, "notify": {"channels": self.channels}, **self.more}
        return Sections(Node(site, self.folder / "policy.yml"), SHIPPED)

    def post(self) -> Post:
        policy = read_notify(self.sections)
        contacts = read_contacts(self.sections, policy.channels)
        return open_post(policy, contacts, self.clock.now, self.clock.sleep)

    def deliver(self, seconds: float = 5) -> Tally:
        return deliver(self.journal, [ID], self.post(), seconds, patience=seconds)

    def escalate(self) -> list[str]:
        """As the command does it, in a process of its own: nothing is known but what the journal has."""
        with closing(open_journal(self.folder / "journal.db")) as journal:
            post = self.post()
            said = escalate(journal, ID, read_escalation(self.sections, post.contacts), post)
            deliver(journal, [ID], post, 5)
            return said

    def kinds(self, *wanted: str) -> list[str]:
        return [event.kind for event in self.journal.events(ID) if not wanted or event.kind in wanted]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(open_journal(tmp_path / "journal.db")) as journal:
        yield Desk(tmp_path, Clock(), journal)


@pytest.fixture
def serve() -> Iterator[Callable[[Rules], Server]]:
    """A server that plays by these rules, until the test is over."""
    with ExitStack() as stack:
        yield lambda rules: stack.enter_context(Server(rules))
