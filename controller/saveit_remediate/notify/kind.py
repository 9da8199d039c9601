"""What a kind of channel is, and how one is found: by entry point, so that a package can add one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from saveit_remediate.catalog.checks import Node
from saveit_remediate.catalog.policy_notify import Channel
from saveit_remediate.errors import UsageError, did_you_mean

GROUP = "saveit_remediate.channels"


@dataclass(frozen=True)
class Message:
    """What is sent once. `known` is what earlier messages of the incident gave back on this channel.

    `key` is its own: the same again is the same message. `again`: it may have arrived
    already. `at` is when it was queued.
    """

    key: str
    incident_id: str
    what: str  # one of policy_notify.WHAT, or "test"
    severity: str
    title: str
    text: str
    record: str
    at: datetime
    known: Mapping[str, Any] = field(default_factory=dict)
    again: bool = False
    addresses: tuple[str, ...] = ()  # of a contact whom it is for
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class SendError(Exception):
    """It was not sent. `again`: it is worth another attempt, after `after` seconds if that is known."""

    def __init__(self, problem: str, again: bool, after: float | None = None) -> None:
        super().__init__(problem)
        self.problem, self.again, self.after = problem, again, after


Options = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of channel. `send` returns what to know at the next message, and raises SendError.

    `required` options are texts; `optional` has the defaults, whose types the values have. The options in
    `secrets` are named by the policy and never in it: `{env: NAME}` or `{file: PATH}`. `test` tries the
    channel without a word to the public.
    """

    required: tuple[str, ...]
    optional: Mapping[str, Any]
    secrets: tuple[str, ...]
    send: Callable[[Options, Message], Mapping[str, Any]]
    test: Callable[[Options, Message], Mapping[str, Any]] | None = None
    spacing: float = 0.0  # seconds between two messages
    escalates: bool = False  # it wakes people by a policy of its own
    warn: Callable[[Options], str] | None = None  # what a person should change, or nothing
    acknowledged_by: Callable[[Options, Mapping[str, Any]], str] | None = None


def find_kind(channel: Channel) -> Kind:
    """The kind of a channel, with its options checked. Raises UsageError."""
    from importlib.metadata import entry_points

    found = {point.name: point for point in entry_points(group=GROUP)}
    if channel.kind not in found:
        raise channel.options.error(
            f"has the unknown kind {channel.kind!r}; {did_you_mean(channel.kind, found)}"
        )
    kind = found[channel.kind].load()
    if not isinstance(kind, Kind):
        raise channel.options.error(f"has the kind {channel.kind!r}, whose entry point is no Kind")
    channel.options.mapping(kind.required, kind.optional)
    for name in channel.options.value:
        if name in kind.secrets:
            _check_secret(channel.options, name)
        else:
            _check_type(channel.options, name, kind.optional.get(name, ""))
    return kind


def options_of(channel: Channel, kind: Kind) -> dict[str, Any]:
    """The options with the secrets in their places. Raises SendError for a secret that is not there now."""
    options = {**kind.optional, **channel.options.value}
    for name in kind.secrets:
        if options.get(name):
            options[name] = _secret(channel.options.child(name))
    return options


def _check_type(options: Node, name: str, default: Any) -> None:
    if isinstance(default, bool):
        options.flag(name)
    elif isinstance(default, tuple):
        options.texts(name)
    elif isinstance(default, int):
        options.number(name, 1)
    else:
        options.text(name)


def _check_secret(options: Node, name: str) -> None:
    value = options.value[name]
    if not isinstance(value, Mapping) or len(value) != 1 or not set(value) <= {"env", "file"}:
        raise UsageError(
            f"{options.path}: {options.where}.{name} is a secret: say where it is, by {{env: NAME}} or "
            "{file: PATH}"
        )
    options.child(name).text(next(iter(value)))


def _secret(node: Node) -> str:
    where, name = next(iter(node.value.items()))
    try:
        value = os.environ[name] if where == "env" else (node.path.parent / name).read_text(encoding="utf-8")
    except KeyError:
        raise SendError(f"the environment variable {name} ({node.where}) is not set", again=True) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SendError(f"cannot read the secret in {name} ({node.where}): {error}", again=True) from error
    if not value.strip():
        raise SendError(f"the secret in {name} ({node.where}) is empty", again=True)
    return value.strip()
