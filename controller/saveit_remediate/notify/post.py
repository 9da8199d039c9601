"""The channels of a site, opened: ready to be sent to, and to be tried."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from saveit_remediate.catalog.policy_contacts import Contact
from saveit_remediate.catalog.policy_notify import Channel, NotifyPolicy
from saveit_remediate.notify.kind import Kind, Message, SendError, find_kind, options_of


@dataclass(frozen=True)
class Post:
    """The channels of a site, opened, its contacts, and the world."""

    policy: NotifyPolicy
    kinds: Mapping[str, Kind]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def open_post(
    policy: NotifyPolicy,
    contacts: Mapping[str, Contact],
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Post:
    """Raises UsageError for a channel whose kind or options cannot be right."""
    kinds = {name: find_kind(channel) for name, channel in policy.channels.items()}
    said = [
        f"{name}: {warning}"
        for name, kind in kinds.items()
        if kind.warn and (warning := kind.warn({**kind.optional, **policy.channels[name].options.value}))
    ]
    return Post(policy, kinds, now, sleep, contacts, tuple(said))


def try_channel(channel: Channel, kind: Kind, now: Callable[[], datetime]) -> str:
    """Send a test; empty when it arrived, else the problem."""
    at = now()
    key = f"test-{at:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    text = "This is a test of the channels of saveit-remediate; nothing is wrong."
    message = Message(key, key, "test", "sev4", "Test: nothing is wrong", text, "", at, now=now)
    try:
        (kind.test or kind.send)(options_of(channel, kind), message)
    except SendError as error:
        return error.problem
    except Exception as error:  # as above: whatever a plugin does, the next channel is tried too
        return f"{type(error).__name__}: {error}"
    return ""
